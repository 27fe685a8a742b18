"""A chain of every kind of linear layer and lane through Verilator: lint, values, cycles."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.activation import Positions, Thresholds
from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned
from hwgen.fold import Fold, LaneStyle, WindowStyle
from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from hwgen.layers.embedding import Embedding
from hwgen.layers.window import Window
from hwgen.network import InputPort, Network, OutputPort, check
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.plan import Plan
from tests.test_random_networks import hold_to_oracles

WORDS = LaneStyle.WORDS
PARALLEL = WindowStyle.PARALLEL

FOLDS = {
    "narrow": [
        Fold(pe=2),
        Fold(pe=2, simd=2),
        Fold(pe=2, simd=1),
        Fold(pe=1, simd=9, window=PARALLEL),
        Fold(pe=2, simd=1),
        Fold(pe=1, simd=6, lanes=WORDS),
    ],
    "wide": [
        Fold(pe=4),
        Fold(pe=6, simd=12, window=PARALLEL),
        Fold(pe=6, simd=3, window=PARALLEL),
        Fold(pe=4, simd=9, window=PARALLEL, lanes=WORDS),
        Fold(pe=4, simd=2, window=PARALLEL),
        Fold(pe=3, simd=12),
    ],
    "far": [
        Fold(pe=2),
        Fold(pe=2, simd=2, fetch_registers=1),
        Fold(pe=2, simd=1, fetch_registers=2),
        Fold(pe=1, simd=9, window=PARALLEL, fetch_registers=1),
        Fold(pe=2, simd=1, fetch_registers=1),
        Fold(pe=1, simd=6, lanes=WORDS, fetch_registers=3),
    ],
}


def chain() -> Network:
    """Give symbols -> embedding -> 2-bit by 2-bit -> depthwise -> groups of 16-bit numbers -> sums over windows -> ternary."""
    random = np.random.default_rng(7)
    table = random.integers(0, 4, (11, 4))
    window = Window((1, 3), pads=(0, 1, 0, 1))
    odd, depthwise, wide, ternary = (
        random.choice(np.array(digits), shape)
        for digits, shape in (
            ((-3, -1, 1, 3), (6, 1, 3, 4)),
            (range(-4, 4), (12, 1, 3, 1)),
            ((-1, 1), (4, 1, 3, 3)),
            ((-1, 0, 1), (3, 24)),
        )
    )

    def levels(rows: int, steps: int, reach: int) -> Thresholds:
        return Thresholds(np.sort(random.integers(-reach, reach, (1, rows, steps))), Positions.uniform(1, 12))

    ones = np.ones((4, 1, 2, 1), dtype=np.int64)
    halves = Window((1, 2), (1, 2))
    layers = (
        Embedding("symbols", "x", (1, 12, 1), CodeType(0, 10), table, unsigned(2)),
        Conv("odd", "symbols", (1, 12, 4), unsigned(2), odd, window, 0, levels(6, 3, 20), signed(2)),
        Conv("own", "odd", (1, 12, 6), signed(2), depthwise, window, 0, None, signed(16), 6),
        Conv("sixteen", "own", (1, 12, 12), signed(16), wide, window, 0, levels(4, 1, 9), BIPOLAR, 4),
        Conv("pool", "sixteen", (1, 12, 4), BIPOLAR, ones, halves, 0, None, CodeType(-2, 2), 4),
        Dense("scores", "pool", (1, 6, 4), CodeType(-2, 2), ternary, None, signed(8)),
    )
    unit = np.ones(3)
    network = Network(
        "chain",
        (InputPort("x", (1, 12, 1), (0, 1, 2), (1, 12, 1), CodeType(0, 10)),),
        layers,
        (OutputPort("y", "scores", (1, 1, 3), (0, 1, 2), "float32", unit, 0 * unit),),
    )
    check(network)
    return network


@pytest.mark.parametrize("folds", FOLDS.values(), ids=FOLDS)
def test_every_linear_layer_is_exact_in_verilog(folds: list[Fold]) -> None:
    network = chain()
    chosen = {layer.name: fold for layer, fold in zip(network.layers, folds, strict=True)}
    for layer in network.layers:
        layer.folding.check(chosen[layer.name])
    hold_to_oracles(size_fifos(Plan(network, chosen)))


MASKED = LaneStyle.MASKED

MASKED_FOLDS = {
    "narrow": [
        Fold(pe=2, simd=2, lanes=MASKED),
        Fold(pe=1, simd=4, lanes=MASKED, fetch_registers=1),
        Fold(pe=3, simd=5, lanes=MASKED),
    ],
    "wide": [
        Fold(pe=4, simd=18, window=PARALLEL),
        Fold(pe=4, simd=36, window=PARALLEL, lanes=MASKED),
        Fold(pe=3, simd=20),
    ],
}


@pytest.mark.parametrize("folds", MASKED_FOLDS.values(), ids=MASKED_FOLDS)
def test_layers_of_three_values_and_bipolar_weights_are_exact_in_verilog(folds: list[Fold]) -> None:
    """Borders of -1, +1 and, where positions tell padded taps apart, of nothing; columns that are no power of two."""
    random = np.random.default_rng(3)
    first, second, scores = (
        random.choice(np.array([-1, 1]), shape) for shape in ((4, 3, 3, 2), (4, 3, 3, 4), (3, 100))
    )
    window = Window((3, 3), pads=(1, 1, 1, 1))
    edges = Positions(tuple([0, 1, 1, 1, 2]), tuple([0, 1, 1, 1, 2]))
    levels = Thresholds(np.sort(random.integers(-4, 5, (9, 4, 2))), edges)
    plain = Thresholds(np.sort(random.integers(-6, 7, (1, 4, 2))), Positions.uniform(5, 5))
    layers = (
        Conv("first", "x", (5, 5, 2), TERNARY, first, window, 0, levels, TERNARY),
        Conv("second", "first", (5, 5, 4), TERNARY, second, window, -1, plain, TERNARY),
        Dense("scores", "second", (5, 5, 4), TERNARY, scores, None, signed(8)),
    )
    network = Network(
        "masked",
        (InputPort("x", (5, 5, 2), (0, 1, 2), (5, 5, 2), TERNARY),),
        layers,
        (OutputPort("y", "scores", (1, 1, 3), (0, 1, 2), "float32", np.ones(3), np.zeros(3)),),
    )
    check(network)
    chosen = {layer.name: fold for layer, fold in zip(layers, folds, strict=True)}
    assert all(layer.matrix.folded(chosen[layer.name]).style is MASKED for layer in layers)
    hold_to_oracles(size_fifos(Plan(network, chosen)))
