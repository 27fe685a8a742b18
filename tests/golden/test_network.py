"""The packed golden model against the plain one: random networks, and each layer kind at its edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.activation import Positions, Thresholds
from hwgen.codes import BIPOLAR, CodeType, signed, unsigned
from hwgen.errors import DataError
from hwgen.golden.network import PackedNetwork
from hwgen.layers.combine import Combine, Operation
from hwgen.layers.concat import Concat
from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from hwgen.layers.embedding import Embedding
from hwgen.layers.interleave import Interleave
from hwgen.layers.thresholding import Thresholding
from hwgen.layers.window import Window
from hwgen.network import InputPort, Network, OutputPort, check
from tests.random_networks import frames_of, graphs, networks, random_codes
from tests.small_networks import mlp

seeds = st.integers(0, 2**32 - 1)


def alone(layer):
    """Give a network of one layer."""
    port = InputPort("x", layer.in_shape, (0, 1, 2), layer.in_shape, layer.in_type)
    ones = np.ones(layer.out_shape[2])
    return Network(
        "alone",
        (port,),
        (layer,),
        (OutputPort("y", layer.name, layer.out_shape, (0, 1, 2), "float32", ones, 0 * ones),),
    )


def assert_packed_is_golden(network, frames, seed=0):
    codes = frames_of(np.random.default_rng(seed), network, frames).values()
    packed = PackedNetwork(network).golden(*codes)
    assert packed.dtype == np.int64
    assert np.array_equal(packed, network.golden(*codes))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(network=networks(), seed=seeds)
def test_packed_is_golden_on_random_networks(network, seed):
    assert_packed_is_golden(network, 5, seed)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(network=graphs(), seed=seeds)
def test_packed_is_golden_on_random_graphs(network, seed):
    assert_packed_is_golden(network, 5, seed)


def beside(layer, kinds, channels):
    """Give a network of a join whose sources are quantisers of one input."""
    shape = (2, 3, channels)
    port = InputPort("x", shape, (0, 1, 2), shape, signed(4))
    random = np.random.default_rng(channels)
    quantisers = tuple(
        Thresholding(
            f"q{n}",
            "x",
            shape,
            signed(4),
            Thresholds(np.sort(random.integers(-8, 8, (1, channels, kind.levels - 1))), Positions.uniform(2, 3)),
            (False,) * channels,
            kind,
        )
        for n, kind in enumerate(kinds)
    )
    ones = np.ones(layer.out_shape[2])
    output = OutputPort("y", layer.name, layer.out_shape, (0, 1, 2), "float32", ones, 0 * ones)
    network = Network("beside", (port,), (*quantisers, layer), (output,))
    check(network)
    return network


@pytest.mark.parametrize("channels", [1, 8, 13, 64])
@pytest.mark.parametrize(
    "kinds", [(BIPOLAR, BIPOLAR), (BIPOLAR,) * 3, (BIPOLAR, unsigned(2)), (signed(3), unsigned(1))]
)
def test_joins_of_bits_and_integers(channels, kinds):
    shape, sources = (2, 3, channels), tuple(f"q{n}" for n, _ in enumerate(kinds))
    factors = np.random.default_rng(1).integers(-3, 4, (len(kinds), channels))
    product_type = BIPOLAR if all(kind.bipolar for kind in kinds) else signed(6)
    wide = BIPOLAR if all(kind.bipolar for kind in kinds) else signed(3)
    for layer in (
        Combine("join", sources, shape, kinds, Operation.ADD, factors, signed(7)),
        Combine("join", sources, shape, kinds, Operation.MULTIPLY, np.ones_like(factors), product_type),
        Concat("join", sources, (shape,) * len(kinds), kinds, wide),
    ):
        assert_packed_is_golden(beside(layer, kinds, channels), 9)
    if len(set(kinds)) == 1:
        layer = Interleave("join", sources, shape, kinds[0], (1, len(kinds)))
        assert_packed_is_golden(beside(layer, kinds, channels), 9)


def test_no_frames_give_no_outputs():
    assert PackedNetwork(mlp(20, 5)).golden(np.empty((0, 1, 1, 20), dtype=np.int8)).shape == (0, 1, 1, 5)


@pytest.mark.parametrize("frames", [1, 7, 5000])
def test_any_number_of_frames(frames):
    assert_packed_is_golden(mlp(784, 64, 64, 10), frames)


@pytest.mark.parametrize("rows", [1, 128, 129, 300])
@pytest.mark.parametrize("columns", [1, 63, 64, 65, 2049, 4088, 4089])
def test_both_ways_of_counting_differing_bits(rows, columns):
    assert_packed_is_golden(mlp(columns, rows, 3), 33, rows + columns)


@pytest.mark.parametrize("rows", [2, 130])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_extremes_of_an_accumulator_of_more_than_16_bits(sign, rows):
    columns = 70_000
    layer = Dense("d", "x", (1, 1, columns), BIPOLAR, np.full((rows, columns), 1), None, CodeType(-columns, columns))
    network = alone(layer)
    codes = np.full((2, 1, 1, columns), sign, dtype=np.int8)
    assert PackedNetwork(network).golden(codes).tolist() == network.golden(codes).tolist()


@pytest.mark.parametrize("channels", [1, 8, 12])
@pytest.mark.parametrize("pad_value", [-1, 0, 1, 3])
@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (1, 2)])
def test_padding_of_bits_with_any_number(channels, pad_value, kernel):
    random = np.random.default_rng(channels)
    window = Window(kernel, (1, 2), (1, 1), (1, 1, 2, 1))
    weights = random.choice(np.array([-1, 1]), (140, *kernel, channels))
    layer = Conv("c", "x", (5, 5, channels), BIPOLAR, weights, window, pad_value, None, CodeType(-(2**12), 2**12))
    assert_packed_is_golden(alone(layer), 3)
    height, width, rows = layer.out_shape
    levels = random.integers(-9, 9, (1, rows, 1))
    thresholds = Thresholds(levels, Positions.uniform(height, width))
    layer = Conv("c", "x", (5, 5, channels), BIPOLAR, weights, window, pad_value, thresholds, BIPOLAR)
    assert_packed_is_golden(alone(layer), 3)


@pytest.mark.parametrize("kind", [BIPOLAR, signed(4), unsigned(8)], ids=str)
@pytest.mark.parametrize("out_type", [BIPOLAR, signed(2), None], ids=str)
@pytest.mark.parametrize(("groups", "channels", "rows"), [(2, 4, 6), (12, 12, 12), (12, 12, 24), (4, 12, 4)])
def test_groups(kind, out_type, groups, channels, rows):
    random = np.random.default_rng(groups)
    window = Window((3, 2), (1, 2), (2, 1), (1, 1, 2, 1))
    weights = random.integers(-3, 4, (rows, *window.kernel, channels // groups))
    levels = np.sort(random.integers(-40, 40, (1, rows, (out_type or kind).levels - 1)))
    thresholds = None if out_type is None else Thresholds(levels, Positions.uniform(*window.output(6, 5)))
    out_type = out_type or signed(20)
    layer = Conv("c", "x", (6, 5, channels), kind, weights, window, 0, thresholds, out_type, groups)
    assert_packed_is_golden(alone(layer), 3)


@pytest.mark.parametrize("kind", [BIPOLAR, signed(4)], ids=str)
def test_embedding(kind):
    table = random_codes(np.random.default_rng(0), kind, (37, 12))
    assert_packed_is_golden(alone(Embedding("e", "x", (3, 4, 1), CodeType(0, 36), table, kind)), 9)


@pytest.mark.parametrize("weight", [1 << 12, 1 << 30, 1 << 50])
def test_products_beyond_each_floating_point_format(weight):
    random = np.random.default_rng(1)
    weights = random.integers(-weight, weight + 1, (4, 50))
    layer = Dense("d", "x", (1, 1, 50), unsigned(8), weights, None, CodeType(-(1 << 62), 1 << 62))
    assert_packed_is_golden(alone(layer), 20)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
def test_codes_of_any_integer_dtype(dtype):
    for network in (
        mlp(20, 5),
        alone(Dense("d", "x", (1, 1, 9), signed(4), np.eye(9, dtype=np.int64), None, signed(4))),
    ):
        codes = random_codes(np.random.default_rng(0), network.input.type, (4, *network.input.shape)).astype(dtype)
        assert np.array_equal(PackedNetwork(network).golden(codes), network.golden(codes))


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.ones((2, 1, 1, 19), dtype=np.int8), "must have shape"),
        (np.ones((2, 1, 1, 20)), "must be integers"),
        (np.zeros((2, 1, 1, 20), dtype=np.int8), "of type bipolar"),
        (np.full((2, 1, 1, 20), 255, dtype=np.uint8), "of type bipolar"),
    ],
)
def test_illegal_codes_are_refused(codes, message):
    with pytest.raises(DataError, match=message):
        PackedNetwork(mlp(20, 5)).golden(codes)


def test_numbers_out_of_range_are_refused():
    network = alone(Dense("d", "x", (1, 1, 2), signed(4), np.ones((1, 2), dtype=np.int64), None, signed(5)))
    with pytest.raises(DataError, match="of type int4"):
        PackedNetwork(network).golden(np.array([[[[0, 8]]]]))
