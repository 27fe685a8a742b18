"""Functions of one integer, evaluated."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from hwgen.graph import Node
from hwgen.streamlining.functions.signal import identity
from hwgen.streamlining.functions.terms import (
    Call,
    Elements,
    Evaluator,
    Parameter,
    Rows,
    calls_of,
    parameters_of,
    sources_of,
)


def test_sums_that_cancel_are_zero():
    elements = Elements(*(np.zeros(1, dtype=int),) * 3)
    missed = 0
    for number in range(1, 256):
        scale, offset = 0.1 / 255, -number * 0.1 / 255
        missed += number * scale + offset != 0
        assert Evaluator()(identity(scale, offset), np.array([[number]]), elements)[0, 0] == 0
    assert missed


def test_what_is_a_float32_but_for_float64_is_that():
    """255 times 2/255 less 1 meets a threshold of 1, as it does in the file."""
    elements = Elements(*(np.zeros(1, dtype=int),) * 3)
    missed = 0
    for number in map(float, np.float32(np.random.default_rng(0).uniform(0.1, 9, 200))):
        scale, offset = number * (2 / 255), -number
        missed += 255 * scale + offset != number
        assert Evaluator()(identity(scale, offset), np.array([[255]]), elements)[0, 0] == number
    assert missed


def test_a_table_is_read_at_the_integers_alone():
    rng = np.random.default_rng(0)
    table = rng.integers(-8, 8, (1, 1, 4, 2000)).astype(np.float64)
    channel, integers = rng.integers(0, 4, 10_000), rng.integers(5, 2005, (3, 10_000))
    elements = Elements(np.zeros(10_000, dtype=int), channel, channel)
    tracemalloc.start()
    values = Evaluator()(Rows(Parameter(table), 5), integers, elements)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(values, table[0, 0, channel, integers - 5])
    assert most < 5e6, "a row of the table for each element is 160 MB"


@pytest.mark.parametrize("length", [1, 3000])
def test_a_chain_of_any_length_is_listed_operands_first(length):
    term = first = identity()
    for number in range(length):
        term = Call(Node("Add", f"n{number}", (), ()), (term, first if number % 2 else Parameter(np.float64(1))))
    calls = calls_of(term)
    assert [call.node.name for call in calls] == [f"n{number}" for number in range(length)]
    assert sources_of(term) == [first]
    assert len(parameters_of(term)) == (length + 1) // 2 + 2


def test_a_call_that_is_read_twice_is_listed_once():
    shared = Call(Node("Neg", "shared", (), ()), (identity(),))
    both = [Call(Node("Abs", name, (), ()), (shared,)) for name in "ab"]
    term = Call(Node("Add", "sum", (), ()), (*both, shared))
    assert [call.node.name for call in calls_of(Call(Node("Neg", "last", (), ()), (term,)))] == [
        "shared",
        "a",
        "b",
        "sum",
        "last",
    ]
