"""Small networks made by hand, for tests of what is done with a network."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hwgen.activation import Positions, Thresholds
from hwgen.codes import BIPOLAR, CodeType
from hwgen.layers.dense import Dense
from hwgen.network import InputPort, Network, OutputPort, check


def mlp(*widths: int, seed: int = 0) -> Network:
    """Give a bipolar multi-layer perceptron with random weights and thresholds; the last layer yields its accumulators."""
    random = np.random.default_rng(seed)
    layers, source = [], "x"
    for number, (columns, rows) in enumerate(pairwise(widths)):
        weights = random.choice(np.array([-1, 1]), size=(rows, columns))
        last = number == len(widths) - 2
        levels = random.integers(-3, 4, size=(1, rows, 1))
        thresholds = None if last else Thresholds(levels, Positions.uniform(1, 1))
        out_type = CodeType(-columns, columns) if last else BIPOLAR
        layers.append(Dense(f"dense{number}", source, (1, 1, columns), BIPOLAR, weights, thresholds, out_type))
        source = layers[-1].name
    port = InputPort("x", (widths[0],), (0,), (1, 1, widths[0]), BIPOLAR)
    ones = np.ones(widths[-1])
    network = Network(
        "mlp", (port,), tuple(layers), (OutputPort("y", source, (widths[-1],), (0,), "float32", ones, 0 * ones),)
    )
    check(network)
    return network
