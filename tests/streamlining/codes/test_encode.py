"""From functions of integers to codes."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.activation import Positions
from hwgen.codes import BIPOLAR, TERNARY, CodeType
from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes import encode as encoding
from hwgen.streamlining.codes.encode import Affine, Coded, affine, encode, lines
from hwgen.streamlining.functions.domain import Integers
from hwgen.streamlining.functions.function import over_map
from hwgen.streamlining.functions.signal import identity
from hwgen.streamlining.functions.tabulate import Runs
from hwgen.streamlining.functions.terms import Call, Evaluator, Parameter
from hwgen.streamlining.options import Conversion


def integers(low: int, high: int, channels: int = 1, step: int = 1) -> Integers:
    column = np.ones((1, channels), dtype=np.int64)
    return Integers(low * column, step * column, ((high - low) // step + 1) * column, Positions())


def applied(term, op: str, *constants: float, **attributes: object):
    parameters = (Parameter(np.asarray(value, np.float32)) for value in constants)
    return Call(Node(op, op, (), (), attributes), (term, *parameters))


def encoded(term, domain: Integers, *, borders=(), **conversion):
    builder = Builder(Conversion(**conversion))
    function = over_map(term, domain, (1, 1, domain.count.shape[1]))
    return encode(function, builder, "fc", borders=borders), builder.notes


def test_a_line_is_a_line_for_every_channel_alike_or_not():
    scale, offset = np.array([0.5, -2.0, 3.0]), np.array([0.25, 0, -7])
    function = over_map(identity(scale, offset), integers(-5, 9, 3), (1, 1, 3))
    line = affine(function, Evaluator())
    assert line.scale == pytest.approx(scale)
    assert line.offset == pytest.approx(offset)
    bent = over_map(applied(identity(), "Relu"), integers(-5, 9), (1, 1, 1))
    assert lines(bent, Evaluator()) is None
    beyond = over_map(applied(identity(), "Relu"), integers(0, 9), (1, 1, 1))
    assert affine(beyond, Evaluator()).scale.tolist() == [1]


def test_lines_that_differ_from_row_to_row_are_no_affine_map():
    rows = Parameter(np.array([1.0, 2.0]).reshape(2, 1, 1))
    ones = np.ones((1, 1), dtype=np.int64)
    domain = Integers(-3 * ones, ones, 7 * ones, Positions.uniform(2, 1))
    function = over_map(Call(Node("Mul", "mul", (), ()), (identity(), rows)), domain, (2, 1, 1))
    slopes, offsets = lines(function, Evaluator())
    assert (slopes.tolist(), offsets.tolist()) == ([[1], [2]], [[0], [0]])
    assert affine(function, Evaluator()) is None


def test_an_affine_function_stays_the_integers_and_a_step_becomes_two_codes():
    kept, _ = encoded(identity(0.5, 1.0), integers(-300, 300))
    assert isinstance(kept, Affine)
    step, notes = encoded(applied(applied(identity(), "Add", 0.5), "Sign"), integers(-3, 3))
    assert isinstance(step, Coded)
    assert step.values.type == BIPOLAR
    assert (step.runs.start.tolist(), step.runs.values[0].tolist()) == ([0, 3], [-1, 1])
    assert (step.trend.tolist(), notes) == ([1], [])


def test_values_that_are_no_levels_have_no_codes():
    curve, _ = encoded(applied(identity(0.1), "Sigmoid"), integers(-50, 50))
    assert curve is None


def test_a_tie_of_sign_is_a_third_value_and_said():
    found, notes = encoded(applied(identity(), "Sign"), integers(-3, 3))
    assert found.values.type == TERNARY
    assert (found.runs.start.tolist(), found.runs.values[0].tolist()) == ([0, 3, 4], [-1, 0, 1])
    assert notes == [
        "Sign can see exactly 0 in 1 channel(s) (0) behind 'fc': three values, as ONNX has it; --sign-at-zero makes it one bit"
    ]


@pytest.mark.parametrize(("sign", "first"), [(1, 3), (-1, 4)])
def test_a_tie_of_sign_is_one_bit_if_told_so(sign, first):
    found, notes = encoded(applied(identity(), "Sign"), integers(-3, 3), sign_at_zero=sign)
    assert (found.values.type, found.sign_at_zero) == (BIPOLAR, sign)
    assert (found.runs.start.tolist(), found.runs.values[0].tolist()) == ([0, first], [-1, 1])
    taken = f"taken as {sign:+d}, where ONNX's Sign gives 0"
    assert notes == [f"Sign can see exactly 0 in 1 channel(s) (0) behind 'fc': {taken}"]


@pytest.mark.parametrize("sign", [0, 1, -1])
def test_a_sign_that_is_never_0_in_the_end_stays_as_it_is(sign):
    """Larq's sign: that of 0 is 0, and that of 0 + 0.1 is 1."""
    twice = applied(applied(applied(identity(), "Sign"), "Add", 0.1), "Sign")
    found, notes = encoded(twice, integers(-3, 3), sign_at_zero=sign, strict=True)
    assert (found.values.type, found.sign_at_zero, notes) == (BIPOLAR, 0, [])
    assert found.runs.start.tolist() == [0, 3]


def test_a_border_is_among_the_codes_where_it_is_one_level_more():
    odd, sign = integers(-3, 3, step=2), applied(identity(), "Sign")
    assert encoded(sign, odd)[0].values.type == BIPOLAR
    assert encoded(sign, odd, borders=[np.zeros(1)])[0].values.type == TERNARY
    assert encoded(sign, odd, borders=[np.ones(1)])[0].values.type == BIPOLAR
    assert encoded(sign, odd, borders=[np.full(1, 0.25)])[0].values.type == BIPOLAR


def test_strict_refuses_a_tie_whatever_it_were_taken_as():
    with pytest.raises(
        ModelError, match=r"Sign can see exactly 0 in 1 channel\(s\) \(0\) behind 'fc'.*compile without --strict"
    ):
        encoded(applied(identity(), "Sign"), integers(-3, 3), strict=True, sign_at_zero=1)
    odd, silent = encoded(applied(identity(), "Sign"), integers(-3, 3, step=2), strict=True)
    assert (odd.values.type, silent) == (BIPOLAR, [])


def test_the_first_eight_channels_with_a_tie_are_named():
    _, (note,) = encoded(applied(identity(), "Sign"), integers(-3, 3, channels=9))
    assert "in 9 channel(s) (0, 1, 2, 3, 4, 5, 6, 7, ...) behind" in note


def test_zero_on_a_stretch_is_a_value_of_sign():
    found, notes = encoded(applied(applied(identity(), "Relu"), "Sign"), integers(-3, 3))
    assert found.values.type.levels == 2
    assert sorted(set((found.values.scale * found.runs.values[0] + found.values.offset).tolist())) == [0, 1]
    assert notes == []
    both, _ = encoded(applied(applied(identity(), "Shrink", bias=0.0, lambd=1.5), "Sign"), integers(-3, 3))
    assert both.values.type == CodeType(-1, 1)


def test_what_float32_would_decide_otherwise_is_said():
    """In float32 a million and a thirty-second is a million, and so no less than it."""
    term = applied(applied(identity(), "Add", 1 / 64), "Add", 2.0**20)
    _, (note,) = encoded(applied(term, "Greater", 2.0**20), integers(-2, 2))
    assert note == (
        "float32 rounding may decide otherwise than exact arithmetic in 1 channel(s) (0) behind 'fc' (channel 0 at 0): exact arithmetic is used"
    )


def test_each_channel_has_levels_of_its_own():
    slopes = np.array([1.0, -3.0])
    found, _ = encoded(
        applied(applied(identity(slopes, np.array([0.5, 1.5])), "Sign"), "Mul", [[[0.25, 2.0]]]), integers(-2, 2, 2)
    )
    assert found.values.type == BIPOLAR
    assert (found.values.scale.tolist(), found.trend.tolist()) == ([0.25, 2], [1, -1])


def test_rounding_may_decide_on_both_sides_of_each_step_of_a_large_range(monkeypatch: pytest.MonkeyPatch):
    function = over_map(identity(), integers(-4, 5, 2), (1, 1, 2))
    runs = Runs(np.array([0, 0, 1]), np.array([0, 3, 0]), np.array([3, 10, 10]), np.array([[1, 2, 1]]))
    element, k = encoding._critical(function, runs)
    assert (element.tolist(), k.tolist()) == ([0] * 10 + [1] * 10, [*range(10)] * 2)
    monkeypatch.setattr(encoding, "COMPARED", 19)
    element, k = encoding._critical(function, runs)
    assert (element.tolist(), k.tolist()) == ([0, 0, 0, 0, 1, 1], [0, 2, 3, 9, 0, 9])


def test_a_single_point_beside_a_line_is_seen_between_all_samples():
    """All integers but one are above zero, however many there are and wherever samples are taken."""
    between = 36720 * 1000 // (encoding.SAMPLES - 1) + 4
    tie = applied(
        applied(applied(applied(identity(), "Sub", between), "Abs"), "Greater", 0), "Cast", to=np.dtype(np.float32)
    )
    function = over_map(tie, integers(0, 36720), (1, 1, 1))
    assert lines(function, Evaluator()) is None
    apart = over_map(tie, integers(between + 1, 36720), (1, 1, 1))
    assert affine(apart, Evaluator()).scale.tolist() == [0]


def test_stairs_whose_corners_are_sampled_are_no_line():
    samples = encoding.SAMPLES - 1
    stairs = applied(applied(identity(), "Mul", 0.125), "Floor")
    assert lines(over_map(stairs, integers(0, 8 * samples), (1, 1, 1)), Evaluator()) is None
