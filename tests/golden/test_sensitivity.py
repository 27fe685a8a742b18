"""Frames that can tell one weight bit and one threshold from another."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.activation import Lookup, Positions, Thresholds
from hwgen.codes import BIPOLAR, CodeType, unsigned
from hwgen.golden.changes import changes
from hwgen.golden.network import PackedNetwork
from hwgen.golden.sensitivity import Effort, choose_frames
from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from hwgen.layers.matmul import MatMul
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.table import Table
from hwgen.layers.window import Window
from hwgen.network import InputPort, Network, OutputPort, check
from tests.small_networks import mlp

EFFORT = Effort(least=4, most=48, changes=64, products=1 << 30)


def image(*levels: int) -> Network:
    """Give a 2 x 4 x 4 byte image -> 3x3 convolution, a channel for each level -> 2x2 maximum -> 3 scores."""
    random, rows = np.random.default_rng(3), len(levels)
    weights = random.choice(np.array([-1, 1]), size=(rows, 3, 3, 2))
    thresholds = Thresholds(np.array(levels).reshape(1, rows, 1), Positions.uniform(4, 4))
    window = Window((3, 3), pads=(1, 1, 1, 1))
    layers = (
        Conv("conv", "x", (4, 4, 2), unsigned(8), weights, window, 0, thresholds, BIPOLAR),
        MaxPool("pool", "conv", (4, 4, rows), BIPOLAR, Window((2, 2), (2, 2)), (False,) * rows),
        Dense(
            "dense",
            "pool",
            (2, 2, rows),
            BIPOLAR,
            random.choice(np.array([-1, 1]), size=(3, 4 * rows)),
            None,
            CodeType(-4 * rows, 4 * rows),
        ),
    )
    port = InputPort("x", (4, 4, 2), (0, 1, 2), (4, 4, 2), unsigned(8))
    ends = OutputPort("y", "dense", (3,), (0,), "float32", np.ones(3), np.zeros(3))
    network = Network("image", (port,), layers, (ends,))
    check(network)
    return network


def test_frames_are_added_until_nearly_all_changes_are_seen() -> None:
    network = mlp(24, 16, 12, 5)
    few = choose_frames(network, replace(EFFORT, most=4))
    many = choose_frames(network, EFFORT)
    assert len(few.codes[0]) == 4 < len(many.codes[0]) <= 48
    assert sum(many.seen.weight_bits[:1] + many.seen.thresholds[:1]) > sum(
        few.seen.weight_bits[:1] + few.seen.thresholds[:1]
    )
    for seen, tried in many.seen.kinds().values():
        assert seen >= 0.95 * tried
        assert tried > 40


def test_what_is_said_of_the_frames_holds() -> None:
    network, effort = mlp(24, 16, 12, 5), replace(EFFORT, changes=16)
    chosen = choose_frames(network, effort)
    random = np.random.default_rng(0)
    random.random((effort.least, 1, 1, 24))
    wanted, unseen = network.golden(*chosen.codes), []
    for change in changes(network, random, 16):
        layers = tuple(change.layer if layer.name == change.layer.name else layer for layer in network.layers)
        if np.array_equal(replace(network, layers=layers).golden(*chosen.codes), wanted):
            unseen.append(change.title)
    assert tuple(unseen) == chosen.seen.unseen


@pytest.mark.parametrize("levels", [(-600, 1200, -500, 900), (-700, 1100, -600, 1300)])
def test_channels_that_are_nearly_constant_are_reached(levels: tuple[int, ...]) -> None:
    """Of random frames hardly any brings a whole window of the maximum below a threshold, or a sum above another."""
    network = image(*levels)
    conv, pool = network.layers[:2]
    x = np.random.default_rng(0).integers(0, 256, (256, 4, 4, 2))
    firing = (pool.golden(conv.golden(x)) > 0).mean(axis=(0, 1, 2))
    assert min(firing) < 0.001
    assert max(firing) > 0.999
    for seen, tried in choose_frames(network, EFFORT).seen.kinds().values():
        assert seen >= 0.95 * tried


def test_the_same_network_gives_the_same_frames() -> None:
    one, other = (choose_frames(mlp(24, 16, 5), EFFORT) for _ in range(2))
    assert np.array_equal(one.codes[0], other.codes[0])
    assert one.seen == other.seen


def test_random_frames_beside_change_nothing_of_what_is_told() -> None:
    network = mlp(12, 8, 5)
    alone, beside = choose_frames(network, EFFORT), choose_frames(network, replace(EFFORT, beside=30))
    assert alone.seen == beside.seen
    (chosen,), (all_frames,) = alone.codes, beside.codes
    assert np.array_equal(all_frames[:-30], chosen)
    assert len(np.unique(all_frames[-30:], axis=0)) > 20


def test_half_of_the_frames_beside_lean_towards_far_sums() -> None:
    network = image(0, 0, 0)
    beside = choose_frames(network, replace(EFFORT, beside=200)).codes[0][-200:]
    sums = replace(network.layer("conv"), thresholds=None, out_type=CodeType(-4590, 4590))
    part = PackedNetwork(network).up_to(sums)
    random, leaning = (part.golden_maps(half)[0].ravel() for half in (beside[:100], beside[100:]))
    assert np.ptp(leaning) > 1.2 * np.ptp(random)


def test_what_no_frame_can_tell_is_named() -> None:
    """Of a row whose threshold always fires, no weight matters; its threshold counts as the least sum, and some flips of that never fire."""
    network = mlp(8, 4, 2)
    dead = network.layers[0]
    assert isinstance(dead, Dense)
    assert dead.thresholds is not None
    levels = np.full_like(dead.thresholds.levels, -100)
    dead = replace(dead, thresholds=replace(dead.thresholds, levels=levels))
    seen = choose_frames(replace(network, layers=(dead, network.layers[1])), EFFORT).seen
    assert seen.weight_bits[0] < seen.weight_bits[1]
    assert {title.partition(" [")[0] for title in seen.unseen} == {"dense0: weight"}
    assert len(seen.unseen) == seen.weight_bits[1] - seen.weight_bits[0] + seen.thresholds[1] - seen.thresholds[0]
    assert seen.facts()["unseen"] == list(seen.unseen)


def test_a_large_network_gets_fewer_changes_and_frames() -> None:
    network = mlp(64, 64, 8)
    seen = choose_frames(network, replace(EFFORT, products=1)).seen
    assert seen.weight_bits[1] == 4
    assert len(choose_frames(network, replace(EFFORT, products=1)).codes[0]) == EFFORT.least


def test_a_part_of_a_network_is_that_part() -> None:
    network = mlp(24, 16, 12, 5)
    x = np.random.default_rng(0).choice(np.array([-1, 1]), (6, 1, 1, 24))
    hidden = network.layers[1].golden(network.layers[0].golden(x))
    assert np.array_equal(PackedNetwork(network).up_to(network.layers[1]).golden(x), hidden)


def test_flipped_thresholds_lie_among_the_sums() -> None:
    """Sums of 24 signs are even: a threshold that moves from 2 to 1 is the same one."""
    network = mlp(24, 16, 5)
    found = [change for change in changes(network, np.random.default_rng(0), 200) if not change.is_weight]
    assert len(found) > 20
    for change in found:
        assert change.telling is not None
        assert any(change.telling.low <= sum_ < change.telling.high for sum_ in range(-24, 25, 2))


def test_a_weight_is_never_changed_into_itself() -> None:
    """Where no flip of a bit gives a weight that there is, the greatest and the least take each other's place."""
    network = mlp(4, 3)
    layer = replace(network.layers[0], weights=np.array([[3, 4, 3, 4]] * 3), out_type=CodeType(-16, 16))
    found = changes(replace(network, layers=(layer,)), np.random.default_rng(0), 20)
    changed = [change.layer.weights for change in found if change.is_weight]
    assert len(changed) > 8
    assert {int(np.count_nonzero(weights != layer.weights)) for weights in changed} == {1}
    assert {weight for weights in changed for weight in np.unique(weights).tolist()} == {3, 4}


def test_thresholds_of_a_product_of_two_maps_are_sought() -> None:
    levels = np.array([-10, 12, 8, -14]).reshape(1, 4, 1)
    shapes, where = ((1, 3, 36), (1, 4, 36)), Positions.uniform(1, 3)
    layer = MatMul("product", ("q", "k"), shapes, (BIPOLAR, BIPOLAR), 1, True, Thresholds(levels, where), BIPOLAR)
    ports = tuple(InputPort(name, shape, (0, 1, 2), shape, BIPOLAR) for name, shape in zip("qk", shapes, strict=True))
    ends = OutputPort("y", "product", (1, 3, 4), (0, 1, 2), "float32", np.ones(4), np.zeros(4))
    network = Network("two_maps", ports, (layer,), (ends,))
    check(network)
    found = changes(network, np.random.default_rng(1), 32)
    assert all((change.telling.high - change.telling.low) > 1 or change.telling.low % 2 == 0 for change in found)
    seen, tried = choose_frames(network, EFFORT).seen.thresholds
    assert seen >= 0.95 * tried > 0


def test_thresholds_of_positions_are_reached_each_on_its_own() -> None:
    """A search for one class of positions goes on from no other's, which has other groups of them."""
    network = image(1500, 1400, -1500, -1400)
    conv = network.layers[0]
    levels = np.concatenate([conv.thresholds.levels, conv.thresholds.levels + 30])
    for rows in ((0, 0, 0, 1), (0, 1, 1, 1)):
        positions = Positions(rows=rows, columns=(0, 0, 0, 0))
        of_rows = replace(conv, thresholds=Thresholds(levels, positions))
        found = choose_frames(replace(network, layers=(of_rows, *network.layers[1:])), EFFORT)
        assert len(found.codes[0]) >= EFFORT.least


def test_thresholds_of_positions_that_no_pool_taps_are_named_unseen() -> None:
    """The second class of positions is that of the row between the windows."""
    positions = Positions(rows=(0, 1, 0), columns=(0, 0, 0, 0))
    thresholds = Thresholds(np.array([[[300]], [[400]]]), positions)
    layers = (
        Conv(
            "conv",
            "x",
            (3, 4, 2),
            unsigned(8),
            np.ones((1, 1, 1, 2), dtype=np.int64),
            Window((1, 1)),
            0,
            thresholds,
            BIPOLAR,
        ),
        MaxPool("pool", "conv", (3, 4, 1), BIPOLAR, Window((1, 1), (2, 1)), (False,)),
    )
    port = InputPort("x", (3, 4, 2), (0, 1, 2), (3, 4, 2), unsigned(8))
    ends = OutputPort("y", "pool", (2, 4, 1), (0, 1, 2), "float32", np.ones(1), np.zeros(1))
    network = Network("between", (port,), layers, (ends,))
    check(network)
    seen, tried = choose_frames(network, EFFORT).seen.thresholds
    assert 0 < seen < tried


def test_a_changed_weight_may_lead_beyond_the_entries_of_a_table() -> None:
    """It is looked up at the nearest entry."""
    weights = np.array([[1, 1, 1, 1]])
    table = Lookup(np.arange(5).reshape(1, 1, 5), 0, Positions.uniform(1, 1))
    layers = (
        Dense("dense", "x", (1, 1, 4), unsigned(1), weights, None, CodeType(0, 4)),
        Table("table", "dense", (1, 1, 1), CodeType(0, 4), table, unsigned(3)),
    )
    port = InputPort("x", (4,), (0,), (1, 1, 4), unsigned(1))
    network = Network(
        "beyond", (port,), layers, (OutputPort("y", "table", (1,), (0,), "float32", np.ones(1), np.zeros(1)),)
    )
    check(network)
    packed = PackedNetwork(network)
    changed = replace(layers[0], weights=np.array([[3, 3, 3, 3]]))
    (found,) = packed.with_layer(changed).golden_maps(np.array([[1, 1, 0, 0], [1, 0, 0, 0]]).reshape(2, 1, 1, 4))
    assert found.ravel().tolist() == [4, 3]
