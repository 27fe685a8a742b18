"""Concat: golden by definition, hardware equal to golden on the predicted cycles."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import BIPOLAR, CodeType, signed, unsigned
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.concat import Concat
from tests.layers.channelwise_cases import TYPES, seeds, shapes
from tests.layers.join_cases import assert_hardware_is_golden, folds

CONCAT = Concat("both", ("a", "b"), ((1, 2, 1), (1, 2, 2)), (BIPOLAR, unsigned(3)), signed(4))


def test_golden_appends_channels():
    a, b = np.array([[[[1], [-1]]]]), np.array([[[[1, 2], [3, 7]]]])
    assert CONCAT.golden(a, b).tolist() == [[[[1, 1, 2], [-1, 3, 7]]]]
    assert CONCAT.out_shape == (1, 2, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"in_types": (BIPOLAR,)},
            "'both' needs at least two sources, with a shape and a type for each, not 2, 2 and 1",
        ),
        ({"in_shapes": ((1, 2, 1), (2, 2, 2))}, "'both' needs maps of one size, not 1x2, 2x2"),
        ({"out_type": unsigned(3)}, "'both' cannot hold the bipolar codes of 'a' in uint3"),
        ({"out_type": signed(3)}, "'both' cannot hold the uint3 codes of 'b' in int3"),
        (
            {"in_types": (BIPOLAR, signed(1)), "out_type": BIPOLAR},
            "'both' cannot hold the int1 codes of 'b' in bipolar",
        ),
    ],
)
def test_an_inconsistent_record_is_refused(change: dict, message: str):
    CONCAT.check()
    with pytest.raises(ValueError, match=message):
        replace(CONCAT, **change).check()


@st.composite
def concats(draw: st.DrawFn) -> Concat:
    """Draw two to four maps side by side."""
    (height, width, _), count = draw(shapes), draw(st.integers(2, 4))
    channels = draw(st.sampled_from([(1, 2, 3, 4), (2, 4, 6), (3, 3, 6)]))
    picked = draw(st.lists(st.sampled_from(channels), min_size=count, max_size=count))
    kinds = draw(st.lists(st.sampled_from([BIPOLAR, *TYPES]), min_size=count, max_size=count))
    if draw(st.integers(0, 3)) == 0:
        kinds, out_type = [BIPOLAR] * count, BIPOLAR
    else:
        out_type = CodeType(min(kind.low for kind in kinds), max(kind.high for kind in kinds) + draw(st.integers(0, 9)))
    sources = tuple(f"source{number}" for number in range(count))
    return Concat("concat", sources, tuple((height, width, number) for number in picked), tuple(kinds), out_type)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data(), layer=concats(), seed=seeds)
def test_hardware_is_golden(data: st.DataObject, layer: Concat, seed: int):
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (Fold(2), r"PE must divide the channels of every source, or be all 3, not 2 \(layer 'both'\): use 1 or 3"),
        (Fold(1, 2), "SIMD must be 1, not 2, as layer 'both' has no columns to fold"),
    ],
)
def test_an_illegal_folding_is_refused(fold: Fold, message: str):
    with pytest.raises(OptionError, match=message):
        CONCAT.folding.check(fold)
