"""Frames that bring a layer's sum to where a change tells: found by evaluation alone, between frames on either side of the place.

Random frames never reach the far thresholds of wide sums. Between a frame whose sum is below and one whose sum is above there is a walk, a code at a time, that
crosses the place; where no frame is beyond it, frames of lowest and highest codes are made that lie as far that way as the sums of the others foretell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwgen.codes import CodeType
from hwgen.golden.changes import Change, Telling, weights_of
from hwgen.golden.network import PackedNetwork
from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from hwgen.layers.matmul import MatMul
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.protocol import Layer, MapShape, sources_of
from hwgen.network import Network

__all__ = ["Codes", "Reach", "products"]

Codes = tuple[np.ndarray, ...]
"""A map of codes (frames, height, width, channels) for each input."""

ANY = CodeType(-(1 << 62), 1 << 62)
"""Sums as they are."""

CODE = 16
"""Products that take as long as what is done with a code of a map."""

POINTS = 48
"""Frames of a walk that are evaluated at once."""

KEPT = 8
"""Frames of a walk that are kept, at most."""

SHARES = (0.0, 0.1, 0.25, 0.5)
"""Shares of codes that frames far one way have of others."""


def products(network: Network) -> int:
    """Give what a frame costs: products of weights, and codes of maps."""
    weights = (
        int(np.prod(layer.out_shape[:2])) * field.size
        for layer in network.layers
        for field in weights_of(layer).values()
        if field.ndim > 1
    )
    of_maps = (layer.columns * int(np.prod(layer.out_shape)) for layer in network.layers if isinstance(layer, MatMul))
    return sum(weights) + sum(of_maps) + CODE * sum(int(np.prod(layer.out_shape)) for layer in network.layers)


@dataclass(frozen=True, eq=False)
class _Sums:
    """How the sums of a layer come about: by a part of the network, or as an input's own codes; those of the pool are kept."""

    packed: PackedNetwork | None
    source: int
    cost: int
    of_pool: np.ndarray

    def of(self, codes: Codes) -> np.ndarray:
        return codes[self.source] if self.packed is None else self.packed.golden_maps(*codes)[0]


@dataclass(frozen=True, eq=False)
class _Place:
    """Whose sums tell: of each group of positions (groups, positions) that of the greatest sum, or of the least."""

    telling: Telling
    groups: np.ndarray
    least: bool

    def of(self, maps: np.ndarray) -> np.ndarray:
        """Give the deciding sum of each group: (frames, groups)."""
        sums = maps[..., self.telling.channel].reshape(len(maps), -1)[:, self.groups]
        return np.asarray(sums.min(axis=2) if self.least else sums.max(axis=2))

    def hits(self, sums: np.ndarray) -> np.ndarray:
        """Give the frames in which a deciding sum tells."""
        return np.flatnonzero(np.any((sums >= self.telling.low) & (sums < self.telling.high), axis=1))


@dataclass(frozen=True, eq=False)
class _Climb:
    """Frames on the way to a far sum of one group: what each reaches, upwards."""

    frames: Codes
    reached: np.ndarray
    column: int

    def onwards(self, tried: Codes, reached: np.ndarray) -> _Climb:
        """Keep the better half of all."""
        together = np.concatenate([self.reached, reached])
        kept = np.argsort(-together, kind="stable")[: len(together) // 2]
        frames = tuple(np.concatenate(pair)[kept] for pair in zip(self.frames, tried, strict=True))
        return _Climb(frames, together[kept], self.column)


class Reach:
    """A search among the frames of a network.

    Parameters
    ----------
    packed : PackedNetwork
    pool : Codes
        Frames to set out from.
    random : numpy.random.Generator
    left : int
        Products that may be taken; an attempt that is begun is finished.
    """

    def __init__(self, packed: PackedNetwork, pool: Codes, random: np.random.Generator, left: int) -> None:
        self.packed, self.pool, self.random, self.left = packed, pool, random, left
        self._sums: dict[str, _Sums] = {}
        self._climbs: dict[tuple[str, int, bool, bytes], _Climb] = {}

    def attempt(self, change: Change) -> Codes | None:
        """Give frames in which the layer's own result shows the change, if a walk of this attempt meets any."""
        telling = change.telling
        if telling is None:
            return None
        summing = self._summing(telling.layer)
        place = _Place(telling, *self._groups(telling))
        if not len(place.groups):
            return None  # no window of the pool that reads the map taps where the change is
        sums = place.of(summing.of_pool)
        below, beyond = sums < telling.low, sums >= telling.high
        both = np.flatnonzero(below.any(axis=0) & beyond.any(axis=0))
        if len(both):
            column = int(self.random.choice(both))
            ends = [int(self.random.choice(np.flatnonzero(side[:, column]))) for side in (below, beyond)]
            start, goal = (tuple(one[end] for one in self.pool) for end in ends)
            return self._walk(summing, place, start, goal, column)
        return self._climbed(summing, place, upwards=not beyond.any())

    def _climbed(self, summing: _Sums, place: _Place, *, upwards: bool) -> Codes | None:
        """Try frames that lie further one way than all before; once there are such on both sides, walk between two."""
        telling, sign = place.telling, 1 if upwards else -1
        key = (telling.layer.name, telling.channel, upwards, place.groups.tobytes())
        if key not in self._climbs:
            sums = sign * place.of(summing.of_pool)
            column = int(np.argmax(sums.max(axis=0)))
            self._climbs[key] = _Climb(self.pool, sums[:, column], column)
        climb = self._climbs[key]
        tried = self._tried(climb)
        sums = place.of(self._of(summing, tried))
        reached = sign * sums[:, climb.column]
        self._climbs[key] = climb.onwards(tried, reached)
        hits = place.hits(sums)
        if len(hits):
            return self._kept(tried, hits)
        best, lowest = int(np.argmax(reached)), int(np.argmin(climb.reached))
        if reached[best] < (telling.high if upwards else 1 - telling.low):
            return None
        start, goal = tuple(one[lowest] for one in climb.frames), tuple(one[best] for one in tried)
        return self._walk(summing, place, start, goal, climb.column)

    def sums(self, layer: Layer) -> np.ndarray:
        """Give the sums of the pool in a layer: (frames, height, width, channels)."""
        return self._summing(layer).of_pool

    def _summing(self, layer: Layer) -> _Sums:
        if layer.name not in self._sums:
            source = sources_of(layer)[0]
            names = [port.name for port in self.packed.network.inputs]
            if isinstance(layer, Dense | Conv | MatMul):
                original = self.packed.network.layer(layer.name)
                packed: PackedNetwork | None = self.packed.up_to(replace(original, thresholds=None, out_type=ANY))
            else:
                packed = None if source in names else self.packed.up_to(self.packed.network.layer(source))
            cost = 0 if packed is None else products(packed.network)
            found = _Sums(packed, names.index(source) if packed is None else 0, cost, np.empty(0))
            self._sums[layer.name] = replace(found, of_pool=self._of(found, self.pool))
        return self._sums[layer.name]

    def _groups(self, telling: Telling) -> tuple[np.ndarray, bool]:
        """Give the positions (groups, positions) of which one sum decides, and whether that is the least: those of a window where a pool reads the map."""
        here = telling.here()
        for reader in self.packed.network.layers:
            if isinstance(reader, MaxPool) and reader.source == telling.layer.name:
                height, width, _ = telling.layer.out_shape
                numbers = np.arange(height * width).reshape(1, height, width, 1)
                groups = np.stack([tap.ravel() for tap in reader.window.tap_maps(numbers, -1)], axis=1)
                groups = np.where(groups < 0, groups.max(axis=1, keepdims=True), groups)
                return groups[np.isin(groups, here).any(axis=1)], reader.minimum[telling.channel]
        return here[:, None], False

    def _of(self, summing: _Sums, codes: Codes) -> np.ndarray:
        self.left -= len(codes[0]) * summing.cost
        return summing.of(codes)

    def _tried(self, climb: _Climb) -> Codes:
        """Give frames between the best one and that whose codes are the ends which went with larger sums, but for a share by chance."""
        tried, shape = [], (POINTS, 1, 1, 1)
        shares, ends = self.random.choice(SHARES, shape), self.random.choice(SHARES, shape)
        weights = climb.reached - climb.reached.mean()
        others = self.random.integers(len(self.pool[0]), size=POINTS)
        for port, codes, pool in zip(self.packed.network.inputs, climb.frames, self.pool, strict=True):
            slope = np.tensordot(weights, codes - codes.mean(axis=0), axes=1)
            far = np.where(slope > 0, port.type.high, port.type.low)
            best = codes[int(np.argmax(climb.reached))]
            drawn = self.random.random((2, POINTS, *far.shape))
            tried.append(np.where(drawn[0] < shares, pool[others], np.where(drawn[1] < ends, best, far)))
        return tuple(tried)

    def _walk(self, summing: _Sums, place: _Place, start: Codes, goal: Codes, column: int) -> Codes | None:
        """Go from one frame to another code by code, in an order by chance, and closer to where the sum crosses each time."""
        shapes = [one.shape for one in start]
        first, last = (np.concatenate([one.ravel() for one in side]) for side in (start, goal))
        order = self.random.permutation(np.flatnonzero(first != last))
        rank = np.full(len(first), len(order))
        rank[order] = np.arange(len(order))
        begin, end = 0, len(order)
        while True:
            cuts = np.unique(np.linspace(begin, end, POINTS).astype(np.int64))
            frames = np.where(rank < cuts[:, None], last, first)
            hits, crossing = self._met(summing, place, _shaped(frames, shapes), column)
            if hits is not None or not len(crossing):
                return hits
            behind = int(self.random.choice(crossing))
            begin, end = int(cuts[behind]), int(cuts[behind + 1])
            if end - begin == 1:
                return self._between(summing, place, frames[behind : behind + 2], shapes, column)

    def _between(
        self, summing: _Sums, place: _Place, two: np.ndarray, shapes: Sequence[MapShape], column: int
    ) -> Codes | None:
        """Try the codes between those of two frames that differ in one."""
        (at,) = np.flatnonzero(two[0] != two[1])
        low, high = sorted(int(code) for code in two[:, at])
        if high - low < 2 or (low, high) == (-1, 1):
            return None
        between = np.unique(np.linspace(low + 1, high - 1, 4 * POINTS).astype(np.int64))
        frames = np.repeat(two[:1], len(between), axis=0)
        frames[:, at] = between
        return self._met(summing, place, _shaped(frames, shapes), column)[0]

    def _met(self, summing: _Sums, place: _Place, codes: Codes, column: int) -> tuple[Codes | None, np.ndarray]:
        """Give frames in which a deciding sum tells, and behind which frames that of one column crosses."""
        sums = place.of(self._of(summing, codes))
        hits = place.hits(sums)
        side = sums[:, column] >= place.telling.high
        crossing = np.flatnonzero(side[1:] != side[:-1])
        return self._kept(codes, hits) if len(hits) else None, crossing

    def _kept(self, codes: Codes, hits: np.ndarray) -> Codes:
        kept = self.random.permutation(hits)[:KEPT]
        return tuple(one[kept] for one in codes)


def _shaped(frames: np.ndarray, shapes: Sequence[MapShape]) -> Codes:
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = np.split(frames, ends[:-1], axis=1)
    return tuple(part.reshape(len(frames), *shape) for part, shape in zip(parts, shapes, strict=True))
