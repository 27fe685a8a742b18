"""The shift registers that stand in for pins."""

from __future__ import annotations

from amaranth.hdl import Fragment
from amaranth.lib.wiring import In, Out

from hwgen.synthesis.harness import Harness


def test_an_accelerator_of_any_width_needs_four_pins() -> None:
    harness = Harness("net", {"aclk": (True, 1), "s_axis_tdata": (True, 24), "m_axis_tdata": (False, 40)})
    Fragment.get(harness, None)
    assert dict(harness.signature.members) == {"clk": In(1), "d": In(1), "capture": In(1), "q": Out(1)}
