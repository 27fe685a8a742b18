"""The proof that a joining layer's hardware is its golden model on its schedule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from hwgen.fold import Fold
from hwgen.layers.protocol import Layer
from hwgen.rtl_templates.streams.stream_check import run_ports
from hwgen.timing.earliest import tile
from hwgen.timing.predict import predict
from tests.layers.channelwise_cases import FRAMES, STYLES, beats, random_codes


@st.composite
def folds(draw: st.DrawFn, layer: Layer) -> Fold:
    """Draw a legal folding with any memory and FIFO depth."""
    pe = draw(st.sampled_from([fold.pe for fold in layer.folding.folds()]))
    return Fold(pe=pe, memory=draw(st.sampled_from(STYLES)), slots=draw(st.sampled_from([None, None, 1, 2, 7])))


def assert_hardware_is_golden(layer: Layer, fold: Fold, seed: int) -> None:
    """Run frames back to back, then with stalls and a reset in the middle; compare values and cycles exactly."""
    layer.check()
    layer.folding.check(fold)
    random = np.random.default_rng(seed)
    entries = list(zip(layer.inputs, layer.folding.input_lanes(fold), strict=True))
    maps = [random_codes(random, entry.type, (FRAMES, *entry.shape)) for entry, _ in entries]
    ports = ["i"] if len(entries) == 1 else [f"i_{k}" for k in range(len(entries))]
    sent = {port: beats(entry.type, x, lanes) for port, (entry, lanes), x in zip(ports, entries, maps, strict=True)}
    expected = beats(layer.out_type, layer.golden(*maps), layer.folding.out_lanes(fold))

    free = run_ports(layer.component(fold), sent, {"o": len(expected)}, seed=seed)
    timing = layer.timing(fold)
    # Every source always offers, so any one of them stands for all.
    prediction = predict([replace(timing, intakes=timing.intakes[:1])], FRAMES)
    assert free.payloads["o"] == expected
    assert free.given["o"] == prediction.transfers[-1].tolist()
    for port, intake in zip(ports, timing.intakes, strict=True):
        events = tile(intake.accept, len(timing.events), FRAMES)
        assert free.taken[port] == prediction.events[0][events].tolist()
    assert timing.interval == timing.steps

    stalled = run_ports(
        layer.component(fold),
        sent,
        {"o": len(expected)},
        source_stall=0.3,
        sink_stall=0.4,
        reset_at=seed % 20 + 1,
        seed=seed,
    )
    assert stalled.payloads["o"] == expected
