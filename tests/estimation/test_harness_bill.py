"""The harness that is estimated, and the one that is built."""

from __future__ import annotations

import pytest
from amaranth.hdl import Fragment

import hwgen
from hwgen.devices.usage import Usage
from hwgen.estimation.harness_bill import harness_usage
from hwgen.pipeline.accelerator import accelerator
from hwgen.pipeline.layout import lay_out
from hwgen.synthesis.harness import CLOCK_PORT
from tests.small_networks import mlp
from tests.test_network import TWO_INPUTS


@pytest.mark.parametrize("network", [mlp(24, 16, 6), TWO_INPUTS])
@pytest.mark.parametrize("more", [{}, {"axi_lite": True}, {"writable": "all"}])
def test_every_bit_of_a_port_but_the_clock_is_a_flip_flop_and_of_an_output_a_choice(network, more: dict) -> None:
    if more.get("writable") and network is TWO_INPUTS:
        more = {"writable": "dense"}
    pipeline = lay_out(hwgen.plan(network, min_area=True, **more))
    unit = accelerator(pipeline)
    Fragment.get(unit, None)
    members = unit.signature.members
    bits = {flow: sum(port.shape for name, port in members.items() if port.flow.name == flow) for flow in ("In", "Out")}
    assert CLOCK_PORT in members
    assert harness_usage(pipeline) == Usage(luts=bits["Out"], ffs=bits["In"] - 1 + bits["Out"])
