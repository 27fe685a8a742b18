"""What sums consist of, held to the units that are built."""

from __future__ import annotations

import re

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.lib import wiring

from hwgen.rtl_templates.compute.adder_tree import AdderTree
from hwgen.rtl_templates.compute.plane_sum import PlaneSum
from hwgen.rtl_templates.compute.shared_rows import SharedRows


def built(unit: wiring.Component) -> tuple[int, int]:
    """Give the flip-flops and the adders of a unit, without the registers that pass on a zero."""
    bits = adders = 0
    for module in rtlil.convert(unit, emit_src=False).split("\nmodule "):
        adders += len(re.findall(r"cell \$add ", module))
        zeros = {"1'0"}
        cells = [
            dict(re.findall(r"\\(WIDTH|D|Q) (\S+)", cell))
            for cell in re.findall(r"cell \$dff .*?\n((?:.*\n)*?)\s+end\n", module)
        ]
        for _ in cells:
            zeros |= {cell["Q"] for cell in cells if cell["D"] in zeros}
        bits += sum(int(cell["WIDTH"]) for cell in cells if cell["Q"] not in zeros)
    return bits, adders


@pytest.mark.parametrize("planes", [(1,), (2,), (3,), (7,), (48,), (49,), (5, 5), (9, 18, 9), (2, 2), (16,) * 8])
@pytest.mark.parametrize("spare", [False, True])
@pytest.mark.parametrize("registers", [range(0), range(1, 9, 2)])
def test_plane_sums(planes: tuple[int, ...], spare: bool, registers: range) -> None:
    if spare and planes[0] < 2:
        return
    levels = tuple(level for level in registers if level <= PlaneSum.levels(planes, spare))
    sums = PlaneSum.sums(planes, spare, levels)
    unit = PlaneSum(list(planes), spare=spare, registers=levels)
    flipflops, adders = built(unit)
    # Above the popcounts the lowest plane's carry is kept even if it is always zero, as another unit's may be.
    idle = sum(level > PlaneSum.height_of(planes, spare) for level in levels) * (not spare)
    assert sums.adders.total() == adders
    assert flipflops - idle <= sums.flipflops <= flipflops
    assert 0 <= sums.lone <= sums.flipflops


@pytest.mark.parametrize("operands", [1, 2, 3, 7, 16])
@pytest.mark.parametrize("bounds", [(0, 255), (-128, 127), (0, 1)])
def test_trees(operands: int, bounds: tuple[int, int]) -> None:
    registers = tuple(range(1, AdderTree.levels(operands) + 1, 2))
    sums = AdderTree.sums(*bounds, operands, registers)
    assert (sums.flipflops, sums.adders.total()) == built(AdderTree([bounds] * operands, registers=registers))


@pytest.mark.parametrize(("rows", "columns"), [(1, 9), (2, 5), (3, 40), (8, 18), (10, 64)])
def test_shared_rows(rows: int, columns: int) -> None:
    weights = (np.random.default_rng(rows).integers(0, 2, (rows, columns)) > 0).tolist()
    sums = SharedRows.sums(weights)
    assert (sums.flipflops, sums.adders.total()) == built(SharedRows(weights))


def test_an_adder_of_a_whole_tree_carries_in_and_out() -> None:
    # Two triples and a bit that rides on the adder's carry: 3 + 3 + 1 in three bits, of which the top one is a carry.
    assert dict(PlaneSum.sums((7,), False, ()).adders) == {(3, True, True): 1}
    assert dict(AdderTree.sums(0, 1, 3, ()).adders) == {(2, False, True): 1, (2, False, False): 1}
