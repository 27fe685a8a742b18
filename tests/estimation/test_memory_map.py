"""Where memories go, held to what Yosys makes of them."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.resources import LIBRARIES
from hwgen.devices.boards import Family
from hwgen.estimation.memory_map import place
from hwgen.fold import MemoryStyle
from hwgen.layers.costs import MemoryKind, MemoryShape
from hwgen.tools.toolchain import yosys


def blocks(family: Family, depth: int, width: int, kind: MemoryKind = MemoryKind.ROM) -> float:
    return place(family, MemoryShape("m", depth, width, MemoryStyle.BLOCK, kind)).blocks


@pytest.mark.parametrize(
    ("depth", "width", "number"),
    [(256, 16, 1), (256, 17, 2), (512, 8, 1), (512, 9, 2), (1024, 4, 1), (2048, 2, 1), (257, 16, 2), (3136, 64, 52)],
)
def test_a_block_ram_of_ice40_is_16_bits_wide_or_deeper_and_narrower(depth: int, width: int, number: int) -> None:
    assert blocks(Family.ICE40, depth, width) == number


@pytest.mark.parametrize(
    ("family", "number"), [(Family.ECP5, 1), (Family.GOWIN, 1), (Family.NEXUS, 1), (Family.XILINX7, 0.5)]
)
def test_one_of_18_kbit_is_36_bits_wide(family: Family, number: float) -> None:
    assert blocks(family, 512, 36) == number
    assert blocks(family, 512, 37) == 2 * number
    assert blocks(family, 2048, 9) == number


@pytest.mark.parametrize(
    ("depth", "width", "number"),
    [
        *[(512, 40, 0.5), (512, 41, 1), (512, 80, 1), (512, 81, 1.5), (1024, 20, 0.5), (2048, 10, 0.5)],
        *[(4096, 5, 0.5), (8192, 2, 0.5), (16384, 1, 0.5), (32768, 1, 1), (65536, 1, 2), (3136, 64, 6.5)],
    ],
)
def test_a_block_ram_of_gatemate_is_one_of_40_kbit_or_half_of_it(depth: int, width: int, number: float) -> None:
    assert blocks(Family.GATEMATE, depth, width) == number


def test_only_cells_that_do_not_give_old_words_need_logic_around_them_for_a_window() -> None:
    window = MemoryShape("w", 200, 32, MemoryStyle.BLOCK, MemoryKind.WINDOW)
    assert {family for family in Family if place(family, window).old_word} == {*Family} - {Family.NEXUS}
    assert not place(Family.ECP5, MemoryShape("w", 16, 8, MemoryStyle.DISTRIBUTED, MemoryKind.WINDOW)).old_word


def verilog(name: str, memory: MemoryShape) -> str:
    """Write a memory as the units' text has it."""
    bits = max(1, (memory.depth - 1).bit_length())
    style = '(* ram_style = "block" *)' if memory.style is MemoryStyle.BLOCK else ""
    check = "(* no_rw_check *)" if memory.kind is MemoryKind.BUFFER else ""
    return (
        f"module {name}(input clk, we, re, input [{bits - 1}:0] wa, ra, input [{memory.width - 1}:0] d, output reg [{memory.width - 1}:0] q);\n"
        f"{style} {check} reg [{memory.width - 1}:0] words [0:{memory.depth - 1}];\n"
        "always @(posedge clk) begin if (we) words[wa] <= d; if (re) q <= words[ra]; end\nendmodule\n"
    )


@pytest.mark.parametrize("family", LIBRARIES)
def test_memories_of_any_size_go_where_yosys_puts_them(family: Family, tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    depths = (2, 5, 16, 17, 33, 64, 100, 196, 256, 300, 512, 784, 1025, 2048, 3136, 8192, 16384, 20000)
    widths = (1, 2, 3, 4, 5, 7, 8, 9, 10, 16, 18, 20, 21, 36, 37, 40, 41, 49, 72, 80, 81, 98, 128)
    memories = {
        f"memory{number}": MemoryShape("m", int(random.choice(depths)), int(random.choice(widths)), style, kind)
        for number, (style, kind) in enumerate(
            12
            * [
                (MemoryStyle.BLOCK, MemoryKind.BUFFER),
                (MemoryStyle.DISTRIBUTED, MemoryKind.BUFFER),
                (MemoryStyle.DISTRIBUTED, MemoryKind.WINDOW),
            ]
        )
    }
    memories = {name: memory for name, memory in memories.items() if memory.depth * memory.width < 1 << 18}
    (tmp_path / "memories.v").write_text("".join(verilog(name, memory) for name, memory in memories.items()))
    library = LIBRARIES[family]
    commands = ["read_verilog memories.v", "proc", "opt", "memory -nomap", f"memory_libmap {library.files}"]
    commands += [f"setparam -set INIT 1'h0 {library.cells}", "write_json cells.json"]
    yosys(commands, tmp_path, tmp_path / "yosys.log")
    modules = json.loads((tmp_path / "cells.json").read_text())["modules"]
    for name, memory in memories.items():
        placed, found = place(family, memory), [0.0, 0.0]
        for cell in modules[name]["cells"].values():
            mode = str(cell["parameters"].get("OPTION_MODE", "")).strip()
            if "LUTRAM" in cell["type"] or "DPR16X4" in cell["type"]:
                found[1] += 1
            elif cell["type"].startswith("$__"):
                found[0] += {"20K": 0.5, "CASCADE": 2}.get(mode, 1)
        assert (placed.blocks, placed.lutrams) == tuple(found), memory


def test_small_buffers_go_to_lut_ram_where_there_is_one_and_to_block_ram_where_there_is_none() -> None:
    buffer = MemoryShape("b", 16, 8, MemoryStyle.DISTRIBUTED)
    assert place(Family.ECP5, buffer).lutrams == 2
    assert place(Family.GOWIN, buffer).lutrams == 2
    assert place(Family.ICE40, buffer).blocks == 1
    assert place(Family.ICE40, MemoryShape("b", 4, 8, MemoryStyle.DISTRIBUTED)).in_logic


def test_a_queue_is_never_block_ram() -> None:
    queue = MemoryShape("q", 60, 8, MemoryStyle.DISTRIBUTED, MemoryKind.QUEUE)
    assert place(Family.ICE40, queue).in_logic
    assert place(Family.ECP5, queue).lutrams == 8


def test_large_rams_are_16_bits_by_16_k_and_one_word_is_no_memory() -> None:
    assert place(Family.ICE40, MemoryShape("w", 16385, 17, MemoryStyle.SPRAM)).sprams == 4
    assert place(Family.ICE40, MemoryShape("w", 1, 17, MemoryStyle.BLOCK)).in_logic
