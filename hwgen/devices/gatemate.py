"""Cologne Chip GateMate."""

from __future__ import annotations

from collections.abc import Iterator

from hwgen.devices.cells import Memories, MemoryCell
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
    fitted_prices,
)
from hwgen.devices.usage import Usage

__all__ = ["GATEMATE"]


def _plls(device: Device, clock: Clock) -> Iterator[Pll]:
    """Whole MHz: the place-and-route program finds the divisors, for clocks up to 125 MHz."""
    if clock.hz > 125e6:
        return
    for mhz in range(10, 251):
        yield Pll(
            cell="CC_PLL",
            hz=mhz * 1_000_000,
            parameters={
                "REF_CLK": f"{clock.hz / 1e6}",
                "OUT_CLK": f"{mhz:.1f}",
                "PERF_MD": "SPEED",
                "LOW_JITTER": 1,
                "CI_FILTER_CONST": 2,
                "CP_FILTER_CONST": 4,
            },
            clock_in="CLK_REF",
            clock_out="CLK0",
            locked="USR_PLL_LOCKED",
            constants={name: (1, 0) for name in ("USR_CLK_REF", "CLK_FEEDBACK", "USR_LOCKED_STDY_RST")},
        )


def _pin_lines(end: PortPin) -> tuple[str, ...]:
    """CCF."""
    way = "out" if end.output else "in"
    pull = "" if end.pull == "NONE" else f" | PULL{end.pull}=true"
    return (f'Pin_{way} "{end.port}" Loc = "{end.pin}"{pull};',)


def _place(device: Device, pins: str, layout: str | None) -> list[str]:
    ends = ["allow-unconstrained"] if layout is None else [f"ccf={pins}", f"out={layout}"]
    return ["--device", device.part, *(word for end in ends for word in ("--vopt", end))]


GATEMATE = Family(
    name="gatemate",
    recipe=Recipe(
        # The device has no multipliers: a cell that stands for one is built of CPEs, and nobody can tell how many.
        lambda device: "synth_gatemate -luttree -nomx8 -nomult -noiopad -noclkbuf",
        # In halves of a CPE, as nextpnr packs them: one that holds a single LUT of two inputs holds nothing else.
        cells=(
            ("CC_L2T4|CC_LUT[1-4]|CC_MX2", Usage(luts=1)),
            ("CC_L2T5|CC_MX4", Usage(luts=2)),
            ("CC_ADDF", Usage(luts=1, carries=1)),
            ("CC_DFF|CC_DLT", Usage(ffs=1)),
            ("CC_BRAM_20K", Usage(brams=0.5)),
            ("CC_BRAM_40K", Usage(brams=1)),
            ("CC_MULT", Usage(dsps=1)),
        ),
        # Its flip-flops have no synchronous reset. Left to the mapper, one with an enable loses that as well: two LUTs a bit instead of none.
        before_memories=("dffunmap -srst-only", "opt_dff -nosdff", "opt_clean"),
        memory_step="map_bram",
        # Pads for the top alone: the mapper would put them around the accelerator as well.
        finish=(
            "iopadmap -bits -inpad CC_IBUF Y:I -outpad CC_OBUF A:O",
            "clkbufmap -buf CC_BUFG O:I",
        ),
    ),
    memories=Memories(
        block=(
            MemoryCell(14, (1, 2, 5, 10, 20, 40), 129, blocks=0.5, byte=1),
            MemoryCell(15, (1, 2, 5, 10, 20, 40, 80), 257, blocks=1, byte=1),
            MemoryCell(16, (1,), 513, blocks=2, byte=1),
        ),
    ),
    prices=fitted_prices("gatemate"),
    # A flip-flop can only follow its own half of a CPE. With them stand the ends of carry chains, and the halves through which a block RAM's
    # pins go: 65 a half of one.
    room=Room(0.9, Usage(luts=1350, ffs=600, brams=1)),
    plls=_plls,
    pins=PinFile("ccf", _pin_lines),
    placer=Placer("nextpnr-himbaechel-gatemate", _place),
    packer=Packer(
        program="gmpack",
        package="yowasp-nextpnr-himbaechel-gatemate",
        module="yowasp_nextpnr_himbaechel_gatemate",
        call="run_gmpack(sys.argv[1:])",
        layout="txt",
        bitstream="bit",
        words=lambda device, layout, bitstream: [layout, bitstream],
    ),
    models=Models(("gatemate/cells_sim.v",)),
)
