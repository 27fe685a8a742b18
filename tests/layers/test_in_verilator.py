"""Layers that no example network has: whole small networks of them, Verilog == golden in both simulators, every beat at its predicted cycle."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hwgen.activation import Positions
from hwgen.codes import BIPOLAR, CodeType, signed, unsigned
from hwgen.fold import Fold, MemoryStyle, WindowStyle
from hwgen.layers.argmax import ArgMax
from hwgen.layers.crop import Crop
from hwgen.layers.global_reduce import GlobalReduce, Reduction
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.protocol import Layer
from hwgen.layers.reorder import Reorder
from hwgen.layers.segments import Segments
from hwgen.layers.select import Select
from hwgen.layers.topk import TopK
from hwgen.layers.upsample import Upsample
from hwgen.layers.window import Window
from hwgen.network import InputPort, Network, OutputPort, check
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.plan import Plan
from tests.test_random_networks import hold_to_golden_in_icarus, hold_to_oracles


def chain(*layers: Layer) -> Network:
    """Give the network of layers that read one another."""
    first, last = layers[0], layers[-1]
    port = InputPort(first.source, first.in_shape, (0, 1, 2), first.in_shape, first.in_type)
    ones = np.ones(last.out_shape[2])
    output = OutputPort("y", last.name, last.out_shape, (0, 1, 2), "float32", ones, 0 * ones)
    network = Network("few_layers", (port,), layers, (output,))
    check(network)
    assert all(reader.source == source.name for source, reader in pairwise(layers))
    return network


def ranking() -> Plan:
    """16-bit fixed point: cut out, mix, enlarge, bend by pieces, choose, average, rank."""
    random = np.random.default_rng(1)
    where = Positions((0, 1, 1, 2), (0, 1, 1, 1, 1, 1, 1, 0, 2))
    breaks = np.sort(random.integers(-20000, 20000, (9, 4, 3)), axis=-1)
    factors, offsets = random.integers(-40000, 40000, (9, 4, 4)), random.integers(-(2**24), 2**24, (9, 4, 4))
    network = chain(
        Crop("crop", "x", (4, 5, 4), signed(16), (1, 1, 3, 4)),
        Reorder("mix", "crop", (2, 3, 4), signed(16), (2, 3, 4), random.permutation(24)),
        Upsample("grow", "mix", (2, 3, 4), signed(16), (2, 3)),
        Segments("bend", "grow", (4, 9, 4), signed(16), breaks, factors, offsets, 15, signed(16), where),
        Select("swap", "bend", (4, 9, 4), signed(16), (3, 0, 2, 1, 0, 3)),
        GlobalReduce("mean", "swap", (4, 9, 6), signed(16), Reduction.SUM, CodeType(-36 << 15, 36 << 15)),
        TopK("best", "mean", (1, 1, 6), CodeType(-36 << 15, 36 << 15), 3),
    )
    folds = {
        "crop": Fold(2, 2),
        "mix": Fold(),
        "grow": Fold(2, 2),
        "bend": Fold(2, memory=MemoryStyle.BLOCK),
        "swap": Fold(6, 4),
    }
    return Plan(network, folds | {"mean": Fold(1, 1), "best": Fold()})


def pooling() -> Plan:
    """A pixel a cycle through overlapping windows of 16-bit codes; a maximum over the map whose results lie in a memory; argmax."""
    window = Window((3, 3), (2, 2), pads=(1, 1, 0, 1))
    network = chain(
        MaxPool("pool", "x", (7, 7, 12), signed(16), window, (False,) * 12),
        GlobalReduce("peak", "pool", (3, 4, 12), signed(16), Reduction.MAX, signed(16)),
        ArgMax("winner", "peak", (1, 1, 12), signed(16)),
    )
    return Plan(network, {"pool": Fold(6, 6, window=WindowStyle.PARALLEL), "peak": Fold(1, 1), "winner": Fold(1)})


def spreading() -> Plan:
    """Exchange positions and channels, count bits over the map, rescale by a power of two, and spread the result over a map."""
    tables = (np.zeros((1, 12, 0), int), np.full((1, 12, 1), 4), np.full((1, 12, 1), 8))
    turned = np.arange(72).reshape(12, 6).T.ravel()
    network = chain(
        Select("some", "x", (3, 4, 12), BIPOLAR, (2, 3, 4, 5, 8, 9)),
        Reorder("turn", "some", (3, 4, 6), BIPOLAR, (1, 6, 12), turned),
        GlobalReduce("count", "turn", (1, 6, 12), BIPOLAR, Reduction.SUM, CodeType(-6, 6)),
        Segments("scale", "count", (1, 1, 12), CodeType(-6, 6), *tables, 4, unsigned(2), Positions()),
        Upsample("spread", "scale", (1, 1, 12), unsigned(2), (2, 3)),
    )
    return Plan(
        network, {"some": Fold(2, 2), "turn": Fold(4, 3), "count": Fold(2, 2), "scale": Fold(2), "spread": Fold(2, 2)}
    )


@pytest.mark.parametrize("plan", [ranking, pooling, spreading])
def test_the_network_is_bit_and_cycle_exact(plan):
    hold_to_oracles(size_fifos(plan()))


@pytest.mark.icarus
@pytest.mark.parametrize("plan", [ranking, pooling, spreading])
def test_the_network_starts_from_any_state(plan):
    hold_to_golden_in_icarus(size_fifos(plan()))
