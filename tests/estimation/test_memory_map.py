"""Where memories go, held to what Yosys makes of them."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.resources import LIBRARIES
from hwgen.devices.ecp5 import ECP5
from hwgen.devices.families import FAMILIES
from hwgen.devices.family import Family
from hwgen.devices.gatemate import GATEMATE
from hwgen.devices.gowin import GOWIN
from hwgen.devices.ice40 import ICE40
from hwgen.devices.nexus import NEXUS
from hwgen.devices.xilinx7 import XILINX7
from hwgen.estimation.memory_map import MappedMemory, place
from hwgen.fold import MemoryStyle
from hwgen.rtl_templates.cost import MemoryKind, MemoryShape
from hwgen.tools.toolchain import yosys


def blocks(family: Family, depth: int, width: int, kind: MemoryKind = MemoryKind.ROM) -> float:
    return place(family.memories, MemoryShape("m", depth, width, MemoryStyle.BLOCK, kind)).blocks


@pytest.mark.parametrize(
    ("depth", "width", "number"),
    [(256, 16, 1), (256, 17, 2), (512, 8, 1), (512, 9, 2), (1024, 4, 1), (2048, 2, 1), (257, 16, 2), (3136, 64, 52)],
)
def test_a_block_ram_of_ice40_is_16_bits_wide_or_deeper_and_narrower(depth: int, width: int, number: int) -> None:
    assert blocks(ICE40, depth, width) == number


@pytest.mark.parametrize(("family", "number"), [(ECP5, 1), (GOWIN, 1), (NEXUS, 1), (XILINX7, 0.5)])
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
    assert blocks(GATEMATE, depth, width) == number


def test_only_cells_that_do_not_give_old_words_need_logic_around_them_for_a_window() -> None:
    window = MemoryShape("w", 200, 32, MemoryStyle.BLOCK, MemoryKind.WINDOW)
    assert {family for family in FAMILIES.values() if place(family.memories, window).old_word} == {
        *FAMILIES.values()
    } - {NEXUS}
    assert not place(ECP5.memories, MemoryShape("w", 16, 8, MemoryStyle.DISTRIBUTED, MemoryKind.WINDOW)).old_word


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


@pytest.mark.parametrize("name", LIBRARIES)
def test_memories_of_any_size_go_where_yosys_puts_them(name: str, tmp_path: Path) -> None:
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
    library = LIBRARIES[name]
    commands = ["read_verilog memories.v", "proc", "opt", "memory -nomap", f"memory_libmap {library.files}"]
    commands += [f"setparam -set INIT 1'h0 {library.cells}", "write_json cells.json"]
    yosys(commands, tmp_path, tmp_path / "yosys.log")
    modules = json.loads((tmp_path / "cells.json").read_text())["modules"]
    for module, memory in memories.items():
        placed, found = place(FAMILIES[name].memories, memory), [0.0, 0.0]
        for cell in modules[module]["cells"].values():
            mode = str(cell["parameters"].get("OPTION_MODE", "")).strip()
            if "LUTRAM" in cell["type"] or "DPR16X4" in cell["type"]:
                found[1] += 1
            elif cell["type"].startswith("$__"):
                found[0] += {"20K": 0.5, "CASCADE": 2}.get(mode, 1)
        assert (placed.blocks, placed.lutrams) == tuple(found), memory


def test_small_buffers_go_to_lut_ram_where_there_is_one_and_to_block_ram_where_there_is_none() -> None:
    buffer = MemoryShape("b", 16, 8, MemoryStyle.DISTRIBUTED)
    assert place(ECP5.memories, buffer).lutrams == 2
    assert place(GOWIN.memories, buffer).lutrams == 2
    assert place(ICE40.memories, buffer).blocks == 1
    assert place(ICE40.memories, MemoryShape("b", 4, 8, MemoryStyle.DISTRIBUTED)).in_logic


@pytest.mark.parametrize(
    ("family", "depth", "width", "cells"),
    [
        *[(family, *shape) for family in (ECP5, GOWIN, NEXUS) for shape in ((16, 4, 1), (16, 5, 2), (17, 4, 2))],
        *[(XILINX7, *shape) for shape in ((32, 6, 1), (32, 7, 2), (64, 3, 1), (64, 4, 2), (65, 3, 2))],
    ],
    ids=str,
)
def test_a_cell_of_lut_ram_has_its_size(family: Family, depth: int, width: int, cells: int) -> None:
    queue = MemoryShape("q", depth, width, MemoryStyle.DISTRIBUTED, MemoryKind.QUEUE)
    assert place(family.memories, queue).lutrams == cells


def test_a_queue_is_never_block_ram() -> None:
    queue = MemoryShape("q", 60, 8, MemoryStyle.DISTRIBUTED, MemoryKind.QUEUE)
    assert place(ICE40.memories, queue).in_logic
    assert place(ECP5.memories, queue).lutrams == 8


@pytest.mark.parametrize(
    ("depth", "width", "number"),
    [
        *[(16384, 15, 1), (16384, 16, 1), (16384, 17, 2), (16384, 32, 2), (16384, 33, 3)],
        *[(16385, 16, 2), (16385, 17, 4), (16385, 32, 4), (16385, 33, 6), (2, 1, 1), (32768, 16, 2), (32769, 16, 3)],
    ],
)
def test_large_rams_are_16_bits_by_16_k(depth: int, width: int, number: int) -> None:
    placed = place(ICE40.memories, MemoryShape("w", depth, width, MemoryStyle.SPRAM))
    assert placed == MappedMemory(sprams=number)


def test_one_word_is_no_memory() -> None:
    assert place(ICE40.memories, MemoryShape("w", 1, 17, MemoryStyle.BLOCK)) == MappedMemory(in_logic=True)
