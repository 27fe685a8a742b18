"""Products of two maps: golden by definition, hardware equal to golden on the predicted cycles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.activation import Positions, Thresholds
from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned
from hwgen.errors import OptionError
from hwgen.fold import Fold, LaneStyle, WindowStyle
from hwgen.layers.matmul import MatMul
from hwgen.rtl_templates.compute.dot_product import Lanes
from hwgen.rtl_templates.registers.write_bus import looked_at
from hwgen.rtl_templates.streams.stream_check import run_ports
from tests.layers.channelwise_cases import beats, positions, random_codes, seeds
from tests.layers.join_cases import assert_hardware_is_golden, folds

BOOL = CodeType(0, 1)
TYPES = (BIPOLAR, BIPOLAR, BOOL, TERNARY, unsigned(3), signed(3), CodeType(-1, 0), CodeType(2, 5))


def product(
    kinds: tuple[CodeType, CodeType],
    *,
    matrices: int = 1,
    pixels: int = 3,
    groups: int = 2,
    rows: int = 4,
    columns: int = 6,
    by_rows: bool = True,
) -> MatMul:
    """Give a product whose accumulators go out."""
    second = (matrices, rows, groups * columns) if by_rows else (matrices, columns, groups * rows)
    shapes = ((matrices, pixels, groups * columns), second)
    layer = MatMul("product", ("q", "k"), shapes, kinds, groups, by_rows, None, BIPOLAR)
    return replace(layer, out_type=CodeType(*layer.accumulator_range()))


def activated(layer: MatMul, kind: CodeType, random: np.random.Generator, where: Positions) -> MatMul:
    """Give the same with random thresholds."""
    low, high = layer.accumulator_range()
    shape = (where.count, layer.out_shape[2], kind.levels - 1)
    levels = np.sort(random.integers(low - 1, high + 2, shape), axis=-1)
    return replace(layer, thresholds=Thresholds(levels, where), out_type=kind)


def test_scores_and_values_of_two_heads_are_those_of_numpy() -> None:
    random = np.random.default_rng(1)
    q, k, v = (random_codes(random, BIPOLAR, (2, 1, 5, 6)) for _ in range(3))
    weights = random.integers(0, 2, (2, 1, 5, 10))
    scores = product((BIPOLAR, BIPOLAR), pixels=5, rows=5, columns=3).golden(q, k)
    context = product((BOOL, BIPOLAR), pixels=5, rows=3, columns=5, by_rows=False).golden(weights, v)
    for head in range(2):
        mine, theirs = slice(3 * head, 3 * head + 3), slice(5 * head, 5 * head + 5)
        np.testing.assert_array_equal(scores[..., theirs], np.einsum("fbqd,fbkd->fbqk", q[..., mine], k[..., mine]))
        np.testing.assert_array_equal(
            context[..., mine], np.einsum("fbqk,fbkd->fbqd", weights[..., theirs], v[..., mine])
        )


def test_each_row_of_vectors_meets_its_own_matrix() -> None:
    layer = product((BOOL, BOOL), matrices=2, pixels=1, groups=1, rows=2, columns=1)
    x, w = np.array([1, 1]).reshape(1, 2, 1, 1), np.array([1, 0, 0, 1]).reshape(1, 2, 2, 1)
    assert layer.golden(x, w).ravel().tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize("kinds", [(BOOL, signed(30)), (signed(14), signed(14))], ids=str)
def test_wide_numbers_are_summed_exactly(kinds: tuple[CodeType, CodeType]) -> None:
    layer = product(kinds, pixels=1, groups=1, rows=1, columns=9)
    x, w = (np.full((1, *entry.shape), entry.type.high) for entry in layer.inputs)
    x.flat[0], w.flat[0] = 0, 1
    assert layer.golden(x, w).item() == 8 * kinds[0].high * kinds[1].high


@st.composite
def products(draw: st.DrawFn) -> MatMul:
    """Draw a product of two maps, with thresholds or without."""
    kinds = (draw(st.sampled_from(TYPES)), draw(st.sampled_from(TYPES)))
    sizes = {name: draw(st.integers(1, most)) for name, most in (("matrices", 2), ("pixels", 3), ("groups", 2))}
    sizes |= {name: draw(st.sampled_from([1, 2, 3, 4])) for name in ("rows", "columns")}
    layer = product(kinds, by_rows=draw(st.booleans()), **sizes)
    kind = draw(st.sampled_from([None, BIPOLAR, BOOL, unsigned(2), CodeType(-2, 3)]))
    if kind is None:
        return layer
    where = draw(positions(sizes["matrices"], sizes["pixels"]))
    return activated(layer, kind, np.random.default_rng(draw(seeds)), where)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), layer=products(), seed=seeds)
def test_hardware_is_golden(data: st.DataObject, layer: MatMul, seed: int) -> None:
    fold = data.draw(folds(layer))
    room = layer.columns // fold.simd * data.draw(st.sampled_from([0, 1, 2]))
    assert_hardware_is_golden(layer, replace(fold, buffer_beats=room or None), seed)


@pytest.mark.parametrize("lanes", [LaneStyle.PLANES, LaneStyle.WORDS])
@pytest.mark.parametrize("kinds", [(signed(3), CodeType(-1, 0)), (unsigned(2), signed(2)), (TERNARY, TERNARY)], ids=str)
def test_planes_and_words_give_the_same(kinds: tuple[CodeType, CodeType], lanes: LaneStyle) -> None:
    assert_hardware_is_golden(product(kinds), Fold(pe=2, simd=3, lanes=lanes), seed=3)


@pytest.mark.parametrize(
    ("kinds", "lanes"),
    [
        ((BIPOLAR, BIPOLAR), Lanes.XNOR),
        ((BOOL, BIPOLAR), Lanes.SIGNED_BY_WEIGHT),
        ((BIPOLAR, signed(4)), Lanes.SIGNED_BY_INPUT),
        ((unsigned(2), signed(2)), Lanes.PRODUCT),
    ],
)
def test_signs_are_compared_and_numbers_multiplied(kinds: tuple[CodeType, CodeType], lanes: Lanes) -> None:
    assert product(kinds).operands.lanes(Fold()) is lanes


def test_thresholds_are_written_and_no_cycle_changes() -> None:
    random, where = np.random.default_rng(5), Positions((0,), (0, 1, 1))
    before, after = (activated(product((BIPOLAR, BIPOLAR)), unsigned(2), random, where) for _ in range(2))
    fold = before.writable(Fold(pe=2, simd=3))
    assert before.timing(fold).outlets[0].latency == before.timing(Fold(pe=2, simd=3)).outlets[0].latency
    assert not product((BIPOLAR, BIPOLAR)).writable(Fold()).writable
    maps = [random_codes(random, entry.type, (2, *entry.shape)) for entry in before.inputs]
    sent = {f"i_{k}": beats(BIPOLAR, codes, 3) for k, codes in enumerate(maps)}
    expected = beats(unsigned(2), after.golden(*maps), 2)
    with looked_at():
        written = dict(after.component(fold).memories)
    found = run_ports(before.component(fold), sent, {"o": len(expected)}, writes=written)
    assert found.payloads["o"] == expected


def test_a_frame_takes_the_product_of_the_folds_while_the_next_matrix_comes() -> None:
    layer = product((BIPOLAR, BIPOLAR), pixels=8, groups=2, rows=8, columns=16)
    assert layer.timing(Fold(pe=4, simd=8)).interval == 8 * 2 * 2 * 2
    # More rows at once than there are vectors: the matrix takes longer to come than to be used.
    assert layer.timing(Fold(pe=8, simd=16)).interval == 2 * 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"groups": 5}, "Layer 'product' has 12 and 12 channels, which are no 5 groups"),
        (
            {"in_shapes": ((2, 3, 12), (1, 4, 12))},
            "Layer 'product' needs a matrix for each row of vectors, not 1 for 2",
        ),
        (
            {"in_shapes": ((1, 3, 12), (1, 4, 10))},
            r"Layer 'product' multiplies vectors of 6 numbers, which matrices from a map \(1, 4, 10\) do not take",
        ),
        ({"out_type": signed(3)}, "Layer 'product' yields accumulators -6..6, which do not fit int3"),
        (
            {"thresholds": Thresholds(np.zeros((1, 7, 1), int), Positions.uniform(1, 3)), "out_type": BIPOLAR},
            r"Layer 'product' needs thresholds of shape \(1, 8, 1\), not \(1, 7, 1\)",
        ),
    ],
)
def test_an_inconsistent_record_is_refused(change: dict, message: str) -> None:
    layer = product((BIPOLAR, BIPOLAR))
    with pytest.raises(ValueError, match=message):
        replace(layer, **change).check()


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (Fold(pe=3), r"PE must divide 4 rows of a group, not 3 \(layer 'product'\): use 2 or 4"),
        (Fold(simd=4), r"SIMD must divide 6 columns of a group, not 4 \(layer 'product'\): use 3 or 6"),
        (Fold(window=WindowStyle.PARALLEL), "Layer 'product' has no window to hand over in parallel"),
        (
            Fold(lanes=LaneStyle.SHARED),
            "Layer 'product' multiplies two maps, whose sums cannot be shared; choose lanes",
        ),
        (Fold(lanes=LaneStyle.WORDS), r"Layer 'product' multiplies by codes of -1 and \+1, which need no multiplier"),
        (Fold(buffer_beats=5), r"The input buffer must hold a vector of 6 beats, not 5 \(layer 'product'\)"),
    ],
)
def test_an_illegal_folding_is_refused(fold: Fold, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        product((BIPOLAR, BIPOLAR)).folding.check(fold)
