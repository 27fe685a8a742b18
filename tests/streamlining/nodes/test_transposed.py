"""Transposed convolutions against ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.layers.conv import Conv
from hwgen.layers.interleave import Interleave
from tests.streamlining.conftest import bipolar

CASES = {
    # map, kernel, attributes, convolutions: one for each phase, phases without taps share theirs
    "phases without taps": ((2, 3), (2, 2), {"strides": [3, 3]}, 5),
    "phases with unlike taps": ((2, 3), (3, 3), {"strides": [2, 2], "pads": [1, 0, 1, 2]}, 4),
    "a phase that no output has": ((1, 3), (2, 2), {"strides": [2, 2], "pads": [1, 1, 0, 0]}, 4),
    "taps that reach beyond the map": ((1, 1), (3, 1), {"strides": [2, 1], "pads": [1, 0, 0, 0]}, 2),
    "taps that end before the map": ((1, 1), (2, 1), {"strides": [2, 1], "dilations": [3, 1], "pads": [0, 0, 3, 0]}, 2),
    "taps apart": ((3, 2), (2, 3), {"strides": [1, 2], "dilations": [2, 3], "pads": [1, 2, 0, 1]}, 2),
    "more zeros": ((2, 2), (2, 2), {"strides": [3, 2], "output_padding": [2, 1]}, 5),
    "a shape asked for": ((2, 3), (2, 2), {"strides": [2, 2], "output_shape": [5, 3]}, 4),
}


@pytest.mark.parametrize(("size", "kernel", "attributes", "convolutions"), CASES.values(), ids=CASES)
def test_every_place_gets_its_taps(model, random, size, kernel, attributes, convolutions):
    net = model(2, *size).add("ConvTranspose", bipolar(random, 2, 3, *kernel), **attributes)
    network = net.agrees(random.integers(0, 256, (9, 2, *size)).astype(np.float32), input_type="uint8")
    kinds = [type(layer) for layer in network.layers]
    assert kinds.count(Conv) == convolutions
    assert kinds.count(Interleave) == 1


def test_one_dimension_and_groups_with_unlike_scales(model, random):
    """The phases count in one unit, whatever each row's weights share."""
    weights = np.float32([[[1, 4, 2, 4]], [[-3, 6, 9, 6]]]) / 4
    net = model(2, 3).add("ConvTranspose", weights, np.float32([0.5, -0.25]), strides=[2], group=2)
    net.agrees(random.integers(0, 256, (9, 2, 3)).astype(np.float32), input_type="uint8")
