"""The parts of streamlining: runs, value sets, weights, directions, names."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.activation import Positions
from hwgen.codes import BIPOLAR, CodeType
from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.streamlining.builder import Builder, identifier
from hwgen.streamlining.codes.coding import assign, snap
from hwgen.streamlining.codes.precision import Precision
from hwgen.streamlining.codes.weights import integer_rows, note_rounding, rounded_rows
from hwgen.streamlining.functions.domain import Floats, Integers
from hwgen.streamlining.functions.linear import Linear
from hwgen.streamlining.functions.monotone import UNKNOWN, direction
from hwgen.streamlining.functions.signal import identity
from hwgen.streamlining.functions.tabulate import bisect, tabulate
from hwgen.streamlining.functions.terms import Elements, Evaluator, Parameter, Step
from hwgen.streamlining.nodes.input_port import code_type
from tests.streamlining.conftest import bipolar

NODE = Node("MatMul", "fc", (), ())


def test_bisection_finds_what_a_full_table_holds(random):
    count = np.array([1, 2, 5000, 300_000, 17])
    edges = np.sort(random.integers(0, 300_000, (5, 40)), axis=1)
    sign = np.array([1, -1, 1, -1, 1])

    def function(k, element):
        return (sign[element] * np.sum(edges[element][None] <= k[..., None], axis=-1)).astype(float)[None]

    full, found = tabulate(function, count), bisect(function, count, 1000)
    for name in ("element", "start", "end", "values"):
        np.testing.assert_array_equal(getattr(full, name), getattr(found, name))
    assert bisect(function, count, 20) is None


def test_noise_is_snapped_and_lines_are_not():
    noisy = np.array([-1, 1 - 1e-8, 1, 1 + 1e-8, -1 - 1e-9, 1e-12])
    np.testing.assert_array_equal(snap(noisy), [-1, 1, 1, 1, -1, 0])
    line = np.arange(-500, 500) * 0.1
    np.testing.assert_array_equal(snap(line), line)


@pytest.mark.parametrize(
    ("values", "kind", "scale", "offset"),
    [
        ([-1, 1, 1], BIPOLAR, 1, 0),
        ([0, 3], BIPOLAR, 1.5, 1.5),
        ([0, 0.5, 1], CodeType(0, 2), 0.5, 0),
        ([-2, 0, 4], CodeType(-1, 2), 2, 0),
        ([0.25, 1.25, 3.25], CodeType(0, 3), 1, 0.25),
        ([5, 5], BIPOLAR, 5, 0),
        ([0, 0], BIPOLAR, 1, -1),
    ],
)
def test_the_value_set_decides_the_type(values, kind, scale, offset):
    found = assign(np.array(values, dtype=float), np.zeros(len(values), dtype=int), 1)
    assert (found.type, found.scale[0], found.offset[0]) == (kind, scale, offset)
    np.testing.assert_allclose(found.scale[0] * found.codes + found.offset[0], values, atol=1e-12)


def test_channels_may_have_scales_of_their_own():
    values, channel = np.array([-1, 1, -0.3, 0.3, 7.0]), np.array([0, 0, 1, 1, 2])
    found = assign(values, channel, 3)
    assert found.type == BIPOLAR
    np.testing.assert_allclose(found.scale[channel] * found.codes + found.offset[channel], values)
    assert assign(np.array([0, 1, 2.5, 7.1, 9.9]), np.zeros(5, dtype=int), 1) is None


def test_rows_of_one_magnitude_are_signs(random):
    signs = bipolar(random, 5, 20)
    alpha = np.array([1, 0.1, 3e-5, 700, 0])
    integers, scale = integer_rows(signs * alpha[:, None] * (1 + random.uniform(-4e-7, 4e-7, (5, 20))))
    np.testing.assert_array_equal(integers[:4], signs[:4])
    np.testing.assert_array_equal(integers[4], 1)
    np.testing.assert_allclose(scale, alpha, rtol=1e-6)


def test_rows_of_few_bits_are_integers(random):
    wanted = random.integers(-7, 8, (6, 50))
    wanted[:, 0], wanted[:, 1] = 7, 5
    integers, scale = integer_rows((wanted * np.float32(0.0371)).astype(np.float32).astype(float))
    np.testing.assert_array_equal(integers, wanted)
    np.testing.assert_allclose(scale, 0.0371, rtol=1e-6)


def test_rows_that_float32_rounded_near_one_are_integers_and_it_says_so(random):
    wanted = 2 * random.integers(0, 256, (4, 60)) - 255
    wanted[:, :2] = 255, 1
    levels = ((wanted + 255) // 2).astype(np.float32) / np.float32(255)
    weights = (np.float32(2) * levels - np.float32(1)).astype(float)
    integers, scale = integer_rows(weights)
    np.testing.assert_array_equal(integers, wanted)
    np.testing.assert_allclose(scale, 1 / 255, rtol=1e-7)
    builder = Builder(strict=False, precision=Precision(exact=True))
    note_rounding(weights, integers, scale, NODE, builder)
    off = np.abs(integers * scale[:, None] - weights)
    largest = np.abs(weights).max(axis=1, keepdims=True)
    (note,) = builder.notes
    assert note.startswith(
        "'fc' has weights that are integers times one scale a row up to float32's rounding, and is taken so: "
    )
    assert note.endswith(
        f"{np.max(off / np.abs(weights)):.2g} of a weight, {np.max(off / largest):.2g} of a row's largest"
    )
    assert np.max(off / largest) < 4e-7
    weights[2, 7] += 3e-6
    assert integer_rows(weights) is None


def test_rows_that_are_integers_to_their_own_rounding_need_no_note(random):
    wanted = random.integers(-127, 128, (3, 40))
    wanted[:, :2] = 127, 1
    weights = np.vstack([(wanted * np.float32(0.0371)).astype(np.float32), np.zeros((1, 40))]).astype(float)
    builder = Builder(strict=False, precision=Precision())
    note_rounding(weights, *integer_rows(weights), NODE, builder)
    assert not builder.notes


def test_real_rows_are_rounded_or_refused(random):
    weights = bipolar(random, 3, 9).astype(float)
    weights[1, 4] = 0.777123
    assert integer_rows(weights) is None
    builder = Builder(strict=False, precision=Precision(weight_bits=6))
    integers, scale = rounded_rows(weights, NODE, builder)
    assert np.abs(integers).max() == 31
    np.testing.assert_allclose(integers * scale[:, None], weights, atol=0.5 / 31)
    assert builder.notes == [
        f"'fc' has real weights, rounded to 6 bits with one scale a row: off by at most {abs(24 / 31 - 0.777123):.2g} of a row's largest"
    ]
    exact = Builder(strict=False, precision=Precision(exact=True))
    with pytest.raises(ModelError, match=r"'fc' \(MatMul\) has weights .* row 1 holds .* without --exact"):
        rounded_rows(weights, NODE, exact)


def test_reach_has_the_parity_of_the_fan_in():
    weights = np.array([[1, -1, 1], [2, 0, -4], [1, 1, 3]])
    reach = Linear("fc", "x", (1, 1, 3), BIPOLAR, weights).domain()
    np.testing.assert_array_equal(reach.low, [[-3, -6, -5]])
    np.testing.assert_array_equal(reach.step, [[2, 4, 2]])
    np.testing.assert_array_equal(reach.count, [[4, 4, 6]])
    reach = Linear("fc", "x", (1, 1, 3), CodeType(0, 3), weights).domain()
    np.testing.assert_array_equal(reach.high, [[6, 6, 15]])


def test_merged_classes_hold_every_position():
    positions = Positions((0, 1), (0,))
    reach = Integers(np.array([[-4], [-3]]), np.array([[2], [2]]), np.array([[5], [4]]), positions).merged()
    assert (reach.low[0, 0], reach.high[0, 0], reach.step[0, 0]) == (-4, 4, 1)


def test_floats_are_all_floats_in_order():
    floats = Floats(1e30, Positions(), 1)
    count, element = int(floats.count[0, 0]), np.array([0])
    middle = count // 2
    k = np.array([[0], [middle - 1], [middle], [middle + 1], [count - 1]])
    tiny = np.nextafter(np.float32(0), np.float32(1))
    np.testing.assert_array_equal(floats.values(k, element)[:, 0], np.float32([-1e30, -tiny, 0, tiny, 1e30]))


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
    term = Step(Node(op, op, (), (), attributes), (leaf, *parameters))
    found = direction(term, elements)
    assert found.tolist() == expected
    values = Evaluator()(term, np.arange(-9, 10)[:, None] + np.zeros((1, 3)), elements).astype(float)
    for channel in np.flatnonzero(found != UNKNOWN):
        assert np.all(np.diff(values[:, channel]) * found[channel] >= 0)


def test_sums_that_cancel_are_zero():
    elements = Elements(*(np.zeros(1, dtype=int),) * 3)
    missed = 0
    for number in range(1, 256):
        scale, offset = 0.1 / 255, -number * 0.1 / 255
        missed += number * scale + offset != 0
        assert Evaluator()(identity(scale, offset), np.array([[number]]), elements)[0, 0] == 0
    assert missed


@pytest.mark.parametrize(("op", "expected"), [("Sub", -1), ("Greater", -1), ("Less", 1), ("Add", 1)])
def test_direction_of_the_second_operand(op, expected):
    zeros = np.zeros(1, dtype=int)
    term = Step(Node(op, op, (), ()), (Parameter(np.float32(3)), identity()))
    assert direction(term, Elements(zeros, zeros, zeros)).tolist() == [expected]


@pytest.mark.parametrize(
    ("name", "op", "expected"),
    [
        ("/features/0/Conv", "Conv", "features_0"),
        ("node_Gemm_16.product", "MatMul", "conv1"),
        ("node_max_pool2d_1", "MaxPool", "conv1"),
        ("", "Conv", "conv1"),
        ("fc1", "MatMul", "fc1"),
        ("/0/Conv", "Conv", "conv1"),
        ("model/Reg", "Conv", "model_reg"),
        ("reg", "Conv", "reg_"),
    ],
)
def test_layer_names(name, op, expected):
    builder = Builder(strict=False)
    assert builder.name("conv", Node(op, name, (), ())) == expected
    assert builder.name("conv", Node(op, name, (), ())) != expected
    assert identifier("3x-Y!") == "n3x_y"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("uint8", "uint8"), ("INT4", "int4"), ("bipolar", "bipolar"), ("TERNARY", "ternary"), ("binary", "uint1")],
)
def test_type_names(name, expected):
    assert str(code_type(name)) == expected


@pytest.mark.parametrize("name", ["int1", "uint0", "uint17", "float32", "", "int"])
def test_names_of_no_type(name):
    assert code_type(name) is None


def test_tabulation_stops_where_there_are_more_runs_than_a_table_has_entries() -> None:
    def magnitudes(k: np.ndarray, element: np.ndarray) -> np.ndarray:
        return np.abs(k - 500_000)[None].astype(np.float64) + 0 * element

    asked = []

    def counted(k: np.ndarray, element: np.ndarray) -> np.ndarray:
        asked.append(k.size)
        return magnitudes(k, element)

    count = np.full(24, 1_000_000)
    assert tabulate(counted, count, limit=1 << 16) is None
    assert sum(asked) < count.sum() / 4
    full = tabulate(magnitudes, count[:1], limit=1_000_000)
    assert full is not None and len(full.element) == 1_000_000
