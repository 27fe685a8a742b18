"""The top component: ports, whole networks on the predicted cycles, tlast, and reset in the middle of a frame."""

import random
import re

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.sim import Simulator

from hwgen.accelerator import accelerator
from hwgen.activation import Lookup, Positions, Thresholds
from hwgen.codes import CodeType, signed, unsigned
from hwgen.fold import Fold
from hwgen.layers.argmax import ArgMax
from hwgen.layers.table import Table
from hwgen.layers.thresholding import Thresholding
from hwgen.network import InputPort, Network, OutputPort, check
from hwgen.plan import Plan
from hwgen.stages import stages
from hwgen.timing import predict
from tests.random_networks import random_codes
from tests.small_networks import mlp

PORTS = {
    "aclk",
    "aresetn",
    "frame_error",
    *(f"{side}_axis_{wire}" for side in "sm" for wire in ("tdata", "tvalid", "tready", "tlast")),
}


def dense_plan():
    """Give two dense layers, folded, with a width converter between them."""
    return Plan(mlp(18, 8, 3), {"dense0": Fold(pe=2, simd=6), "dense1": Fold(pe=1, simd=4)})


def channelwise_plan():
    """Give layers on a map, whose lanes meet through their least common multiple."""
    shape, where = (2, 3, 6), Positions((0, 1), (0, 1, 0))
    draw = np.random.default_rng(1).integers
    levels = np.sort(draw(0, 32, (where.count, 6, 5)), axis=-1)
    layers = (
        Thresholding(
            "quantise", "x", shape, unsigned(5), Thresholds(levels, where), (True, False) * 3, CodeType(-3, 3)
        ),
        Table(
            "curve",
            "quantise",
            shape,
            CodeType(-3, 3),
            Lookup(draw(-8, 8, (1, 6, 7)), -3, Positions.uniform(2, 3)),
            signed(4),
        ),
        ArgMax("winner", "curve", shape, signed(4)),
    )
    port = InputPort("x", shape, (0, 1, 2), shape, unsigned(5))
    network = Network(
        "tiny", port, layers, OutputPort("y", "winner", (2, 3, 1), (0, 1, 2), "int64", np.ones(1), np.zeros(1))
    )
    check(network)
    return Plan(network, {"quantise": Fold(pe=2), "curve": Fold(pe=3), "winner": Fold(pe=6)})


def beats(kind, codes, lanes):
    """Pack codes into beats."""
    rows = kind.to_bits(codes).reshape(-1, lanes).tolist()
    return [sum(field << lane * kind.bits for lane, field in enumerate(row)) for row in rows]


def stimulus(plan, frames):
    """Give the beats of random frames, and those that golden answers."""
    network, chain = plan.network, stages(plan)
    codes = random_codes(np.random.default_rng(frames), network.input.type, (frames, *network.input.shape))
    expected = beats(network.layers[-1].out_type, network.golden(codes), chain[-1].out_lanes)
    return beats(network.input.type, codes, chain[0].in_lanes), expected


def rtl(plan, sent, frames, *, stall=0.0, reset_at=None, wrong_tlast=None):
    """Send beats through the AXI4-Stream ports.

    A reset sends all beats anew, then with every ``tlast`` right. Returns output beats, their ``tlast``, the cycles of
    both ports' transfers from the first input on, and ``frame_error`` at the end.
    """
    top = accelerator(plan)
    per_frame = len(sent) // frames
    outputs = frames * top.frame_beats_out
    results, lasts, taken, given, errors = [], [], [], [], []

    async def bench(ctx):
        rng = random.Random(7)
        place, offered, cycle, wrong_beat = 0, False, 0, wrong_tlast
        while len(results) < outputs:
            assert cycle < 20_000
            resetting = cycle == reset_at
            if resetting:
                place, offered, wrong_beat = 0, False, None
                for record in (results, lasts, taken, given):
                    record.clear()
            offered = place < len(sent) and (offered or rng.random() >= stall) and not resetting
            ctx.set(top.aresetn, not resetting)
            ctx.set(top.s_axis_tvalid, offered)
            ctx.set(top.s_axis_tdata, sent[place] if offered else 0)
            ctx.set(top.s_axis_tlast, (place % per_frame == per_frame - 1) != (place == wrong_beat))
            ctx.set(top.m_axis_tready, rng.random() >= stall and not resetting)
            if not resetting and ctx.get(top.m_axis_tvalid) and ctx.get(top.m_axis_tready):
                results.append(ctx.get(top.m_axis_tdata))
                lasts.append(ctx.get(top.m_axis_tlast))
                given.append(cycle)
            if offered and ctx.get(top.s_axis_tready):
                taken.append(cycle)
                place, offered = place + 1, False
            for level in (1, 0):
                ctx.set(top.aclk, level)
                await ctx.delay(1e-6)
            cycle += 1
        errors.append(ctx.get(top.frame_error))

    simulator = Simulator(top)
    simulator.add_testbench(bench)
    simulator.run()
    start = taken[0]
    return results, lasts, [cycle - start for cycle in taken], [cycle - start for cycle in given], errors[0]


@pytest.mark.parametrize("make_plan", [dense_plan, channelwise_plan])
def test_values_and_every_cycle_are_predicted(make_plan):
    plan, frames = make_plan(), 4
    sent, expected = stimulus(plan, frames)
    results, lasts, taken, given, error = rtl(plan, sent, frames)
    prediction = predict([stage.timing() for stage in stages(plan)], frames)
    assert results == expected
    assert taken == prediction.transfers[0].tolist()
    assert given == prediction.transfers[-1].tolist()
    per_frame = len(expected) // frames
    assert lasts == [beat % per_frame == per_frame - 1 for beat in range(len(expected))]
    assert error == 0


@pytest.mark.parametrize("make_plan", [dense_plan, channelwise_plan])
@pytest.mark.parametrize("reset_at", [None, 1, 17, 40])
def test_stalls_and_reset_at_any_cycle(make_plan, reset_at):
    plan = make_plan()
    sent, expected = stimulus(plan, 3)
    results, *_ = rtl(plan, sent, 3, stall=0.4, reset_at=reset_at)
    assert results == expected


@pytest.mark.parametrize("wrong", [0, 2, 5])
def test_a_wrong_tlast_is_flagged_and_moves_no_data(wrong):
    plan = dense_plan()
    sent, expected = stimulus(plan, 2)
    results, _, _, _, error = rtl(plan, sent, 2, wrong_tlast=wrong)
    assert results == expected
    assert error == 1


def test_reset_clears_the_frame_error():
    plan = dense_plan()
    sent, expected = stimulus(plan, 4)
    results, _, _, _, error = rtl(plan, sent, 4, wrong_tlast=0, reset_at=3)
    assert (results, error) == (expected, 0)


@pytest.mark.parametrize("make_plan", [dense_plan, channelwise_plan])
def test_the_modules_of_top_and_stages_have_readable_ports(make_plan):
    plan = make_plan()
    top = accelerator(plan)
    assert len(top.s_axis_tdata) % 8 == len(top.m_axis_tdata) % 8 == 0
    text = rtlil.convert(top, name=plan.network.name, emit_src=False)
    modules = {}
    for module in re.split(r"^(?=module )", text, flags=re.MULTILINE)[1:]:
        name = re.match(r"module \\(\S+)", module)[1]
        modules[name] = set(re.findall(r"^  wire.* (?:input|output) \d+\s+\\(\S+)$", module, re.MULTILINE))
    assert modules[plan.network.name] == PORTS
    stream = {f"{side}__{wire}" for side in "io" for wire in ("valid", "ready", "payload")}
    for stage in stages(plan):
        # Where a stage is itself a chain of units, Amaranth numbers the ports that share a name with those of its last unit.
        ports = {re.sub(r"\$\d+$", "", port) for port in modules[f"{plan.network.name}.{stage.name}"]}
        assert ports == {"clk", "rst"} | stream
