"""Frames that can tell one weight bit and one threshold from another."""

from dataclasses import replace

import numpy as np

from hwgen.golden.sensitivity import Effort, choose_frames
from tests.small_networks import mlp

EFFORT = Effort(least=4, most=48, changes=64, products=1 << 30)


def test_frames_are_added_until_nearly_all_changes_are_seen() -> None:
    network = mlp(24, 16, 12, 5)
    few = choose_frames(network, replace(EFFORT, most=4))
    many = choose_frames(network, EFFORT)
    assert len(few.codes[0]) == 4 < len(many.codes[0]) <= 48
    assert sum(many.seen.weight_bits[:1] + many.seen.thresholds[:1]) > sum(
        few.seen.weight_bits[:1] + few.seen.thresholds[:1]
    )
    seen, tried = many.seen.weight_bits
    assert seen >= 0.95 * tried
    assert tried > 50


def test_the_same_network_gives_the_same_frames() -> None:
    one, other = (choose_frames(mlp(24, 16, 5), EFFORT) for _ in range(2))
    assert np.array_equal(one.codes[0], other.codes[0])
    assert one.seen == other.seen


def test_what_no_frame_can_tell_is_named() -> None:
    """Of a row whose threshold always fires, no weight matters."""
    network = mlp(8, 4, 2)
    dead = network.layers[0]
    levels = np.full_like(dead.thresholds.levels, -100)
    dead = replace(dead, thresholds=replace(dead.thresholds, levels=levels))
    seen = choose_frames(replace(network, layers=(dead, network.layers[1])), EFFORT).seen
    assert seen.thresholds[0] == 0
    assert {title.partition(":")[0] for title in seen.unseen} == {"dense0"}
    assert len(seen.unseen) == seen.weight_bits[1] - seen.weight_bits[0] + seen.thresholds[1]
    assert seen.facts()["unseen"] == list(seen.unseen)


def test_a_large_network_gets_fewer_changes() -> None:
    seen = choose_frames(mlp(64, 64, 8), replace(EFFORT, products=1)).seen
    assert seen.weight_bits[1] == 4
