"""Combine: golden by definition, hardware equal to golden on the predicted cycles."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned
from hwgen.errors import OptionError
from hwgen.fold import Fold, WindowStyle
from hwgen.layers.combine import Combine, Operation
from tests.layers.channelwise_cases import TYPES, seeds, shapes
from tests.layers.join_cases import assert_hardware_is_golden, folds

DIFFERENCE = Combine(
    "difference",
    ("a", "b"),
    (1, 2, 2),
    (unsigned(3), signed(4)),
    Operation.ADD,
    np.array([[1, 2], [-1, 3]]),
    CodeType(-24, 35),
)
PRODUCT = Combine(
    "product", ("a", "b"), (1, 2, 2), (BIPOLAR, signed(4)), Operation.MULTIPLY, np.ones((2, 2), np.int64), signed(5)
)


def test_golden_adds_each_source_times_its_factor():
    a, b = np.array([[[[1, 2], [7, 7]]]]), np.array([[[[3, -8], [-8, 7]]]])
    assert DIFFERENCE.golden(a, b).tolist() == [[[[1 - 3, 2 * 2 - 3 * 8], [7 + 8, 2 * 7 + 3 * 7]]]]


def test_golden_multiplies():
    a, b = np.array([[[[1, -1], [-1, 1]]]]), np.array([[[[3, -8], [-8, 7]]]])
    assert PRODUCT.golden(a, b).tolist() == [[[[3, 8], [8, 7]]]]


def test_the_range_of_results_is_exact():
    low, high = DIFFERENCE.result_range()
    assert (low.tolist(), high.tolist()) == ([0 - 7, 0 - 24], [7 + 8, 14 + 21])
    low, high = PRODUCT.result_range()
    assert (low.tolist(), high.tolist()) == ([-8, -8], [8, 8])


def test_one_map_may_be_read_twice():
    double = Combine(
        "double", ("a", "a"), (1, 1, 1), (TERNARY, TERNARY), Operation.ADD, np.ones((2, 1), int), signed(3)
    )
    double.check()
    x = np.array([[[[-1]]], [[[1]]]])
    assert double.golden(x, x).ravel().tolist() == [-2, 2]


@pytest.mark.parametrize(
    ("layer", "change", "message"),
    [
        (
            DIFFERENCE,
            {"in_types": (BIPOLAR,)},
            "'difference' needs at least two sources and a type for each, not 2 and 1",
        ),
        (
            DIFFERENCE,
            {"factors": np.ones((2, 3), int)},
            r"'difference' needs factors of shape \(2, 2\), not \(2, 3\)",
        ),
        (
            DIFFERENCE,
            {"out_type": CodeType(-24, 34)},
            r"'difference' yields -24\.\.35, which does not fit int\[-24,34\]",
        ),
        (
            DIFFERENCE,
            {"out_type": BIPOLAR},
            "'difference' yields bipolar codes, which only a product of bipolar codes is",
        ),
        (PRODUCT, {"factors": np.full((2, 2), 2)}, "'product' multiplies, so its factors must all be 1"),
        (PRODUCT, {"out_type": signed(4)}, r"'product' yields -8\.\.8, which does not fit int4"),
    ],
)
def test_an_inconsistent_record_is_refused(layer: Combine, change: dict, message: str):
    layer.check()
    with pytest.raises(ValueError, match=message):
        replace(layer, **change).check()


@st.composite
def combines(draw: st.DrawFn) -> Combine:
    """Draw a sum or a product of two to five maps."""
    shape, count = draw(shapes), draw(st.integers(2, 5))
    kinds = tuple(draw(st.lists(st.sampled_from([BIPOLAR, BIPOLAR, *TYPES]), min_size=count, max_size=count)))
    operation = draw(st.sampled_from(Operation))
    random = np.random.default_rng(draw(seeds))
    factors = np.ones((count, shape[2]), dtype=np.int64)
    if operation is Operation.ADD:
        choices = draw(st.sampled_from([(1,), (-1, 1), (0, 1, -4, 8), (3, -5), (-7, 0, 1, 2, 6)]))
        columns = draw(st.sampled_from([1, shape[2]]))
        factors = factors * random.choice(np.array(choices), size=(count, columns))
    sources = tuple(f"source{number}" for number in range(count))
    layer = Combine("combine", sources, shape, kinds, operation, factors, CodeType(-(2**40), 2**40))
    if operation is Operation.MULTIPLY and all(kind.bipolar for kind in kinds) and draw(st.booleans()):
        return replace(layer, out_type=BIPOLAR)
    low, high = layer.result_range()
    return replace(layer, out_type=CodeType(int(low.min()), int(high.max())))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data(), layer=combines(), seed=seeds)
def test_hardware_is_golden(data: st.DataObject, layer: Combine, seed: int):
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (Fold(3), r"PE must divide 2 channels, not 3 \(layer 'difference'\): use 2"),
        (Fold(2, 2), "SIMD must be 1, not 2, as layer 'difference' has no columns to fold"),
        (Fold(2, window=WindowStyle.PARALLEL), "Layer 'difference' has no window to hand over in parallel"),
        (Fold(2, slots=0), "Layer 'difference' needs at least 1 slot in its output FIFO, not 0"),
    ],
)
def test_an_illegal_folding_is_refused(fold: Fold, message: str):
    with pytest.raises(OptionError, match=message):
        DIFFERENCE.folding.check(fold)
