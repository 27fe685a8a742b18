"""What is shown of a synthesis."""

from typing import Any

from hwgen.cli.views.synthesis import render_counted, render_synthesis
from tests.cli.shown import shown

NONE = dict.fromkeys(("luts", "ffs", "carries", "brams", "lutrams", "sprams", "dsps"), 0)

MAPPED: dict[str, Any] = {
    "target": "up5k",
    "device": {"part": "UP5K", "package": "sg48"},
    "out_of_context": True,
    "resources": {**NONE, "luts": 1320, "brams": 3},
    "harness": {**NONE, "luts": 20, "ffs": 10},
    "available": {"luts": 5280, "ffs": 5280, "brams": 30},
    "estimated": {"luts": 1400, "ffs": 0},
    "fmax_mhz": None,
    "seconds": {"map": 1.25},
    "cached": False,
    "notes": ["a [note]"],
}

PLACED = {
    **MAPPED,
    "out_of_context": False,
    "fmax_mhz": 23.45,
    "clock_met": False,
    "clock_goal_mhz": 24,
    "seed": 2,
    "frames_per_second_at_fmax": 1234.5,
    "critical_path": {"delay_ns": 42.6, "routing_ns": 20.2, "levels": 7, "units": [f"u{n}" for n in range(9)]},
    "bitstream": "top.bin",
    "link": "uart",
    "baud": 1_000_000,
    "cached": True,
}


def lines(facts: dict[str, Any]) -> list[str]:
    return [" ".join(line.split()) for line in shown(render_synthesis(facts)).splitlines() if line.strip(" ─")]


def test_resources_that_something_takes_have_a_row() -> None:
    assert lines(MAPPED) == [
        "up5k (UP5K sg48), out of context",
        "accelerator estimated harness available",
        "LUTs 1,320 1,400 20 5,280 25%",
        "flip-flops 0 0 10 5,280 0%",
        "block RAMs 3 - 0 30 10%",
        "map 1.2 s",
        "Note: a [note]",
    ]


def test_a_placement_has_a_clock_a_path_and_a_bitstream() -> None:
    found = lines(PLACED)
    assert found[:2] == ["up5k (UP5K sg48)", "accelerator estimated link available"]
    assert found[-5:] == [
        "Fmax 23.4 MHz with seed 2; goal 24 MHz missed; 1,234 frames/s at Fmax",
        "Critical path 42.6 ns, 20.2 ns of it wires, 7 cells: u0 > u1 > u2 > u3 > u4 > u5 > u6 > ... > u8",
        "Bitstream top.bin, serial port at 1,000,000 baud",
        "map 1.2 s (cached)",
        "Note: a [note]",
    ]


def test_a_short_path_is_shown_whole_and_spi_is_said() -> None:
    path = {**PLACED["critical_path"], "units": [f"[u{n}]" for n in range(8)]}
    text = "\n".join(lines({**PLACED, "clock_met": True, "critical_path": path, "link": "spi", "estimated": None}))
    assert "goal 24 MHz met" in text
    assert ": [u0] > [u1] > [u2] > [u3] > [u4] > [u5] > [u6] > [u7]\n" in text
    assert "Bitstream top.bin, SPI up to 1,000,000 bit/s" in text
    assert "LUTs 1,320 - 20 5,280 25%" in text


def test_what_was_estimated_stands_beside_what_was_counted() -> None:
    facts = {
        "device": "up5k",
        "out_of_context": True,
        "estimated": {"luts": 1400, "ffs": 0, "brams": 3},
        "counted": {**NONE, "luts": 1320, "carries": 12, "brams": 3},
        "available": {"luts": 5280, "ffs": 5280, "brams": 30},
        "fmax_mhz": 23.45,
    }

    def found(**more: Any) -> list[str]:
        text = shown(render_counted({**facts, **more}))
        return [" ".join(line.split()) for line in text.splitlines() if line.strip(" \u2500")]

    assert found() == [
        "Synthesised for up5k, placed at 23.4 MHz",
        "estimated counted available",
        "LUTs 1,400 1,320 5,280",
        "carry bits - 12 -",
        "block RAMs 3 3 30",
    ]
    board = found(out_of_context=False, estimated=None, fmax_mhz=None)
    assert board[0] == "Synthesised for up5k on its board"
    assert board[2] == "LUTs - 1,320 5,280"
