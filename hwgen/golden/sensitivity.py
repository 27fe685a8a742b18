"""Frames whose outputs depend on the weights: how many single changes of a weight bit or a threshold they can tell.

An output that is right says little about a weight that no frame's answer hangs on. So single changes are made to a sample of the network's numbers, one at a
time, and a change is seen if an output of a frame differs. Frames are added until all changes are seen, or no more are found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.golden.changes import Change, changes
from hwgen.golden.network import PackedNetwork
from hwgen.golden.reach import Codes, Reach, products
from hwgen.golden.slant import slanted
from hwgen.layers.protocol import MapShape
from hwgen.network import Network

__all__ = ["Chosen", "Effort", "Seen", "choose_frames"]


@dataclass(frozen=True)
class Effort:
    """How much is tried for the frames of a purpose: bounded, and the same on every machine.

    Parameters
    ----------
    least, most : int
        Frames.
    changes : int
        Single changes of weights, and as many of thresholds, for a small network.
    products : int
        Products that the tries may take in all: a large network gets fewer changes, at least `FEWEST`.
    beside : int
        Random frames that come beside, of which nothing is asked; many lean towards far sums.
    """

    least: int
    most: int
    changes: int
    products: int
    beside: int = 0


POOL = 64
"""Frames of many kinds that are tried first."""

SIGHTINGS = 6
"""Frames that are to see each change, where there are as many: what is like it, but no single change, is then seen by one."""

ATTEMPTS = 16
"""How often a frame is sought that sees one change."""

FEWEST = 4
"""Changes of each kind that even the largest network gets."""


@dataclass(frozen=True)
class Seen:
    """What frames can tell: of the changes that were tried, how many they see, and which they do not.

    Parameters
    ----------
    weight_bits, thresholds : tuple of int
        Seen, and tried; thresholds and entries of tables.
    unseen : tuple of str
        A name for each change that no frame sees.
    """

    weight_bits: tuple[int, int]
    thresholds: tuple[int, int]
    unseen: tuple[str, ...]

    def kinds(self) -> dict[str, tuple[int, int]]:
        """Give seen and tried by what was changed, where there is any."""
        found = {"weight bits": self.weight_bits, "thresholds": self.thresholds}
        return {name: counts for name, counts in found.items() if counts[1]}

    def facts(self) -> dict[str, object]:
        """Give it as JSON types."""
        return {
            "weight_bits_seen": self.weight_bits[0],
            "weight_bits_tried": self.weight_bits[1],
            "thresholds_seen": self.thresholds[0],
            "thresholds_tried": self.thresholds[1],
            "unseen": list(self.unseen),
        }


@dataclass(frozen=True, eq=False)
class Chosen:
    """Frames, a map of codes (frames, height, width, channels) for each input, and what they see."""

    codes: Codes
    seen: Seen


def choose_frames(network: Network, effort: Effort) -> Chosen:
    """Choose frames by what they see; the same network gives the same frames.

    Parameters
    ----------
    network : Network
    effort : Effort
    """
    random = np.random.default_rng(0)
    packed, affordable = PackedNetwork(network), effort.products // products(network)
    codes = _frames(network, random, effort.least, spread=False)
    found = changes(network, random, int(min(effort.changes, max(FEWEST, affordable // (8 * effort.least)))))
    # Of a network whose single frame takes long, only the first frames are asked.
    asked = tuple(one[: max(1, affordable // (1 + len(found)))] for one in codes)
    seen = _visible(packed, found, asked)
    missing = [number for number, one in enumerate(seen) if one.sum() < SIGHTINGS]
    left = effort.products - products(network) * (1 + len(found)) * len(asked[0])
    if left > 0 and missing and effort.most > effort.least:
        lacking = SIGHTINGS - np.array([int(seen[number].sum()) for number in missing])
        more = _further(packed, [found[number] for number in missing], lacking, random, left)
        news = _visible(packed, [found[number] for number in missing], more)
        useful = _useful(np.array(news), lacking, effort.most - effort.least)
        codes = tuple(np.concatenate([old, new[useful]]) for old, new in zip(codes, more, strict=True))
        for number, one in zip(missing, news, strict=True):
            seen[number] = np.concatenate([seen[number], one[useful]])
    if effort.beside:
        beside = _beside(packed, random, effort.beside)
        codes = tuple(np.concatenate(both) for both in zip(codes, beside, strict=True))
    return Chosen(codes, _told(found, seen))


def _further(
    packed: PackedNetwork, missing: Sequence[Change], lacking: np.ndarray, random: np.random.Generator, left: int
) -> Codes:
    """Give frames that see changes of which so many sightings are lacking: of many kinds first, then such as bring a sum to where the change tells."""
    cost = products(packed.network)
    count = int(min(POOL, max(1, left // (4 * cost * (1 + len(missing))))))
    pool = _frames(packed.network, random, count, spread=True)
    if count == POOL:
        leaning = slanted(Reach(packed, pool, random, 0), random, POOL)
        pool = tuple(np.concatenate(both) for both in zip(pool, leaning, strict=True))
    news = _visible(packed, missing, pool)
    search = Reach(packed, pool, random, left - cost * (1 + len(missing)) * len(pool[0]))
    found = [pool]
    lacking = lacking - np.array([int(one.sum()) for one in news])
    for _ in range(ATTEMPTS):
        for number in np.argsort(-lacking, kind="stable"):
            change = missing[number]
            if search.left <= 0 or lacking[number] <= 0:
                break
            reached = search.attempt(change)
            if reached is None:
                continue
            search.left -= 2 * cost * len(reached[0])
            (shown,) = _visible(packed, [change], reached)
            found.append(tuple(one[shown][: lacking[number]] for one in reached))
            lacking[number] -= int(shown.sum())
    return tuple(np.concatenate(maps) for maps in zip(*found, strict=True))


def _beside(packed: PackedNetwork, random: np.random.Generator, count: int) -> Codes:
    """Give random frames, and as many that lean towards far sums where there are frames enough for it to pay."""
    plain = _frames(packed.network, random, count if count < POOL else count // 2, spread=False)
    if count < POOL:
        return plain
    reach = Reach(packed, _frames(packed.network, random, POOL, spread=True), random, 0)
    leaning = slanted(reach, random, count - count // 2)
    return tuple(np.concatenate(both) for both in zip(plain, leaning, strict=True))


def _useful(news: np.ndarray, lacking: np.ndarray, most: int) -> list[int]:
    """Give up to so many frames, of (changes, frames) bool, each of which sees most of what was seen least."""
    useful: list[int] = []
    lacking = lacking.copy()
    for least in range(int(lacking.max()), 0, -1):
        while len(useful) < most:
            counts = news[lacking >= least].sum(axis=0)
            counts[useful] = 0
            best = int(np.argmax(counts))
            if not counts[best]:
                break
            useful.append(best)
            lacking -= news[:, best]
    return useful


def _told(found: Sequence[Change], seen: Sequence[np.ndarray]) -> Seen:
    counts = {
        kind: (sum(bool(one.any()) for one in of_kind), len(of_kind))
        for kind in (True, False)
        for of_kind in [[one for change, one in zip(found, seen, strict=True) if change.is_weight is kind]]
    }
    unseen = tuple(change.title for change, one in zip(found, seen, strict=True) if not one.any())
    return Seen(counts[True], counts[False], unseen)


def _visible(packed: PackedNetwork, found: Sequence[Change], codes: Codes) -> list[np.ndarray]:
    """Give for each change which frames' outputs differ: bool (frames,)."""
    if not found:
        return []
    wanted = packed.golden_maps(*codes)
    visible = []
    for change in found:
        got = packed.with_layer(change.layer).golden_maps(*codes)
        differs = [np.any((a != b).reshape(len(a), -1), axis=1) for a, b in zip(got, wanted, strict=True)]
        visible.append(np.any(differs, axis=0))
    return visible


def _frames(network: Network, random: np.random.Generator, count: int, *, spread: bool) -> Codes:
    """Give random frames; ``spread``: around levels that differ from frame to frame, channel to channel or block to block.

    Sums of many values that know nothing of one another stay near their mean: only values that are alike reach a far threshold.
    """
    maps = []
    for port in network.inputs:
        kind, shape = port.type, (count, *port.shape)
        noise = random.random(shape)
        if spread:
            levels = np.stack([_levels_of_a_frame(random, port.shape) for _ in range(count)])
            share = random.uniform(0, 1, (count, 1, 1, 1))
            noise = levels + share * (noise - levels)
        if kind.bipolar:
            maps.append(np.where(noise < 0.5, -1, 1))
        else:
            maps.append(np.minimum(kind.low + np.floor(noise * kind.levels), kind.high).astype(np.int64))
    return tuple(maps)


def _levels_of_a_frame(random: np.random.Generator, shape: MapShape) -> np.ndarray:
    """Give levels from 0 to 1, the same in blocks of a random size and in all channels or in each of its own."""
    height, width, channels = shape
    size = int(random.integers(1, max(height, width) + 1))
    rows, columns = -(-height // size), -(-width // size)
    coarse = random.random((rows, columns, channels if random.integers(3) else 1))
    return np.broadcast_to(np.repeat(np.repeat(coarse, size, 0), size, 1)[:height, :width], shape)
