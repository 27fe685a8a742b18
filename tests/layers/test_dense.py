"""The dense layer: hardware == golden, and every transfer in the predicted cycle."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.activation import Positions, Thresholds
from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned
from hwgen.errors import OptionError
from hwgen.fold import Fold, MemoryStyle
from hwgen.layers.dense import Dense
from hwgen.layers.matvec import accumulator_range
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.streams.stream_check import Run, pack, run, unpack
from hwgen.timing.predict import predict
from tests.layers.channelwise_cases import STYLES

WEIGHTS = {"binary": (-1, 1), "ternary": (-1, 0, 1), "small": (-4, -1, 0, 2, 3), "positive": (0, 1, 3), "zero": (0,)}
IN_TYPES = [
    BIPOLAR,
    TERNARY,
    unsigned(1),
    unsigned(2),
    unsigned(8),
    signed(3),
    signed(8),
    CodeType(-1, 0),
    CodeType(0, 9),
]
OUT_TYPES = [BIPOLAR, unsigned(1), unsigned(2), signed(3), TERNARY, CodeType(3, 8), None]


def make_layer(rows, columns, in_type, out_type, weights="binary", seed=0):
    """Draw weights, and levels that include never, always, the extremes, and ties with reachable accumulators."""
    rng = np.random.default_rng(seed)
    matrix = rng.choice(WEIGHTS[weights], (rows, columns)).astype(np.int64)
    low, high = accumulator_range(matrix, in_type)
    if out_type is None:
        return Dense("dense", "x", (1, 1, columns), in_type, matrix, None, CodeType(int(low.min()), int(high.max())))
    levels = rng.integers(low.min() - 2, high.max() + 3, (1, rows, out_type.levels - 1))
    special = np.stack([low, high, high + 1, low - 7, np.full(rows, 2**40)], axis=1)
    chosen = rng.integers(0, 8, levels.shape)
    levels = np.where(chosen < 5, special[np.arange(rows)[None, :, None], np.minimum(chosen, 4)], levels)
    return Dense("dense", "x", (1, 1, columns), in_type, matrix, Thresholds(np.sort(levels), Positions()), out_type)


def make_codes(layer, frames, seed=1):
    rng = np.random.default_rng(seed)
    values = (-1, 1) if layer.in_type.bipolar else range(layer.in_type.low, layer.in_type.high + 1)
    codes = rng.choice(np.array(values), (frames, *layer.in_shape)).astype(np.int64)
    codes[0] = layer.in_type.low
    codes[1] = layer.in_type.high
    return codes


def ref(layer, codes):
    return layer.golden(codes).reshape(-1)


def rtl(layer, fold, codes, **stalls) -> tuple[np.ndarray, Run]:
    fields = layer.in_type.to_bits(codes).reshape(-1, layer.folding.input_lanes(fold)[0])
    outputs = len(codes) * layer.rows // layer.folding.out_lanes(fold)
    result = run(layer.component(fold), [pack(beat, layer.in_type.bits) for beat in fields], outputs, **stalls)
    lanes, bits = layer.folding.out_lanes(fold), layer.out_type.bits
    fields = [field for beat in result.payloads for field in unpack(beat, lanes, bits)]
    return layer.out_type.from_bits(np.array(fields, dtype=np.uint64)), result


def check_exact(layer, fold, frames=5):
    """Hold data and cycles to golden model and schedule."""
    layer.check()
    layer.folding.check(fold)
    codes = make_codes(layer, frames)
    values, result = rtl(layer, fold, codes)
    prediction = predict([layer.timing(fold)], frames)
    np.testing.assert_array_equal(values, ref(layer, codes))
    np.testing.assert_array_equal(result.taken, prediction.transfers[0])
    np.testing.assert_array_equal(result.given, prediction.transfers[-1])


FOLDS = [Fold(pe=pe, simd=simd) for pe in (1, 2, 6) for simd in (1, 3, 4, 12)]


@pytest.mark.parametrize("fold", FOLDS, ids=lambda fold: f"{fold.pe}x{fold.simd}")
@pytest.mark.parametrize("out_type", [BIPOLAR, unsigned(2), None], ids=str)
def test_every_folding_is_exact_and_on_schedule(fold, out_type):
    check_exact(make_layer(6, 12, BIPOLAR, out_type), fold)


@pytest.mark.parametrize("in_type", IN_TYPES, ids=str)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("out_type", [signed(3), None], ids=str)
def test_every_kind_of_lane_is_exact_and_on_schedule(in_type, weights, out_type):
    check_exact(make_layer(4, 6, in_type, out_type, weights, seed=3), Fold(pe=2, simd=3), frames=3)


@st.composite
def cases(draw):
    pe, simd, row_folds, column_folds = (draw(st.integers(1, top)) for top in (4, 17, 3, 4))
    in_type, out_type = draw(st.sampled_from(IN_TYPES)), draw(st.sampled_from(OUT_TYPES))
    weights, seed = draw(st.sampled_from(list(WEIGHTS))), draw(st.integers(0, 2**20))
    layer = make_layer(pe * row_folds, simd * column_folds, in_type, out_type, weights, seed)
    slots = draw(st.none() | st.integers(1, 6))
    buffer = draw(st.none() | st.integers(column_folds, 3 * column_folds))
    memory = draw(st.sampled_from(STYLES))
    return layer, Fold(pe=pe, simd=simd, slots=slots, buffer_beats=buffer, memory=memory)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(cases())
def test_random_layers_are_exact_and_on_schedule(case):
    check_exact(*case, frames=4)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(cases(), st.sampled_from([(0.5, 0.0), (0.0, 0.5), (0.4, 0.4)]), st.none() | st.integers(1, 40))
def test_stalls_and_reset_change_no_value(case, stalls, reset_at):
    layer, fold = case
    codes = make_codes(layer, 4)
    values, _ = rtl(layer, fold, codes, source_stall=stalls[0], sink_stall=stalls[1], reset_at=reset_at)
    np.testing.assert_array_equal(values, ref(layer, codes))


@pytest.mark.parametrize("fold", FOLDS, ids=lambda fold: f"{fold.pe}x{fold.simd}")
def test_the_default_slots_and_buffer_cost_no_cycle(fold):
    layer = make_layer(6, 12, BIPOLAR, BIPOLAR)
    assert predict([layer.timing(fold)], 4).ii == layer.timing(fold).interval == 72 // (fold.pe * fold.simd)


def test_golden_is_the_plain_sum_of_products():
    layer = make_layer(3, 5, signed(8), None, "small")
    codes = make_codes(layer, 3)
    for frame, vector in enumerate(codes.reshape(3, 5).tolist()):
        for row, weights in enumerate(layer.weights.tolist()):
            assert layer.golden(codes)[frame, 0, 0, row] == sum(w * x for w, x in zip(weights, vector, strict=True))


def test_a_wide_layer_holds_its_extremes():
    layer = make_layer(2, 256, BIPOLAR, None)
    codes = np.where(np.stack([layer.weights, -layer.weights]) > 0, 1, -1).reshape(4, 1, 1, 256)
    for simd in (64, 256):
        values, _ = rtl(layer, Fold(pe=1, simd=simd), codes)
        assert values.min() == -256
        assert values.max() == 256
        np.testing.assert_array_equal(values, ref(layer, codes))


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (Fold(pe=4), r"PE must divide 6 output channels, not 4 \(layer 'dense'\): use 3 or 6"),
        (Fold(simd=5), r"SIMD must divide 12 inputs, not 5 \(layer 'dense'\): use 4 or 6"),
        (Fold(slots=0), "Layer 'dense' needs at least 1 slot"),
        (Fold(simd=4, buffer_beats=2), "must hold a vector of 3 beats, not 2"),
    ],
)
def test_an_illegal_fold_is_refused(fold, message):
    with pytest.raises(OptionError, match=message):
        make_layer(6, 12, BIPOLAR, BIPOLAR).folding.check(fold)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"in_shape": (1, 1, 11)}, r"needs weights of shape \(rows, 11\), not \(6, 12\)"),
        ({"thresholds": None}, "yields accumulators -12..12, which do not fit bipolar"),
        ({"out_type": unsigned(2)}, r"needs thresholds of shape \(1, 6, 3\), not \(1, 6, 1\)"),
    ],
)
def test_an_inconsistent_record_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(make_layer(6, 12, BIPOLAR, BIPOLAR), **change).check()


def test_folds_are_the_divisors():
    assert [(fold.pe, fold.simd) for fold in make_layer(2, 3, BIPOLAR, BIPOLAR).folding.folds()] == [
        (1, 1),
        (1, 3),
        (2, 1),
        (2, 3),
    ]


@pytest.mark.parametrize("pe", [1, 6])
def test_resources_name_the_memories(pe):
    layer = make_layer(6, 12, BIPOLAR, BIPOLAR)
    resources = layer.resources(Fold(pe=pe, simd=4, memory=MemoryStyle.BLOCK))
    sizes = {memory.name: (memory.depth, memory.width, memory.style) for memory in resources.memories}
    assert sizes["dense.weights"] == (18 // pe, pe * 4, MemoryStyle.BLOCK)
    assert ("dense.vectors" in sizes) == (pe == 1)
    assert resources.parts[Part.FLIPFLOP] > 0
    assert resources.parts[Part.UNIT] == 1 + (pe == 1)


@pytest.mark.parametrize(("low", "high", "fits"), [(-2, 8, True), (-1, 8, False), (-2, 7, False)])
def test_the_type_of_raw_sums_holds_every_row(low, high, fits):
    """One row alone reaches the lowest sum, another the highest."""
    layer = Dense("fc", "x", (1, 1, 2), CodeType(0, 2), np.array([[-1, 0], [1, 0], [3, 1]]), None, CodeType(low, high))
    if fits:
        layer.check()
    else:
        with pytest.raises(ValueError, match=r"Layer 'fc' yields accumulators -2\.\.8, which do not fit"):
            layer.check()
