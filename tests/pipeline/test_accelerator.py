"""The top component: ports, whole networks on the predicted cycles, tlast, and reset in the middle of a frame."""

import random
import re
from dataclasses import replace

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.sim import Simulator

from hwgen.activation import Lookup, Positions, Thresholds
from hwgen.codes import BIPOLAR, CodeType, signed, unsigned
from hwgen.errors import OptionError
from hwgen.fold import Fold, WindowStyle
from hwgen.layers.argmax import ArgMax
from hwgen.layers.combine import Combine, Operation
from hwgen.layers.concat import Concat
from hwgen.layers.conv import Conv
from hwgen.layers.interleave import Interleave
from hwgen.layers.table import Table
from hwgen.layers.thresholding import Thresholding
from hwgen.layers.window import Window
from hwgen.network import InputPort, Network, OutputPort, check
from hwgen.pipeline.accelerator import accelerator
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.pipeline.layout import lay_out
from hwgen.plan import Plan
from hwgen.timing.predict import Deadlock
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
        "tiny", (port,), layers, (OutputPort("y", "winner", (2, 3, 1), (0, 1, 2), "int64", np.ones(1), np.zeros(1)),)
    )
    check(network)
    return Plan(network, {"quantise": Fold(pe=2), "curve": Fold(pe=3), "winner": Fold(pe=6)})


def residual_plan():
    """Give blocks within blocks on a small map: convolutions beside shortcuts, a map read three times, maps of other depths side by side."""
    shape, draw = (4, 5, 4), np.random.default_rng(3)
    layers = []

    def add(layer):
        layers.append(layer)
        return layer.name

    def conv(name, source, kind, rows=4):
        weights = draw.choice(np.array([-1, 1]), size=(rows, 3, 3, 4))
        reach = 36 * max(abs(kind.low), kind.high)
        window = Window((3, 3), pads=(1, 1, 1, 1))
        return add(Conv(name, source, shape, kind, weights, window, 0, None, CodeType(-reach, reach)))

    def sign(name, source, kind):
        levels = Thresholds(draw.integers(-3, 4, size=(1, 4, 1)), Positions.uniform(4, 5))
        return add(Thresholding(name, source, shape, kind, levels, (False,) * 4, BIPOLAR))

    wide = CodeType(-36, 36)
    sign("first", "x", unsigned(3))
    conv("outer0", "first", BIPOLAR)
    sign("inner_in", "outer0", wide)
    conv("inner0", "inner_in", BIPOLAR)
    factors = np.array([[1] * 4, [1, -1, 3, 2]])
    inner_type = CodeType(-39, 39)
    add(Combine("inner_sum", ("inner0", "inner_in"), shape, (wide, BIPOLAR), Operation.ADD, factors, inner_type))
    kinds = (inner_type, wide, unsigned(3))
    outer_type = CodeType(-39 - 36, 39 + 36 + 7)
    ones = np.ones((3, 4), dtype=np.int64)
    add(Combine("outer_sum", ("inner_sum", "outer0", "x"), shape, kinds, Operation.ADD, ones, outer_type))
    add(Concat("all", ("outer_sum", "first"), (shape, shape), (outer_type, BIPOLAR), outer_type))
    add(Interleave("woven", ("all", "all"), (4, 5, 8), outer_type, (2, 1)))
    port = InputPort("x", shape, (0, 1, 2), shape, unsigned(3))
    output = OutputPort("y", "woven", (8, 5, 8), (0, 1, 2), "int64", np.ones(8), np.zeros(8))
    network = Network("residual", (port,), tuple(layers), (output,))
    check(network)
    folds = {
        "first": Fold(pe=2),
        "outer0": Fold(pe=1, simd=4),
        "inner_in": Fold(pe=4),
        "inner0": Fold(pe=2, simd=36, window=WindowStyle.PARALLEL),
        "inner_sum": Fold(pe=2),
        "outer_sum": Fold(pe=1),
        "all": Fold(pe=8),
        "woven": Fold(pe=4),
    }
    return size_fifos(Plan(network, folds))


def heads_plan():
    """Give three heads of other shapes and types on one trunk: a wide one, one that narrows the map, and the trunk itself."""
    shape, draw = (4, 3, 4), np.random.default_rng(5)
    weights = draw.choice(np.array([-1, 1]), size=(6, 3, 3, 4))
    levels = Thresholds(draw.integers(-3, 4, size=(1, 4, 1)), Positions.uniform(4, 3))
    trunk = Thresholding("trunk", "x", shape, unsigned(3), levels, (False,) * 4, BIPOLAR)
    boxes = Conv("boxes", "trunk", shape, BIPOLAR, weights, Window((3, 3)), 0, None, CodeType(-36, 36))
    classes = ArgMax("classes", "boxes", boxes.out_shape, boxes.out_type)
    sources = {"box": boxes, "class": classes, "feature": trunk}
    outputs = []
    for name, layer in sources.items():
        ones = np.ones(layer.out_shape[2])
        outputs.append(OutputPort(name, layer.name, layer.out_shape, (0, 1, 2), "int64", ones, 0 * ones))
    network = Network(
        "heads", (InputPort("x", shape, (0, 1, 2), shape, unsigned(3)),), (trunk, boxes, classes), tuple(outputs)
    )
    check(network)
    return size_fifos(Plan(network, {"trunk": Fold(pe=4), "boxes": Fold(pe=3, simd=4), "classes": Fold(pe=6)}))


def inputs_plan():
    """Give three inputs of other shapes and types: a map that is convolved, a vector that is joined with it, and one that also leaves as it came."""
    draw = np.random.default_rng(6)
    shapes = {"image": (4, 3, 2), "vector": (1, 1, 12), "spare": (1, 2, 3)}
    kinds = {"image": unsigned(3), "vector": signed(6), "spare": BIPOLAR}
    bits = np.array([-1, 1])
    conv = Conv(
        "conv",
        "image",
        shapes["image"],
        kinds["image"],
        draw.choice(bits, size=(12, 4, 3, 2)),
        Window((4, 3)),
        0,
        None,
        CodeType(-7 * 24, 7 * 24),
    )
    fold = Conv(
        "fold",
        "spare",
        shapes["spare"],
        BIPOLAR,
        draw.choice(bits, size=(12, 1, 2, 3)),
        Window((1, 2)),
        0,
        None,
        CodeType(-6, 6),
    )
    kinds_joined = (conv.out_type, kinds["vector"], fold.out_type)
    ones = np.ones((3, 12), dtype=np.int64)
    total = Combine("total", ("conv", "vector", "fold"), (1, 1, 12), kinds_joined, Operation.ADD, ones, BIPOLAR)
    lows, highs = total.result_range()
    total = replace(total, out_type=CodeType(int(lows.min()), int(highs.max())))
    inputs = tuple(InputPort(name, shape, (0, 1, 2), shape, kinds[name]) for name, shape in shapes.items())
    outputs = (
        OutputPort("y", "total", (1, 1, 12), (0, 1, 2), "int64", np.ones(12), np.zeros(12)),
        OutputPort("z", "spare", (1, 2, 3), (0, 1, 2), "int64", np.ones(3), np.zeros(3)),
    )
    network = Network("three_inputs", inputs, (conv, fold, total), outputs)
    check(network)
    return size_fifos(Plan(network, {"conv": Fold(pe=4, simd=2), "fold": Fold(pe=2, simd=3), "total": Fold(pe=4)}))


PLANS = [dense_plan, channelwise_plan, residual_plan, heads_plan, inputs_plan]


def beats(kind, codes, lanes):
    """Pack codes into beats."""
    rows = kind.to_bits(codes).reshape(-1, lanes).tolist()
    return [sum(field << lane * kind.bits for lane, field in enumerate(row)) for row in rows]


def stimulus(plan, frames):
    """Give the beats of random frames, and those that golden answers."""
    network, pipeline = plan.network, lay_out(plan)
    source, sink = pipeline.source, pipeline.sink
    random = np.random.default_rng(frames)
    codes = [random_codes(random, port.type, (frames, *port.shape)) for port in network.inputs]
    maps = network.golden_maps(*codes)
    sent, expected = [], []
    for frame in range(frames):
        for beat_list, parts, given in ((sent, source.parts, codes), (expected, sink.parts, maps)):
            for part, one in zip(parts, given, strict=True):
                beat_list += beats(part.type, one[frame], part.lanes)
    return sent, expected


def rtl(plan, sent, frames, *, stall=0.0, reset_at=None, wrong_tlast=None):
    """Send beats through the AXI4-Stream ports.

    A reset sends all beats anew, then with every ``tlast`` right. Returns output beats, their ``tlast``, the cycles of
    both ports' transfers from the first input on, and ``frame_error`` at the end.
    """
    top = accelerator(lay_out(plan))
    per_frame = len(sent) // frames
    outputs = frames * top.frame_beats_out
    results, lasts, taken, given, errors = [], [], [], [], []

    async def bench(ctx):
        rng = random.Random(7)
        place, offered, cycle, wrong_beat = 0, False, 0, wrong_tlast
        while len(results) < outputs:
            assert cycle < 5_000, "no end"
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


@pytest.mark.parametrize("make_plan", PLANS)
def test_values_and_every_cycle_are_predicted(make_plan):
    plan, frames = make_plan(), 4
    sent, expected = stimulus(plan, frames)
    results, lasts, taken, given, error = rtl(plan, sent, frames)
    prediction = lay_out(plan).predict(frames)
    assert results == expected
    assert taken == prediction.transfers[0].tolist()
    assert given == prediction.transfers[-1].tolist()
    per_frame = len(expected) // frames
    assert lasts == [beat % per_frame == per_frame - 1 for beat in range(len(expected))]
    assert error == 0


@pytest.mark.parametrize("make_plan", PLANS)
@pytest.mark.parametrize("reset_at", [None, 1, 17, 40])
def test_stalls_and_reset_at_any_cycle(make_plan, reset_at):
    plan = make_plan()
    sent, expected = stimulus(plan, 3)
    results, *_ = rtl(plan, sent, 3, stall=0.4, reset_at=reset_at)
    assert results == expected


@pytest.mark.parametrize("make_plan", [dense_plan, inputs_plan])
@pytest.mark.parametrize("wrong", [0, 2, 5])
def test_a_wrong_tlast_is_flagged_and_moves_no_data(make_plan, wrong):
    plan = make_plan()
    sent, expected = stimulus(plan, 2)
    results, _, _, _, error = rtl(plan, sent, 2, wrong_tlast=wrong)
    assert results == expected
    assert error == 1


def test_reset_clears_the_frame_error():
    plan = dense_plan()
    sent, expected = stimulus(plan, 4)
    results, _, _, _, error = rtl(plan, sent, 4, wrong_tlast=0, reset_at=3)
    assert (results, error) == (expected, 0)


@pytest.mark.parametrize("make_plan", PLANS)
def test_the_modules_of_top_and_stages_have_readable_ports(make_plan):
    plan = make_plan()
    top = accelerator(lay_out(plan))
    assert len(top.s_axis_tdata) % 8 == len(top.m_axis_tdata) % 8 == 0
    text = rtlil.convert(top, name=plan.network.name, emit_src=False)
    modules = {}
    for module in re.split(r"^(?=module )", text, flags=re.MULTILINE)[1:]:
        name = re.match(r"module \\(\S+)", module)[1]
        modules[name] = list(re.findall(r"^  wire.* (?:input|output) \d+\s+\\(\S+)$", module, re.MULTILINE))
    assert set(modules[plan.network.name]) == PORTS
    for stage in lay_out(plan).stages:
        ins = ["i"] if len(stage.reads) == 1 else [f"i_{k}" for k, _ in enumerate(stage.reads)]
        outlets = stage.timing().outlets
        outs = ["o"] if len(outlets) == 1 else [f"o_{k}" for k, _ in enumerate(outlets)]
        stream = {f"{port}__{wire}" for port in (*ins, *outs) for wire in ("valid", "ready", "payload")}
        # Where a port goes straight to a unit within the stage, Amaranth may call it by that unit's name for it.
        found = [re.sub(r"\$\d+$", "", port) for port in modules[f"{plan.network.name}.{stage.name}"]]
        assert len([port for port in found if port != "busy"]) == len(stream) + 2
        assert all(re.fullmatch(r"[a-z]\w+", port) and not port.startswith("port") for port in found)


def assert_slower_as_predicted(plan, shallow):
    """Hold a plan with a shallower FIFO to its prediction, which is worse than the plan's."""
    frames = 3
    sent, expected = stimulus(shallow, frames)
    results, _, taken, given, _ = rtl(shallow, sent, frames)
    prediction = lay_out(shallow).predict(frames)
    assert results == expected
    assert (taken, given) == (prediction.transfers[0].tolist(), prediction.transfers[-1].tolist())
    assert np.any(prediction.transfers[-1] > lay_out(plan).predict(frames).transfers[-1])


@pytest.mark.parametrize("branch", [("x", "outer_sum.2"), ("x", "first"), ("first", "all.1")])
def test_a_branch_that_is_a_beat_too_short_slows_the_network_by_exactly_what_is_predicted(branch):
    plan = residual_plan()
    shallow = replace(plan, depths={**plan.depths, branch: plan.depths[branch] - 1})
    assert_slower_as_predicted(plan, shallow)


@pytest.mark.parametrize("branch", [("outer0", "outer_sum.1"), ("inner_in", "inner_sum.1"), ("all", "woven.1")])
def test_a_branch_that_is_a_beat_too_short_for_its_joint_stops_the_network_as_predicted(branch):
    plan = residual_plan()
    shallow = replace(plan, depths={**plan.depths, branch: plan.depths[branch] - 1})
    with pytest.raises(Deadlock):
        lay_out(shallow).predict(3)
    with pytest.raises(OptionError, match=f"the branch from '{branch[0]}' to '{branch[1]}' holds only"):
        size_fifos(shallow)
    sent, _ = stimulus(shallow, 3)
    with pytest.raises(AssertionError, match="no end"):
        rtl(shallow, sent, 3)


@pytest.mark.parametrize("name", ["image", "vector"])
def test_an_input_s_fifo_that_is_a_beat_too_short_slows_the_network_by_exactly_what_is_predicted(name):
    plan = inputs_plan()
    shallow = replace(plan, depths={**plan.depths, (name, None): plan.depths[name, None] - 1})
    assert_slower_as_predicted(plan, shallow)


def test_an_input_that_cannot_wait_for_those_behind_it_stops_the_network_as_predicted():
    plan = inputs_plan()
    shallow = replace(plan, depths={**plan.depths, ("vector", None): 2})
    with pytest.raises(Deadlock):
        lay_out(shallow).predict(3)
    enough = plan.depths["vector", None]
    with pytest.raises(
        OptionError, match=f"input 'vector' holds only 2 beats; give it {enough}, or leave its depth open"
    ):
        size_fifos(shallow)
    sent, _ = stimulus(shallow, 3)
    with pytest.raises(AssertionError, match="no end"):
        rtl(shallow, sent, 3)


@pytest.mark.parametrize(
    ("depths", "message"),
    [
        ({("vector", None): 0}, "Input 'vector' needs a FIFO of at least 1 beat, not 0"),
        ({("vectr", None): 3}, "sizes the FIFO of input 'vectr', but the network has 'image', 'vector', 'spare'"),
    ],
)
def test_depths_of_inputs_without_meaning_are_refused(depths, message):
    with pytest.raises(OptionError, match=message):
        replace(inputs_plan(), depths=depths)
    with pytest.raises(OptionError, match="sizes the FIFO of input 'x', but the network has none"):
        replace(dense_plan(), depths={("x", None): 2})
