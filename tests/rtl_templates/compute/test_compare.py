"""Comparison by carry: every number with every level, at the ends of the range and beyond."""

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, signed, unsigned
from amaranth.sim import Simulator

from hwgen.rtl_templates.compute.compare import as_level, reaches


@pytest.mark.parametrize(
    ("number", "level"), [(signed(3), signed(3)), (signed(3), signed(4)), (unsigned(3), unsigned(4))]
)
def test_the_carry_tells_whether_a_level_is_reached(number, level):
    numbers, levels = (
        range(-(1 << shape.width - 1), 1 << shape.width - 1) if shape.signed else range(1 << shape.width)
        for shape in (number, level)
    )
    m = Module()
    x, entry, is_reached = Signal(number), Signal(level.width), Signal()
    m.d.comb += is_reached.eq(reaches(x, entry, level))

    async def bench(ctx):
        for bound in levels:
            ctx.set(entry, int(as_level(np.array(bound), level)))
            for value in numbers:
                ctx.set(x, value)
                assert ctx.get(is_reached) == (value >= bound)

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
