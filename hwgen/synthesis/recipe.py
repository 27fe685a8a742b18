"""How Yosys maps a design to each family, and what the cells of the result amount to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from hwgen.devices.boards import Device, Family
from hwgen.estimation.usage import Usage as Resources

__all__ = ["OUTPUT_REGISTERS", "Resources", "commands", "count", "mapper", "mapping"]

FINISH: Mapping[Family, tuple[str, ...]] = {
    Family.GOWIN: ("iopadmap -bits -inpad IBUF O:I -outpad OBUF I:O",),
    Family.NEXUS: (
        f"techmap -map {Path(__file__).with_name('constants_nexus.v')}",
        "hilomap -singleton -hicell VHI Z -locell VLO Z",
    ),
    Family.GATEMATE: (
        "iopadmap -bits -inpad CC_IBUF Y:I -outpad CC_OBUF A:O",
        "clkbufmap -buf CC_BUFG O:I",
    ),
}
"""What is left to do when all modules are one. Pads (Gowin, GateMate) for the top alone: the mapper would put them around the accelerator as well."""

BEFORE_MEMORIES: Mapping[Family, tuple[str, ...]] = {
    # Its flip-flops have no synchronous reset. Left to the mapper, one with an enable loses that as well: two LUTs a bit instead of none.
    Family.GATEMATE: ("dffunmap -srst-only", "opt_dff -nosdff", "opt_clean"),
}
"""What is done between the mapper's coarse steps and that which maps memories."""

MEMORY_STEP = {Family.GATEMATE: "map_bram"}
"""The mapper's step that maps memories; "map_ram" elsewhere."""

OUTPUT_REGISTERS = (Family.ECP5,)
"""Families whose block RAMs get their output registers by `hwgen.synthesis.output_registers`."""

WEIGHTS: Mapping[Family, tuple[tuple[str, dict[str, float]], ...]] = {
    Family.ICE40: (
        ("SB_LUT4", {"luts": 1}),
        ("SB_DFF.*", {"ffs": 1}),
        ("SB_CARRY", {"carries": 1}),
        ("SB_RAM40_4K.*", {"brams": 1}),
        ("SB_SPRAM256KA", {"sprams": 1}),
        ("SB_MAC16", {"dsps": 1}),
    ),
    Family.ECP5: (
        ("LUT4", {"luts": 1}),
        ("CCU2C", {"luts": 2, "carries": 2}),
        ("TRELLIS_DPR16X4", {"luts": 4, "lutrams": 1}),
        ("TRELLIS_FF", {"ffs": 1}),
        ("DP16KD|PDPW16KD", {"brams": 1}),
        ("MULT18X18D|ALU54B", {"dsps": 1}),
    ),
    Family.GOWIN: (
        ("LUT[1-4]", {"luts": 1}),
        ("ALU", {"luts": 1, "carries": 1}),
        ("RAM16S.*", {"luts": 4, "lutrams": 1}),
        ("DFF.*|DL.*", {"ffs": 1}),
        ("(SP|SDP|DP|p?ROM)(B|X9|X9B)?", {"brams": 1}),
        ("MULT.*|PADD.*", {"dsps": 1}),
    ),
    Family.NEXUS: (
        ("LUT4|INV", {"luts": 1}),
        ("WIDEFN9", {"luts": 2}),
        ("CCU2", {"luts": 2, "carries": 2}),
        ("DPR16X4", {"luts": 4, "lutrams": 1}),
        ("FD1P3.X", {"ffs": 1}),
        ("(DP|PDP|PDPSC|SP)(SC)?(16K|512K).*", {"brams": 1}),
        ("MULT.*", {"dsps": 1}),
    ),
    # In halves of a CPE, as nextpnr packs them: one that holds a single LUT of two inputs holds nothing else.
    Family.GATEMATE: (
        ("CC_L2T4|CC_LUT[1-4]|CC_MX2", {"luts": 1}),
        ("CC_L2T5|CC_MX4", {"luts": 2}),
        ("CC_ADDF", {"luts": 1, "carries": 1}),
        ("CC_DFF|CC_DLT", {"ffs": 1}),
        ("CC_BRAM_20K", {"brams": 0.5}),
        ("CC_BRAM_40K", {"brams": 1}),
        ("CC_MULT", {"dsps": 1}),
    ),
    # Inverters vanish into the LUTs that they feed.
    Family.XILINX7: (
        ("LUT[1-6]|SRL.*", {"luts": 1}),
        ("RAM(32|64)X1D", {"luts": 2, "lutrams": 1}),
        ("RAM(32|64)(M|X1Q)", {"luts": 4, "lutrams": 1}),
        ("CARRY4", {"carries": 4}),
        ("FD.*", {"ffs": 1}),
        ("RAMB18E1", {"brams": 0.5}),
        ("RAMB36E1", {"brams": 1}),
        ("DSP48E1", {"dsps": 1}),
    ),
}
"""What a cell type, given as a regular expression, takes of the device."""


def mapper(device: Device) -> str:
    """Give the Yosys command that maps to a device, with the options that measured best."""
    match device.family:
        case Family.ICE40:
            model = {"iCE40UP5K": "u"}.get(device.part, "hx")
            dsp = " -dsp" if device.dsps else ""
            spram = " -spram" if device.spram_blocks else ""
            return f"synth_ice40 -dff -device {model}{dsp}{spram}"
        case Family.ECP5:
            # Wide multiplexers cost ECP5 twice the LUTs of a popcount.
            return "synth_ecp5 -nowidelut"
        case Family.GOWIN:
            # Wide multiplexers take two LUTs each where one behind the other would do.
            return f"synth_gowin -nowidelut -noiopads -family {'gw2a' if device.series.startswith('GW2A') else 'gw1n'}"
        case Family.NEXUS:
            # A carry chain that begins with a constant is refused by the place-and-route program; wide LUTs take two each.
            return "synth_nexus -family lifcl -noccu2 -nowidelut"
        case Family.GATEMATE:
            # The device has no multipliers: a cell that stands for one is built of CPEs, and nobody can tell how many.
            return "synth_gatemate -luttree -nomx8 -nomult -noiopad -noclkbuf"
        case Family.XILINX7:
            return "synth_xilinx -family xc7 -flatten -noiopad -noclkbuf"


def mapping(device: Device, top: str, memories: Sequence[str] = ()) -> list[str]:
    """Give the commands that map all below ``top``; those of ``memories`` come in front of the step that maps memories."""
    whole = f"{mapper(device)} -top {top}"
    between = [*BEFORE_MEMORIES.get(device.family, ()), *memories]
    step = MEMORY_STEP.get(device.family, "map_ram")
    return [f"{whole} -run begin:{step}", *between, f"{whole} -run {step}:"] if between else [whole]


def commands(
    device: Device, top: str, module: str, folder: Path, around: str | None = None
) -> tuple[list[str], list[str]]:
    """Give the Yosys commands that map ``module`` within ``top``, run in the folder of its Verilog.

    The module is mapped by itself, so its cells can be counted apart from those around it, and is made one with them
    at the end. Both lists run in one process unless the registers behind block RAMs are moved in between
    (`hwgen.synthesis.output_registers`), by way of the files ``plain.json`` and ``registered.json``.

    Parameters
    ----------
    device : Device
    top, module : str
        Names of the whole and of the accelerator, whose file is ``<module>.v``.
    folder : Path
        Holds ``<top>.il``, the RTLIL of the top; ``cells.json`` (cells by module), ``mapped.v`` (the module's cells) and
        ``netlist.json`` (all of it as one module) are written to it.
    around : str or None
        Verilog file, in ``folder``, of what ``top`` puts around the module.

    Returns
    -------
    list of str
        Up to the device's cells.
    list of str
        From there to the files.
    """
    mapped = [
        f"read_rtlil {folder}/{top}.il",
        f"read_verilog {module}.v",
        *([] if around is None else [f"read_verilog {folder}/{around}"]),
        f"setattr -mod -set keep_hierarchy 1 {module}",
        # Its SAT self-check does not finish on popcount trees, and its don't-care pass can hang there; the pass saves
        # no LUT in a thousand.
        "scratchpad -set abc9.verify false",
        "scratchpad -set abc9.nomfs true",
        *mapping(device, top),
        *([f"write_json {folder}/plain.json"] if device.family in OUTPUT_REGISTERS else []),
    ]
    writing = [
        *([f"read_json {folder}/registered.json"] if device.family in OUTPUT_REGISTERS else []),
        f"tee -q -o {folder}/cells.json stat -json",
        f"select {module}",
        f"write_verilog -noattr -noexpr -selected {folder}/mapped.v",
        "select -clear",
        f"setattr -mod -unset keep_hierarchy {module}",
        # The names by which the accelerator's ports are found again after routing.
        f"setattr -set keep 1 {module}/x:*",
        "flatten",
        *FINISH.get(device.family, ()),
        "clean -purge",
        "setattr -unset keep w:*",
        # Source locations are paths of this machine.
        "setattr -unset src =*/w:* =*/c:*",
        "setattr -mod -unset src =*",
        f"write_json {folder}/netlist.json",
    ]
    return mapped, writing


def count(family: Family, cells: Mapping[str, int]) -> Resources:
    """Add up cells.

    Parameters
    ----------
    family : Family
    cells : mapping
        Cell type -> number of cells.
    """
    totals: dict[str, float] = asdict(Resources())
    for kind, number in cells.items():
        for pattern, takes in WEIGHTS[family]:
            if re.fullmatch(pattern, kind):
                for resource, weight in takes.items():
                    totals[resource] += weight * number
    brams = totals.pop("brams")
    whole = {name: int(total) for name, total in totals.items()}
    return Resources(brams=int(brams) if brams == int(brams) else brams, **whole)
