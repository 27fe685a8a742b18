"""Sums of incommensurable terms in front of quantisers decide as exact arithmetic does, for every combination."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hwgen.activation import Positions, Thresholds
from hwgen.codes import BIPOLAR, TERNARY
from hwgen.conversion import Conversion
from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.operators import evaluate
from hwgen.streamlining.codes.coding import Values
from hwgen.streamlining.codes.decide import decided
from hwgen.streamlining.codes.encode import Coded
from hwgen.streamlining.functions.domain import Integers
from hwgen.streamlining.functions.signal import Rounded
from hwgen.streamlining.functions.tabulate import Runs
from hwgen.streamlining.functions.terms import Call, Elements, Leaf, Parameter
from tests.streamlining.conftest import bipolar

EXACT = Conversion(exact=True)
EVERY = np.array(list(itertools.product((-1, 1), repeat=10)), dtype=np.float32)


def planes(net, random, scales, biases=(0.0, 0.3)):
    """Append products of the halves of the input with scales of their own, and their sum."""
    terms = []
    for place, scale in enumerate(scales):
        weights = bipolar(random, 10, 6) * (np.arange(10) % len(scales) == place)[:, None]
        net.add("MatMul", weights, reads="x").add("Mul", scale)
        terms.append(net.add("Add", np.float32(biases[place % 2])).value)
    return net.add("Sum", *terms[1:], reads=terms[0])


def in_float64(net, network):
    """Hold the codes of the network to the graph in float64, for every input."""
    graph = net.graph()
    wanted = evaluate.run(graph, {"x": EVERY}, np.float64)[graph.outputs[0]]
    codes = network.golden(EVERY.astype(np.int64).reshape(-1, 1, 1, 10))[:, 0, 0]
    np.testing.assert_array_equal(np.rint((wanted - network.output.offset) / network.output.scale), codes)


@pytest.mark.parametrize("scales", [(0.8, 0.37), (0.8, 0.37, 0.21), (1, 2**0.5), (-0.7, 0.31831)])
def test_orders_of_horq_in_front_of_a_sign(model, random, scales):
    net = planes(model(10), random, [np.float32(scale) for scale in scales]).sign().add("MatMul", bipolar(random, 6, 4))
    network = net.network(input_type="bipolar", conversion=EXACT)
    assert [note for note in network.notes if "all sums that can occur are quantised as in exact arithmetic" in note]
    in_float64(net, network)


def test_a_quantiser_of_several_levels_with_scales_of_channels(model, random):
    scales = [random.uniform(-1, 1, 6).astype(np.float32) for _ in range(2)]
    net = planes(model(10), random, scales).add("Mul", random.choice([-1, 1], 6) * 1.3).add("Round")
    net.add("Clip", np.float32(-3), np.float32(4)).add("MatMul", bipolar(random, 6, 4))
    network = net.network(input_type="bipolar", conversion=EXACT)
    in_float64(net, network)


def test_few_bits_are_made_up_for_by_the_place_of_the_thresholds(model, random):
    net = planes(model(10), random, [np.float32(0.8), np.float32(0.37)]).sign().add("MatMul", bipolar(random, 6, 4))
    in_float64(net, net.network(input_type="bipolar", conversion=Conversion(fixed_bits=6)))


def test_a_sum_that_is_read_as_it_is_is_announced_or_refused(model, random):
    net = planes(model(10), random, [np.float32(0.8), np.float32(0.37)]).add("MatMul", bipolar(random, 6, 4))
    network = net.network(input_type="bipolar")
    assert any("adds numbers of different scales in steps of" in note for note in network.notes)
    with pytest.raises(ModelError, match=r"\(Sum\) adds numbers whose scales have no ratio of small integers"):
        net.network(input_type="bipolar", conversion=EXACT)


def by_hand(counts, level):
    """Decide p + 0.3 q >= 1.9 by 3 p + q >= level, a Sign of 0 taken as +1."""
    positions = Positions.uniform(1, 1)
    one = np.ones((1, 1), dtype=np.int64)
    numbers = tuple(Integers(0 * one, one, count * one, positions) for count in counts)
    rounded = Rounded(
        Node("Add", "sum", (), ()), numbers, np.array([[1.0], [0.3]]), np.array([[3], [1]]), np.zeros((1, 1, 1)), ""
    )
    leaf = Leaf(Parameter(np.array(1 / 3)), Parameter(np.array(0.0)))
    term = Call(Node("Sign", "sign", (), ()), (Call(Node("Sub", "sub", (), ()), (leaf, Parameter(np.array(1.9)))),))
    none = np.zeros(0, dtype=np.int64)
    values = Values(BIPOLAR, np.ones(1), np.zeros(1), none)
    coding = Coded(Runs(none, none, none, none[None]), values, np.ones(1, dtype=np.int8), sign_at_zero=1)
    zero = np.zeros(1, dtype=np.int64)
    placed, wrong = decided(
        term,
        Elements(zero, zero, zero),
        rounded,
        coding,
        Thresholds(np.array([[[level]]]), positions),
        np.zeros(1, dtype=bool),
    )
    return int(placed.levels[0, 0, 0]), wrong


def test_a_threshold_is_put_where_it_decides_every_combination():
    assert by_hand((1, 10), 6) == (7, 0)
    assert by_hand((1, 10), 7) == (7, 0)


def test_combinations_that_no_threshold_tells_apart_are_counted():
    # 2 + 0 >= 1.9 and 0 + 0.3 * 6 < 1.9, but both are 6.
    assert by_hand((3, 10), 6) == (6, 1)


def test_a_real_sum_of_zero_that_float64_misses_is_zero():
    """0.1 three times is not 0.3 in float64, and a Sign of three values would tell."""
    positions, one, zero = Positions.uniform(1, 1), np.ones((1, 1), dtype=np.int64), np.zeros(1, dtype=np.int64)
    numbers = tuple(Integers(0 * one, one, count * one, positions) for count in (4, 2))
    rounded = Rounded(
        Node("Add", "sum", (), ()), numbers, np.array([[0.1], [-0.3]]), np.array([[1], [-3]]), np.zeros((1, 1, 1)), ""
    )
    leaf = Leaf(Parameter(np.array(0.1)), Parameter(np.array(0.0)))
    term = Call(Node("Sign", "sign", (), ()), (leaf,))
    none = np.zeros(0, dtype=np.int64)
    values = Values(TERNARY, np.ones(1), np.zeros(1), none)
    coding = Coded(Runs(none, none, none, none[None]), values, np.ones(1, dtype=np.int8))
    levels = Thresholds(np.array([[[0, 1]]]), positions)
    placed, wrong = decided(term, Elements(zero, zero, zero), rounded, coding, levels, np.zeros(1, dtype=bool))
    assert (placed.levels.tolist(), wrong) == ([[[0, 1]]], 0)


def test_levels_rise_where_one_is_moved_beside_one_that_is_right():
    """A Sign of p + 0.3 q - 0.5, the sum held as 10 p + q."""
    positions, one, zero = Positions.uniform(1, 1), np.ones((1, 1), dtype=np.int64), np.zeros(1, dtype=np.int64)
    numbers = tuple(Integers(0 * one, one, count * one, positions) for count in (2, 2))
    rounded = Rounded(
        Node("Add", "sum", (), ()), numbers, np.array([[1.0], [0.3]]), np.array([[10], [1]]), np.zeros((1, 1, 1)), ""
    )
    leaf = Leaf(Parameter(np.array(1.0)), Parameter(np.array(0.0)))
    term = Call(Node("Sign", "sign", (), ()), (Call(Node("Sub", "sub", (), ()), (leaf, Parameter(np.array(0.5)))),))
    none = np.zeros(0, dtype=np.int64)
    coding = Coded(
        Runs(none, none, none, none[None]), Values(TERNARY, np.ones(1), np.zeros(1), none), np.ones(1, dtype=np.int8)
    )
    # Both levels may be anywhere from 2 to 10: the one that is too low need not pass the one that is right.
    levels = Thresholds(np.array([[[1, 4]]]), positions)
    placed, wrong = decided(term, Elements(zero, zero, zero), rounded, coding, levels, np.zeros(1, dtype=bool))
    assert (placed.levels.tolist(), wrong) == ([[[2, 4]]], 0)
