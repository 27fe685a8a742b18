"""Output FIFOs that are deep and wide enough for block RAM, through which a beat takes a cycle more: in every kind of layer, in hardware and on schedule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hwgen.activation import Lookup, Positions, Thresholds
from hwgen.codes import signed, unsigned
from hwgen.fold import Fold
from hwgen.layers.combine import Combine, Operation
from hwgen.layers.concat import Concat
from hwgen.layers.crop import Crop
from hwgen.layers.embedding import Embedding
from hwgen.layers.interleave import Interleave
from hwgen.layers.pad import Pad
from hwgen.layers.protocol import Layer
from hwgen.layers.reshape import Reshape
from hwgen.layers.select import Select
from hwgen.layers.table import Table
from hwgen.layers.thresholding import Thresholding
from hwgen.layers.topk import TopK
from hwgen.layers.upsample import Upsample
from hwgen.rtl_templates.memory import suits_block_ram
from tests.layers import channelwise_cases, join_cases

SLOTS = 32
SHAPE, KIND, ALIKE = (2, 2, 16), signed(4), Positions.uniform(2, 2)
RANDOM = np.random.default_rng(0)

ONE_INPUT = [
    Crop("crop", "x", SHAPE, KIND, (0, 0, 2, 1)),
    Select("select", "x", (2, 2, 8), KIND, tuple(range(8))),
    Reshape("reshape", "x", SHAPE, KIND, (1, 1, 64)),
    Pad("pad", "x", SHAPE, KIND, (1, 0, 0, 1), 3),
    Upsample("upsample", "x", SHAPE, KIND, (2, 1)),
    TopK("topk", "x", SHAPE, KIND, 10, True),
    Thresholding(
        "thresholding",
        "x",
        SHAPE,
        KIND,
        Thresholds(np.arange(-7, 8)[None, None] + np.zeros((1, 16, 1), int), ALIKE),
        (False,) * 16,
        KIND,
    ),
    Table("table", "x", SHAPE, KIND, Lookup(RANDOM.integers(-8, 8, (1, 16, 16)), -8, ALIKE), KIND),
    Embedding("embedding", "x", (2, 2, 1), unsigned(3), RANDOM.integers(-8, 8, (8, 16)), KIND),
]
JOINS = [
    Concat("concat", ("x", "y"), ((2, 2, 8), (2, 2, 8)), (KIND, KIND), KIND),
    Interleave("interleave", ("x", "y"), SHAPE, KIND, (1, 2)),
    Combine("combine", ("x", "y"), SHAPE, (KIND, KIND), Operation.ADD, np.ones((2, 16), np.int64), signed(5)),
]


def widest(layer: Layer) -> Fold:
    """Give the folding with the widest beats, and check that what holds them is a block RAM."""
    fold = replace(max(layer.folding.folds(), key=lambda fold: (fold.pe, fold.simd)), slots=SLOTS)
    codes = layer.k if isinstance(layer, TopK) else layer.folding.out_lanes(fold)
    assert suits_block_ram(SLOTS, codes * layer.out_type.bits)
    assert not suits_block_ram(SLOTS, codes + layer.out_type.bits)
    return fold


@pytest.mark.parametrize("layer", ONE_INPUT, ids=lambda layer: layer.name)
def test_a_layer_of_one_input(layer: Layer) -> None:
    channelwise_cases.assert_hardware_is_golden(layer, widest(layer), 1)


@pytest.mark.parametrize("layer", JOINS, ids=lambda layer: layer.name)
def test_a_joint(layer: Layer) -> None:
    join_cases.assert_hardware_is_golden(layer, widest(layer), 1)
