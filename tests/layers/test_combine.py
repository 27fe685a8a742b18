"""Combine: golden by definition."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned
from hwgen.layers.combine import Combine, Operation

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
