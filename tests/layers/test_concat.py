"""Concat: golden by definition."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.codes import BIPOLAR, signed, unsigned
from hwgen.layers.concat import Concat

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
