"""Tables: golden by definition, hardware equal to golden on the predicted cycles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.activation import Lookup, Positions
from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.table import Table
from tests.layers.channelwise_cases import (
    assert_hardware_is_golden,
    folds,
    positions,
    random_codes,
    seeds,
    shapes,
    types,
)


@st.composite
def layers(draw):
    shape, in_type, out_type = draw(shapes), draw(types), draw(types)
    where = draw(positions(*shape[:2]))
    entries = random_codes(
        np.random.default_rng(draw(seeds)), out_type, (where.count, shape[2], in_type.high - in_type.low + 3)
    )
    if draw(st.booleans()):
        entries = np.broadcast_to(entries[:1, :1], entries.shape)
    return Table("curve", "x", shape, in_type, Lookup(entries, in_type.low - 1, where), out_type)


def test_golden_reads_the_entry_of_class_channel_and_code():
    lookup = Lookup(np.array([[[5, 6, 7], [0, 1, 2]], [[1, 1, 1], [4, 3, 4]]]), -1, Positions((0, 1), (0,)))
    layer = Table("curve", "x", (2, 1, 2), TERNARY, lookup, CodeType(0, 7))
    x = np.array([[[[-1, 1]], [[0, 0]]]])
    assert layer.golden(x).tolist() == [[[[5, 2]], [[1, 3]]]]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), layer=layers(), seed=seeds)
def test_hardware_is_golden_on_schedule(data, layer, seed):
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


@pytest.mark.parametrize(
    ("table", "low", "rows", "message"),
    [
        (np.zeros((1, 2, 9)), -1, (0,), r"must have shape \(1 classes, 1 channels, entries\), not \(1, 2, 9\)"),
        (np.zeros((1, 1, 3)), 0, (0,), r"covers 0\.\.2, but inputs are -1\.\.1"),
        (np.zeros((1, 1, 3)), -1, (0, 0), "positions cover 2 x 1, but the map has 1 x 1"),
        (np.zeros((1, 1, 3), dtype=np.int64), -1, (0,), "no bipolar codes"),
    ],
)
def test_an_inconsistent_record_is_refused(table, low, rows, message):
    layer = Table("curve", "x", (1, 1, 1), TERNARY, Lookup(table, low, Positions(rows, (0,))), BIPOLAR)
    with pytest.raises(ValueError, match=message):
        layer.check()


def test_an_illegal_folding_is_refused():
    lookup = Lookup(np.zeros((1, 6, 16), dtype=np.int64), -8, Positions())
    with pytest.raises(OptionError, match=r"PE must divide 6 channels, not 5 \(layer 'curve'\): use 3 or 6"):
        Table("curve", "x", (1, 1, 6), signed(4), lookup, signed(4)).folding.check(Fold(pe=5))


def test_resources_count_one_copy_of_a_table_that_all_channels_share():
    own = np.arange(32).reshape(1, 2, 16) % 16 - 8
    own[0, 1] = own[0, 1, ::-1]
    shared = np.broadcast_to(own[:, :1], own.shape)
    depths = [
        Table("curve", "x", (1, 1, 2), signed(4), Lookup(table, -8, Positions()), signed(4))
        .resources(Fold())
        .memories[0]
        .depth
        for table in (own, shared)
    ]
    assert depths == [32, 16]
