"""Frames that lean towards far sums: each follows what goes with a large sum, or a small one, somewhere in the network, in a share of its codes.

Sums of random codes stay near their mean, and those of codes that are alike move along one line; so most entries of a large table, and far thresholds, are visited by
neither. What goes with a sum is told by the frames of a pool, as the sign of each code's covariance with it.
"""

from __future__ import annotations

import numpy as np

from hwgen.golden.reach import Codes, Reach
from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from hwgen.layers.matmul import MatMul

__all__ = ["slanted"]

TOGETHER = 8
"""Frames that lean towards the same sum, with shares spread from none to all."""


def slanted(reach: Reach, random: np.random.Generator, count: int) -> Codes:
    """Give so many frames.

    Parameters
    ----------
    reach : Reach
        Has the pool, and its sums.
    random : numpy.random.Generator
    count : int
    """
    network, pool = reach.packed.network, reach.pool
    summing = [layer for layer in network.layers if isinstance(layer, Dense | Conv | MatMul)]
    asked = summing or network.layers
    found = []
    for _ in range(0, count, TOGETHER):
        sums = reach.sums(asked[int(random.integers(len(asked)))])
        column = sums.reshape(len(sums), -1)[:, int(random.integers(sums[0].size))]
        weights = (column - column.mean()) * random.choice([-1, 1])
        base = random.integers(len(pool[0]), size=TOGETHER)
        share = ((np.arange(TOGETHER) + random.random(TOGETHER)) / TOGETHER).reshape(-1, 1, 1, 1)
        frames = []
        for port, codes in zip(network.inputs, pool, strict=True):
            slope = np.tensordot(weights, codes - codes.mean(axis=0), axes=1)
            far = np.where(slope > 0, port.type.high, port.type.low)
            frames.append(np.where(random.random((TOGETHER, *far.shape)) < share, far, codes[base]))
        found.append(frames)
    return tuple(np.concatenate(maps)[:count] for maps in zip(*found, strict=True))
