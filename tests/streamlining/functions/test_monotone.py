"""Directions of functions."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.graph import Node
from hwgen.streamlining.functions.monotone import UNKNOWN, direction
from hwgen.streamlining.functions.signal import identity
from hwgen.streamlining.functions.terms import Call, Elements, Evaluator, Parameter


@pytest.mark.parametrize(
    ("op", "constants", "attributes", "expected"),
    [
        ("Mul", [[2, -2, 0]], {}, [1, -1, 0]),
        ("Div", [[2, -2, 1]], {}, [1, -1, 1]),
        ("LessOrEqual", [[2, -2, 0]], {}, [-1, -1, -1]),
        ("PRelu", [[2, 1, 0]], {}, [1, 1, 1]),
        ("PRelu", [[2, -1, 0]], {}, [UNKNOWN] * 3),
        ("LeakyRelu", [], {"alpha": -0.5}, [UNKNOWN] * 3),
        ("Abs", [], {}, [UNKNOWN] * 3),
        ("Neg", [], {}, [-1] * 3),
    ],
)
def test_directions(op, constants, attributes, expected):
    zeros = np.zeros(3, dtype=int)
    elements = Elements(zeros, zeros, np.arange(3))
    leaf = identity()
    parameters = [Parameter(np.reshape(constant, (1, 1, 3)).astype(np.float32)) for constant in constants]
    term = Call(Node(op, op, (), (), attributes), (leaf, *parameters))
    found = direction(term, elements)
    assert found.tolist() == expected
    values = Evaluator()(term, np.arange(-9, 10)[:, None] + np.zeros((1, 3)), elements).astype(float)
    for channel in np.flatnonzero(found != UNKNOWN):
        assert np.all(np.diff(values[:, channel]) * found[channel] >= 0)


@pytest.mark.parametrize(("op", "expected"), [("Sub", -1), ("Greater", -1), ("Less", 1), ("Add", 1)])
def test_direction_of_the_second_operand(op, expected):
    zeros = np.zeros(1, dtype=int)
    term = Call(Node(op, op, (), ()), (Parameter(np.float32(3)), identity()))
    assert direction(term, Elements(zeros, zeros, zeros)).tolist() == [expected]
