"""Random channelwise layers with a folding, and the proof that a layer's hardware is its golden model on its schedule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from hwgen.activation import Positions
from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned
from hwgen.fold import Fold, MemoryStyle
from hwgen.layers.protocol import Layer
from hwgen.rtl_templates.streams.stream_check import run
from hwgen.timing.predict import predict

TYPES = (BIPOLAR, TERNARY, unsigned(1), unsigned(3), signed(4), CodeType(-3, 5), CodeType(2, 6))
FRAMES = 3
STYLES = tuple(style for style in MemoryStyle if style is not MemoryStyle.SPRAM)
"""Styles of memories that are never written."""

shapes = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 6))
types = st.sampled_from(TYPES)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def positions(draw: st.DrawFn, height: int, width: int) -> Positions:
    """Draw classes for rows and columns, numbered without gaps."""
    drawn = [draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)) for size in (height, width)]
    rows, columns = (tuple(sorted(set(labels)).index(label) for label in labels) for labels in drawn)
    return Positions(rows, columns)


@st.composite
def folds(draw: st.DrawFn, layer: Layer) -> Fold:
    """Draw a legal folding with any memory and FIFO depth."""
    fold = draw(st.sampled_from(list(layer.folding.folds())))
    return replace(fold, memory=draw(st.sampled_from(STYLES)), slots=draw(st.sampled_from([None, None, 1, 2, 7])))


def random_codes(random: np.random.Generator, kind: CodeType, shape: tuple[int, ...]) -> np.ndarray:
    """Draw any codes of a type."""
    return random.choice(np.array([-1, 1]), shape) if kind.bipolar else random.integers(kind.low, kind.high + 1, shape)


def beats(kind: CodeType, codes: np.ndarray, lanes: int) -> list[int]:
    """Pack codes into beats, as the stream carries them."""
    rows = kind.to_bits(codes).reshape(-1, lanes).tolist()
    return [sum(field << lane * kind.bits for lane, field in enumerate(row)) for row in rows]


def assert_hardware_is_golden(layer: Layer, fold: Fold, seed: int) -> None:
    """Run frames back to back, then with stalls and a reset in the middle; compare values and cycles exactly."""
    layer.check()
    layer.folding.check(fold)
    codes = random_codes(np.random.default_rng(seed), layer.inputs[0].type, (FRAMES, *layer.inputs[0].shape))
    sent = beats(layer.inputs[0].type, codes, layer.folding.input_lanes(fold)[0])
    expected = beats(layer.out_type, layer.golden(codes), layer.folding.out_lanes(fold))

    free = run(layer.component(fold), sent, len(expected), seed=seed)
    prediction = predict([layer.timing(fold)], FRAMES)
    assert free.payloads == expected
    assert free.taken == prediction.transfers[0].tolist()
    assert free.given == prediction.transfers[-1].tolist()
    assert layer.timing(fold).interval == layer.timing(fold).steps

    stalled = run(
        layer.component(fold), sent, len(expected), source_stall=0.3, sink_stall=0.4, reset_at=seed % 20 + 1, seed=seed
    )
    assert stalled.payloads == expected
