"""The matrix-vector-threshold unit on its own: position classes, storage, levels, and the packing of its memories."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.activation import Positions, Thresholds
from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned
from hwgen.errors import OptionError
from hwgen.fold import Fold, LaneStyle, MemoryStyle
from hwgen.layers.matvec import MatVec, accumulator_range, pack_words
from hwgen.rtl_templates.compute.dot_product import Lanes
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.registers.write_bus import looked_at
from hwgen.rtl_templates.streams.stream_check import pack, run, unpack

POSITIONS = Positions(rows=(0, 1, 1, 2), columns=(0, 1, 2, 2, 1))


def rtl(matrix: MatVec, fold: Fold, vectors: np.ndarray, **stalls: object) -> np.ndarray:
    """Run the unit alone, the test replaying each vector."""
    unit = matrix.unit(fold)
    row_folds = len(matrix.weights) // fold.pe
    fields = matrix.in_type.to_bits(vectors).reshape(len(vectors), -1, fold.simd)
    beats = [pack(beat, matrix.in_type.bits) for vector in fields for _ in range(row_folds) for beat in vector]
    result = run(unit, beats, len(vectors) * row_folds, **stalls)
    if not stalls or "writes" in stalls:
        column_folds = fields.shape[1]
        assert result.taken == list(range(len(beats)))
        assert result.given == [n + unit.latency for n in range(column_folds - 1, len(beats), column_folds)]
        assert (unit.latency, unit.slots) == matrix.pipeline(fold)
    bits = matrix.out_type.bits
    codes = [code for beat in result.payloads for code in unpack(beat, fold.pe, bits)]
    return matrix.out_type.from_bits(np.array(codes, dtype=np.uint64)).reshape(len(vectors), -1)


def ref(matrix: MatVec, vectors: np.ndarray) -> np.ndarray:
    positions = Positions(matrix.position_rows, matrix.position_columns)
    classes = np.resize(positions.classes().ravel(), len(vectors))
    sums = vectors @ matrix.weights.T
    if matrix.correction is not None:
        sums = sums + matrix.correction[classes]
    if matrix.levels is None:
        return sums
    counts = np.sum(sums[:, :, None] >= matrix.levels[classes], axis=-1)
    return 2 * counts - 1 if matrix.out_type.bipolar else matrix.out_type.low + counts


def make_matrix(in_type, out_type, rows, columns, choices=(-1, 1), seed=0):
    rng = np.random.default_rng(rows * columns + seed)
    weights = rng.choice(np.array(choices), (rows, columns)).astype(np.int64)
    correction = rng.integers(-5, 6, (POSITIONS.count, rows))
    low, high = (
        int(bound.min() if sign else bound.max())
        for sign, bound in zip((1, 0), accumulator_range(weights, in_type), strict=True)
    )
    levels = None
    if out_type is None:
        out_type = CodeType(low - 5, high + 5)
    else:
        levels = np.sort(rng.integers(low - 4, high + 5, (POSITIONS.count, rows, out_type.levels - 1)))
    return MatVec(weights, in_type, out_type, levels, correction, POSITIONS.rows, POSITIONS.columns)


def make_vectors(in_type, count, columns):
    values = (-1, 1) if in_type.bipolar else range(in_type.low, in_type.high + 1)
    return np.random.default_rng(count).choice(np.array(values), (count, columns)).astype(np.int64)


@pytest.mark.parametrize("in_type", [BIPOLAR, unsigned(3), signed(4)], ids=str)
@pytest.mark.parametrize("out_type", [BIPOLAR, unsigned(2), None], ids=str)
@pytest.mark.parametrize("choices", [(-1, 1), (-2, 0, 3)], ids=str)
@pytest.mark.parametrize(("pe", "simd"), [(1, 2), (2, 8), (4, 8)])
def test_each_position_has_its_own_thresholds(in_type, out_type, choices, pe, simd):
    matrix = make_matrix(in_type, out_type, 4, 8, choices)
    vectors = make_vectors(in_type, 23, 8)
    expected = ref(matrix, vectors)
    np.testing.assert_array_equal(rtl(matrix, Fold(pe=pe, simd=simd), vectors), expected)
    stalled = rtl(matrix, Fold(pe=pe, simd=simd), vectors, source_stall=0.3, sink_stall=0.5, reset_at=33)
    np.testing.assert_array_equal(stalled, expected)


@pytest.mark.parametrize("registers", [1, 3])
@pytest.mark.parametrize("memory", [MemoryStyle.BLOCK, MemoryStyle.DISTRIBUTED])
def test_registers_in_front_of_the_lanes_cost_cycles_and_nothing_else(registers, memory):
    matrix = make_matrix(BIPOLAR, unsigned(2), 4, 8)
    vectors = make_vectors(BIPOLAR, 23, 8)
    near, far = (Fold(pe=2, simd=4, memory=memory, fetch_registers=count) for count in (0, registers))
    assert matrix.pipeline(far)[0] == matrix.pipeline(near)[0] + registers
    np.testing.assert_array_equal(rtl(matrix, far, vectors), ref(matrix, vectors))
    stalled = rtl(matrix, far, vectors, source_stall=0.3, sink_stall=0.5, reset_at=33)
    np.testing.assert_array_equal(stalled, ref(matrix, vectors))
    parts = [matrix.bill("unit", replace(fold, slots=8)).parts for fold in (near, far)]
    assert parts[1][Part.FLIPFLOP] - parts[0][Part.FLIPFLOP] == registers * (2 + 4 + 2 * 4)


def test_a_layer_without_a_memory_has_no_registers_in_front_of_its_lanes():
    matrix = make_matrix(BIPOLAR, unsigned(2), 4, 8)
    assert matrix.pipeline(Fold(pe=4, simd=8, fetch_registers=2)) == matrix.pipeline(Fold(pe=4, simd=8))


DIGITS = {
    "bipolar": (-1, 1),
    "ternary": (-1, 0, 1),
    "odd": (-3, -1, 1, 3),
    "ones": (0, 1),
    "minus": (-1, 0),
    "three bits": (-4, -1, 0, 2, 3),
    "unsigned": (0, 1, 5, 15),
    "eight bits": (-128, -1, 0, 127),
}
KINDS = [BIPOLAR, unsigned(1), unsigned(2), signed(2), CodeType(-1, 0), CodeType(2, 6), signed(8), signed(16)]


@pytest.mark.parametrize("choices", DIGITS.values(), ids=DIGITS)
@pytest.mark.parametrize("in_type", KINDS, ids=str)
def test_every_kind_of_lane_is_exact_up_to_the_extremes(choices, in_type):
    number = KINDS.index(in_type) + list(DIGITS.values()).index(choices)
    style, simd = (LaneStyle.PLANES, LaneStyle.WORDS)[number % 4 == 3], (4, 1, 3, 2, 5)[number % 5]
    matrix = make_matrix(in_type, None, 4, 2 * simd, choices)
    weights = matrix.weights.copy()
    weights[0], weights[1] = max(choices), min(choices)
    low, high = accumulator_range(weights, in_type)
    out_type = CodeType(int(low.min()) - 5, int(high.max()) + 5)
    matrix = replace(matrix, weights=weights, out_type=out_type)
    vectors = make_vectors(in_type, 5, matrix.columns)
    extremes = np.full((2, matrix.columns), in_type.low)
    extremes[1] = in_type.high
    vectors = np.concatenate([extremes, vectors])
    fold = Fold(pe=2, simd=simd, lanes=style)
    assert matrix.folded(fold).lanes.counts_planes is (style is LaneStyle.PLANES)
    np.testing.assert_array_equal(rtl(matrix, fold, vectors), ref(matrix, vectors))


@pytest.mark.parametrize("in_type", [BIPOLAR, unsigned(1)], ids=str)
@pytest.mark.parametrize(("rows", "columns"), [(2, 1), (3, 12), (5, 7), (7, 33)])
def test_rows_that_share_sums_are_exact_up_to_the_extremes(in_type, rows, columns):
    fold = Fold(pe=rows, simd=columns)
    for out_type in (None, BIPOLAR, unsigned(2)):
        matrix = make_matrix(in_type, out_type, rows, columns)
        assert matrix.folded(fold).style is LaneStyle.SHARED
        vectors = np.concatenate([matrix.weights, -matrix.weights, make_vectors(BIPOLAR, 9, columns)])
        vectors = vectors if in_type.bipolar else (vectors + 1) // 2
        np.testing.assert_array_equal(rtl(matrix, fold, vectors), ref(matrix, vectors))


def test_sums_are_shared_only_where_everything_is_constant_and_at_once():
    matrix = make_matrix(BIPOLAR, None, 4, 8)
    whole = Fold(pe=4, simd=8)
    for other in (replace(whole, pe=2), replace(whole, simd=4), matrix.writable(whole)):
        assert matrix.folded(other).style is not LaneStyle.SHARED
    matrix.check_lanes(replace(whole, lanes=LaneStyle.SHARED), "dense0")
    for other in (replace(whole, pe=2), replace(whole, simd=4)):
        with pytest.raises(OptionError, match="Layer 'dense0' cannot have lanes 'shared', which need all"):
            matrix.check_lanes(replace(other, lanes=LaneStyle.SHARED), "dense0")


MASKED = LaneStyle.MASKED


@pytest.mark.parametrize("out_type", [BIPOLAR, TERNARY, None], ids=str)
@pytest.mark.parametrize(("pe", "simd"), [(1, 1), (4, 1), (2, 3), (1, 6), (4, 12)])
def test_masked_lanes_are_exact_up_to_the_extremes(out_type, pe, simd):
    matrix = make_matrix(TERNARY, out_type, 4, 12)
    vectors = np.concatenate(
        [
            matrix.weights,
            -matrix.weights,
            0 * matrix.weights,
            make_vectors(TERNARY, 11, 12),
            make_vectors(BIPOLAR, 4, 12),
        ]
    )
    fold, expected = Fold(pe=pe, simd=simd, lanes=MASKED), ref(matrix, vectors)
    assert matrix.folded(fold).lanes is Lanes.MASKED_XNOR
    np.testing.assert_array_equal(rtl(matrix, fold, vectors), expected)
    stalled = rtl(matrix, fold, vectors, source_stall=0.3, sink_stall=0.5, reset_at=33)
    np.testing.assert_array_equal(stalled, expected)
    written = matrix.writable(fold)
    assert matrix.folded(written).lanes is Lanes.MASKED_XNOR
    np.testing.assert_array_equal(rtl(matrix, written, vectors), expected)


def test_inputs_of_three_values_are_masked_where_many_lanes_of_several_rows_gain_by_it():
    matrix = make_matrix(TERNARY, None, 4, 32)
    assert matrix.folded(Fold(pe=2, simd=16)).style is MASKED
    assert {fold.lanes for fold in matrix.lane_choices(Fold(pe=2, simd=16))} == set(LaneStyle) - {
        MASKED,
        LaneStyle.SHARED,
    }
    for few in (Fold(pe=1, simd=16), Fold(pe=2, simd=8)):
        assert matrix.folded(few).style is LaneStyle.PLANES
        assert MASKED in {fold.lanes for fold in matrix.lane_choices(few)}
    whole = Fold(pe=2, simd=16, lanes=MASKED)
    for other in (
        make_matrix(TERNARY, None, 4, 32, (-1, 0, 1)),
        make_matrix(signed(2), None, 4, 32),
        replace(matrix, same_inputs=False),
    ):
        assert MASKED not in {fold.lanes for fold in other.lane_choices(replace(whole, lanes=LaneStyle.AUTO))}
        with pytest.raises(OptionError, match=r"Layer 'dense0' cannot have lanes 'masked', which need weights of \+-1"):
            other.check_lanes(whole, "dense0")


def test_weights_of_odd_numbers_need_a_plane_less():
    matrix = make_matrix(unsigned(2), None, 4, 8, (-3, -1, 1, 3))
    planes = matrix.folded(Fold(pe=2, simd=4, lanes=LaneStyle.PLANES))
    words = matrix.folded(Fold(pe=2, simd=4, lanes=LaneStyle.WORDS))
    assert (planes.lanes, planes.weight_shape.width) == (Lanes.XNOR, 2)
    assert (words.lanes, words.weight_shape.width) == (Lanes.MULTIPLY, 3)


@pytest.mark.parametrize("memory", [style for style in MemoryStyle if style is not MemoryStyle.SPRAM])
@pytest.mark.parametrize("steps", [1, 2, 3, 5, 7, 15])
def test_storage_and_number_of_levels_change_nothing_else(memory, steps):
    matrix = make_matrix(BIPOLAR, CodeType(-2, steps - 2), 4, 32)
    vectors = make_vectors(BIPOLAR, 25, 32)
    np.testing.assert_array_equal(rtl(matrix, Fold(pe=2, simd=16, memory=memory), vectors), ref(matrix, vectors))


def test_every_reachable_sum_meets_every_level():
    """XNOR lanes: all sums of 5 lanes against all levels from below the range to above it."""
    vectors = np.array([[1] * ones + [-1] * (5 - ones) for ones in range(6)])
    for level in range(-7, 8):
        matrix = MatVec(np.ones((1, 5), dtype=np.int64), BIPOLAR, BIPOLAR, np.full((1, 1, 1), level))
        assert rtl(matrix, Fold(pe=1, simd=5), vectors).ravel().tolist() == [
            1 if 2 * ones - 5 >= level else -1 for ones in range(6)
        ]


def test_an_unfolded_unit_of_one_position_class_has_only_constants():
    levels = Thresholds(np.zeros((1, 4, 1), dtype=np.int64), Positions.uniform(3, 3)).levels
    matrix = MatVec(np.ones((4, 8), dtype=np.int64), BIPOLAR, BIPOLAR, levels)
    unfolded = matrix.bill("m", Fold(pe=4, simd=8)).resources().memories
    assert [memory.name for memory in unfolded] == ["m.queue"]


def test_words_are_packed_in_reading_order():
    fields = np.arange(24).reshape(4, 6)
    words = pack_words(fields, bits=5, pe=2, simd=3)
    assert [unpack(word, 6, 5) for word in words] == [
        [0, 1, 2, 6, 7, 8],
        [3, 4, 5, 9, 10, 11],
        [12, 13, 14, 18, 19, 20],
        [15, 16, 17, 21, 22, 23],
    ]


def test_the_accumulator_is_as_wide_as_its_range():
    weights = np.ones((2, 15), dtype=np.int64)
    assert MatVec(weights, BIPOLAR, BIPOLAR, np.zeros((1, 2, 1))).sum_range == (0, 15)
    assert MatVec(2 * weights, signed(2), BIPOLAR, np.zeros((1, 2, 1))).sum_range == (-60, 30)


WRITTEN = [
    (BIPOLAR, BIPOLAR, (-1, 1)),
    (unsigned(3), unsigned(2), (-1, 1)),
    (signed(4), None, (-1, 1)),
    (BIPOLAR, unsigned(2), (-1, 0, 1)),
    (unsigned(2), None, (-3, 0, 4)),
]


@pytest.mark.parametrize(("in_type", "out_type", "choices"), WRITTEN, ids=str)
@pytest.mark.parametrize("memory", [MemoryStyle.BLOCK, MemoryStyle.DISTRIBUTED, MemoryStyle.SPRAM])
@pytest.mark.parametrize(("pe", "simd"), [(2, 4), (4, 16)])
def test_weights_and_thresholds_are_written_and_no_cycle_changes(in_type, out_type, choices, memory, pe, simd):
    before = make_matrix(in_type, out_type, 4, 16, choices)
    after = make_matrix(in_type, out_type, 4, 16, choices, seed=1)
    after = replace(after, out_type=before.out_type)
    fold = before.writable(Fold(pe=pe, simd=simd, memory=memory))
    with looked_at():
        old, new = dict(before.unit(fold).memories), dict(after.unit(fold).memories)
    assert [(name, memory.width) for name, memory in old.items()] == [
        (name, memory.width) for name, memory in new.items()
    ]
    vectors = make_vectors(in_type, 23, 16)
    if memory is not MemoryStyle.SPRAM:
        np.testing.assert_array_equal(rtl(before, fold, vectors), ref(before, vectors))
    written = rtl(before, fold, vectors, writes=new)
    np.testing.assert_array_equal(written, ref(after, vectors))
    same_lanes = before.folded(fold).style
    assert before.pipeline(fold) == before.pipeline(Fold(pe=pe, simd=simd, memory=memory, lanes=same_lanes))


@pytest.mark.parametrize("style", LaneStyle)
def test_a_writable_matrix_is_wide_enough_for_the_worst_weights(style):
    weights = np.ones((2, 5), dtype=np.int64)
    for in_type, choices in [
        (unsigned(3), (-1, 1)),
        (signed(3), (-4, 3)),
        (BIPOLAR, (-8, 7)),
        (CodeType(1, 5), (-2, 1)),
    ]:
        matrix = MatVec(weights * choices[1], in_type, BIPOLAR, np.zeros((1, 2, 1)))
        fold = MatVec(np.array([choices]), in_type, BIPOLAR, np.zeros((1, 1, 1))).writable(Fold(lanes=style))
        low, high = matrix.folded(fold).sum_range
        for row in ([choices[0]] * 5, [choices[1]] * 5, [choices[0], choices[1]] * 2 + [choices[0]]):
            other = MatVec(np.array([row]), in_type, BIPOLAR, np.zeros((1, 1, 1))).folded(fold)
            ends = [(bound - other.offset) // other.scale for bound in accumulator_range(other.weights, in_type)]
            assert low <= ends[0]
            assert ends[1] <= high


def test_a_table_that_no_weights_change_stays_a_constant():
    matrix = MatVec(np.ones((4, 8), dtype=np.int64), BIPOLAR, CodeType(-8, 8), None)
    with looked_at():
        assert list(matrix.unit(matrix.writable(Fold(pe=2, simd=4))).memories) == ["weights"]
