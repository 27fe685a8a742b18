"""Gowin GW1N and GW2A."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hwgen.devices.cells import Memories, MemoryCell, Multipliers
from hwgen.devices.clock import Clock, Pll
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
from hwgen.devices.gowin_cells import restore
from hwgen.devices.usage import Usage

__all__ = ["GOWIN"]

OUTPUT_DIVISORS = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)


class Limits(NamedTuple):
    """What a series' PLL can do, in Hz: fastest input, and range of its oscillator and of its output."""

    fastest_input: float
    oscillator: tuple[float, float]
    output: tuple[float, float]


LIMITS = {
    "GW1N-9C": Limits(400e6, (400e6, 1200e6), (3.125e6, 600e6)),
    "GW2A-18C": Limits(500e6, (500e6, 1250e6), (3.90625e6, 625e6)),
}


def _mapper(device: Device) -> str:
    # Wide multiplexers take two LUTs each where one behind the other would do.
    return f"synth_gowin -nowidelut -noiopads -family {'gw2a' if device.series.startswith('GW2A') else 'gw1n'}"


def _plls(device: Device, clock: Clock) -> Iterator[Pll]:
    """rPLL: out = in * (FBDIV_SEL + 1) / (IDIV_SEL + 1); the oscillator runs ODIV_SEL times as fast. Limits of UG286 and the data sheets."""
    limits = LIMITS[device.series]
    (slowest_oscillator, fastest_oscillator), (slowest, fastest) = limits.oscillator, limits.output
    if clock.hz > limits.fastest_input:
        return
    for reference in range(64):
        detector = clock.hz / (reference + 1)
        if detector < 3e6:
            continue
        for factor in range(64):
            # One division of whole numbers is exact at the limits; products of rounded ones are not.
            output = clock.hz * (factor + 1) / (reference + 1)
            fitting = (
                one
                for one in OUTPUT_DIVISORS
                if slowest_oscillator <= clock.hz * (factor + 1) * one / (reference + 1) <= fastest_oscillator
            )
            divisor = next(fitting, None)
            if divisor is None or not slowest <= output <= fastest:
                continue
            yield Pll(
                cell="rPLL",
                hz=round(output),
                parameters={
                    "FCLKIN": f"{clock.hz / 1e6:g}",
                    "DEVICE": device.part.partition("-")[0] + "-" + device.series.partition("-")[2],
                    "IDIV_SEL": reference,
                    "FBDIV_SEL": factor,
                    "ODIV_SEL": divisor,
                    "DYN_IDIV_SEL": "false",
                    "DYN_FBDIV_SEL": "false",
                    "DYN_ODIV_SEL": "false",
                    "DYN_SDIV_SEL": 2,
                    "DYN_DA_EN": "false",
                    "PSDA_SEL": "0000",
                    "DUTYDA_SEL": "1000",
                    "CLKFB_SEL": "internal",
                    "CLKOUT_BYPASS": "false",
                    "CLKOUTP_BYPASS": "false",
                    "CLKOUTD_BYPASS": "false",
                    "CLKOUTD_SRC": "CLKOUT",
                    "CLKOUTD3_SRC": "CLKOUT",
                },
                clock_in="CLKIN",
                clock_out="CLKOUT",
                locked="LOCK",
                constants={
                    "RESET": (1, 0),
                    "RESET_P": (1, 0),
                    "CLKFB": (1, 0),
                    "FBDSEL": (6, 0),
                    "IDSEL": (6, 0),
                    "ODSEL": (6, 0),
                    "PSDA": (4, 0),
                    "DUTYDA": (4, 0),
                    "FDLY": (4, 0),
                },
            )


def _pin_lines(end: PortPin) -> tuple[str, ...]:
    """CST."""
    return (
        f'IO_LOC "{end.port}" {end.pin};',
        f'IO_PORT "{end.port}" IO_TYPE={end.io_type} PULL_MODE={end.pull};',
    )


def _place(device: Device, pins: str, layout: str | None) -> list[str]:
    ends = [] if layout is None else ["--write", layout]
    return ["--device", device.part, "--vopt", f"family={device.series}", "--vopt", f"cst={pins}", *ends]


GOWIN = Family(
    name="gowin",
    recipe=Recipe(
        _mapper,
        cells=(
            ("LUT[1-4]", Usage(luts=1)),
            ("ALU", Usage(luts=1, carries=1)),
            ("RAM16S.*", Usage(luts=4, lutrams=1)),
            ("DFF.*|DL.*", Usage(ffs=1)),
            ("(SP|SDP|DP|p?ROM)(B|X9|X9B)?", Usage(brams=1)),
            ("MULT.*|PADD.*", Usage(dsps=1)),
        ),
        # Pads for the top alone: the mapper would put them around the accelerator as well.
        finish=("iopadmap -bits -inpad IBUF O:I -outpad OBUF I:O",),
    ),
    memories=Memories(
        block=(MemoryCell(14, (1, 2, 4, 9, 18, 36), 128, blocks=1, byte=9),),
        lut=(MemoryCell(4, (4,), 4, lutrams=1, scaled=True),),
    ),
    multipliers=Multipliers(least_factor_bits=3),
    prices=fitted_prices("gowin"),
    # A flip-flop can only follow its own cell's LUT. 0.62 of them have a cell of their own, but the placer needs room.
    room=Room(1.0, Usage(luts=760, ffs=560, brams=2)),
    plls=_plls,
    pins=PinFile("cst", _pin_lines),
    placer=Placer("nextpnr-himbaechel-gowin", _place),
    packer=Packer(
        program="gowin_pack",
        package="apycula",
        module="apycula.gowin_pack",
        call="main()",
        layout="routed.json",
        bitstream="fs",
        words=lambda device, layout, bitstream: ["-d", device.series, "-o", bitstream, layout],
    ),
    models=Models(
        ("gowin/cells_sim.v",),
        own=(MODELS / "gowin.v", MODELS / "block_ram.v"),
        routed=Routed(lambda kind, parameters, pin: False, restore),
    ),
)
