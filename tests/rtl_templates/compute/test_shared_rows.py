"""Rows that share sums: each equals the count of its own inputs."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from hwgen.rtl_templates.compute.shared_rows import SharedRows


def ref(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.sum(x[:, None, :] == weights[None], axis=2)


def rtl(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    unit = SharedRows(weights.tolist())
    latency, totals = len(unit.registers), []

    async def feed(ctx):
        for cycle, vector in enumerate([*x, *[x[0]] * latency]):
            ctx.set(unit.i, sum(int(bit) << column for column, bit in enumerate(vector)))
            if latency == 0:
                await ctx.delay(1e-7)
            if cycle >= latency:
                totals.append([ctx.get(getattr(unit, f"o_{row}")) for row in range(len(weights))])
            if latency:
                await ctx.tick()

    simulator = Simulator(unit)
    if latency:
        simulator.add_clock(1e-6)
    simulator.add_testbench(feed)
    simulator.run()
    return np.array(totals) + SharedRows.row_constants(weights.tolist())


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("columns", [1, 2, 3, 5, 17, 40])
def test_every_row_is_its_own_count(rows: int, columns: int):
    random = np.random.default_rng(rows * columns)
    weights = random.integers(0, 2, (rows, columns)) > 0
    x = np.concatenate(
        [np.zeros((1, columns)), np.ones((1, columns)), weights, ~weights, random.random((9, columns)) > 0.5]
    )
    assert np.array_equal(rtl(weights, x > 0), ref(weights, x > 0))


@pytest.mark.parametrize("second", [lambda row: row, lambda row: ~row], ids=["equal", "opposite"])
def test_rows_that_are_alike_have_fewer_classes(second):
    row = np.arange(12) % 3 > 0
    weights = np.array([row, second(row), np.roll(row, 1)])
    x = np.random.default_rng(0).random((20, 12)) > 0.5
    assert np.array_equal(rtl(weights, x), ref(weights, x))
