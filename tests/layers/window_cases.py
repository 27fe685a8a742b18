"""Random windows over small maps, and the proof that a window layer's hardware is its golden model on its schedule."""

from __future__ import annotations

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from hwgen.fold import Fold
from hwgen.layers.protocol import Layer
from hwgen.layers.window import Window
from hwgen.rtl_templates.streams.stream_check import run
from hwgen.timing.predict import predict
from tests.layers.channelwise_cases import beats, random_codes

FRAMES = 3
LONG_RUN = 8

sizes = st.tuples(st.integers(1, 6), st.integers(1, 6))


def pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    """Draw a vertical and a horizontal number."""
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def windows(draw: st.DrawFn, size: tuple[int, int], *, greatest_pad: int = 2) -> Window:
    """Draw any window of which at least one fits into the padded map and reaches the map itself."""
    pads = (*draw(pairs(0, greatest_pad)), *draw(pairs(0, greatest_pad)))
    window = Window(draw(pairs(1, 3)), draw(pairs(1, 3)), draw(pairs(1, 2)), pads)
    try:
        window.check(*size)
    except ValueError:
        assume(False)
    return window


def assert_hardware_is_golden(layer: Layer, fold: Fold, seed: int) -> None:
    """Run frames back to back, then with stalls and a reset in the middle; compare values and cycles exactly."""
    layer.check()
    layer.folding.check(fold)
    codes = random_codes(np.random.default_rng(seed), layer.in_type, (FRAMES, *layer.in_shape))
    sent = beats(layer.in_type, codes, layer.folding.input_lanes(fold)[0])
    expected = beats(layer.out_type, layer.golden(codes), layer.folding.out_lanes(fold))
    schedule = layer.timing(fold)

    free = run(layer.component(fold), sent, len(expected), seed=seed)
    prediction = predict([schedule], FRAMES)
    assert free.payloads == expected
    assert free.taken == prediction.transfers[0].tolist()
    assert free.given == prediction.transfers[-1].tolist()
    if fold.slots is None and fold.buffer_beats is None:
        assert predict([schedule], LONG_RUN).ii == layer.timing(fold).interval

    reset_at = seed % 50 + 1
    stalled = run(
        layer.component(fold), sent, len(expected), source_stall=0.3, sink_stall=0.4, reset_at=reset_at, seed=seed
    )
    assert stalled.payloads == expected
