"""Write a page for each board from its TOML file and from what was measured on it: ``python -m docs.board_pages``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hwgen.board.line import Line
from hwgen.board.pins import choose_baud
from hwgen.devices.boards import Board, boards
from hwgen.devices.family import Device
from hwgen.devices.pll import pll
from hwgen.errors import OptionError
from hwgen.host.program import command_words

FOLDER = Path(__file__).parent / "boards"
MEASURED = Path(__file__).parent.parent / "benchmarks" / "board_bitstreams.json"


def pages() -> dict[str, str]:
    """Give the text of every page by the name of its file."""
    known = boards()
    rows = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else []
    written = {
        f"{name}.md": page(board, [row for row in rows if row["board"] == name]) for name, board in known.items()
    }
    index = ["# The boards", "", "| board | device | clock MHz | LUT | block RAM kbit |", "|---|---|---|---|---|"]
    for name, board in known.items():
        chip = board.device
        kbit = chip.bram_blocks * chip.bram_bits / 1024
        index.append(
            f"| [{board.title}]({name}.md) | {chip.part} | {board.clock.hz / 1e6:g} | {chip.luts:,} | {kbit:,.0f} |"
        )
    index += ["", "```{toctree}", ":hidden:", *known, "```", ""]
    return written | {"index.md": "\n".join(index)}


def page(board: Board, rows: list[Mapping[str, Any]]) -> str:
    """Give the page of a board."""
    chip, uart = board.device, board.uart
    spi = [] if board.spi is None else [board.spi]
    notes = [one.note for one in (board.clock, uart, *spi) if one.note]
    memory = [f"{chip.bram_blocks} block RAMs of {chip.bram_bits:,} bits"]
    memory += [f"{chip.spram_blocks} large RAMs of {chip.spram_bits:,} bits"] if chip.spram_blocks else []
    memory += [f"{chip.lutram_bits:,} bits of distributed RAM"] if chip.lutram_bits else []
    button = "none: reset at power-up" if board.buttons is None else f"{board.buttons.pins[0]} resets"
    lines = [
        f"# {board.title}",
        "",
        "| | |",
        "|---|---|",
        f"| `--board` | `{board.name}` |",
        f"| device | {chip.part}, {chip.package}{f', speed {chip.speed}' if chip.speed else ''} (`--device {chip.name}`) |",
        f"| logic | {chip.luts:,} LUTs, {chip.ffs:,} flip-flops{f', {chip.dsps} multipliers' if chip.dsps else ''} |",
        f"| memory | {'; '.join(memory)} |",
        f"| clock | {board.clock.hz / 1e6:g} MHz at pin {board.clock.pin}{_multiplied(board)} |",
        f"| serial port | receives at {uart.rx}, sends at {uart.tx}; {choose_baud(board, board.clock.hz):,} baud at the pin's clock |",
        *(
            f"| SPI (`--link spi`) | sclk {one.sclk}, mosi {one.mosi}, miso {one.miso}, cs {one.cs}; up to {choose_baud(board, board.clock.hz, Line.SPI):,} bit/s at the pin's clock |"
            for one in spi
        ),
        f"| button | {button} |",
        f"| LED | {board.leds.pins[0]} blinks about once a second{_steady(board)} |",
        f"| tools | {_tools(chip)}: all from PyPI |",
        f"| loaded by | `{' '.join(command_words(board))}` |",
        "",
        *[f"- {note[0].upper()}{note[1:]}." for note in notes],
        *([""] if notes else []),
        "```",
        f"hwgen compile model.onnx -o build/ --board {board.name}",
        f"hwgen synth build/ --board {board.name}",
        f"hwgen program build/ --board {board.name}",
        "hwgen run build/ --port /dev/ttyUSB0 --input x.npy --check",
        "```",
        "",
    ]
    if rows:
        lines += [
            "## Measured",
            "",
            "| network | cycles a frame | LUT | block RAM | clock MHz | Fmax MHz | frames/s | latency us | energy a frame uJ (estimate, within a factor of three) | seconds to the bitstream (of the processor) |",
            "|---|---|---|---|---|---|---|---|---|---|",
            *[_row(row) for row in rows],
            "",
        ]
    return "\n".join(lines)


def _tools(chip: Device) -> str:
    """Name the programs from Verilog to bitstream."""
    mapper, *_ = chip.family.recipe.mapper(chip).split()
    programs = [one.program for one in (chip.family.placer, chip.family.packer) if one is not None]
    return ", ".join([f"Yosys `{mapper}`", *programs])


def _steady(board: Board) -> str:
    """Say when the LED does not blink."""
    return "" if board.flash is None else "; steadily lit: the memories could not be loaded from the flash"


def _multiplied(board: Board) -> str:
    """Say what a PLL makes of the clock."""
    try:
        pll(board, board.device.clock_goal_mhz * 1e6)
    except OptionError:
        return "; no PLL"
    return f"; a PLL makes others (`--clock-mhz {board.device.clock_goal_mhz:g}`)"


def _row(row: Mapping[str, Any]) -> str:
    numbers = (
        row["network"],
        f"{row['ii']:,}",
        f"{row['luts']:,}",
        f"{row['brams']:,}" + (f" and {row['sprams']} large" if row["sprams"] else ""),
        f"{row['clock_mhz']:g}",
        f"{row['fmax_mhz']:.1f}",
        f"{row['frames_per_second']:,.0f}",
        f"{row['latency_us']:,.1f}",
        "-" if row["energy_uj"] is None else f"{row['energy_uj']:,.1f}",
        f"{row['seconds']:.0f} ({row.get('seconds_processor', '-')})",
    )
    return f"| {' | '.join(numbers)} |"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
