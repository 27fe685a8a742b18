"""Frames whose outputs depend on the weights: how many single changes of a weight bit or a threshold they can tell.

An output that is right says little about a weight that no frame's answer hangs on. So single changes are made to a sample of the network's numbers, one at a
time, and a change is seen if an output of a frame differs. Frames are added until `ENOUGH` of the changes are seen, or no more are found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from hwgen.activation import Lookup, Thresholds
from hwgen.codes import CodeType
from hwgen.golden.network import PackedNetwork
from hwgen.layers.protocol import Layer
from hwgen.network import Network

__all__ = ["Chosen", "Effort", "Seen", "choose_frames"]

ENOUGH = 0.95
"""Share of the changes of each kind that the frames are to see."""


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
    """

    least: int
    most: int
    changes: int
    products: int


ROUNDS = 4
"""How often further frames are tried."""

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

    codes: tuple[np.ndarray, ...]
    seen: Seen


@dataclass(frozen=True, eq=False)
class _Change:
    """A layer with one number changed."""

    title: str
    is_weight: bool
    layer: Layer


def choose_frames(network: Network, effort: Effort) -> Chosen:
    """Choose frames by what they see; the same network gives the same frames.

    Parameters
    ----------
    network : Network
    effort : Effort
    """
    random = np.random.default_rng(0)
    codes = _frames(network, random, effort.least, spread=False)
    found = list({change.title: change for change in _changes(network, random, _affordable(network, effort))}.values())
    seen = _visible(network, found, codes)
    for _ in range(ROUNDS):
        if len(codes[0]) >= effort.most or _enough(found, seen):
            break
        more = _frames(network, random, effort.least, spread=True)
        missing = [number for number, one in enumerate(seen) if not one.any()]
        news = _visible(network, [found[number] for number in missing], more)
        useful: list[int] = []
        for one in news:
            if one.any() and not one[useful].any() and len(codes[0]) + len(useful) < effort.most:
                useful.append(int(np.argmax(one)))
        for number, one in zip(missing, news, strict=True):
            seen[number] = one[useful]
        codes = tuple(np.concatenate([old, new[useful]]) for old, new in zip(codes, more, strict=True))
    return Chosen(codes, _told(found, seen))


def _told(found: Sequence[_Change], seen: Sequence[np.ndarray]) -> Seen:
    counts = {
        kind: (sum(bool(one.any()) for one in of_kind), len(of_kind))
        for kind in (True, False)
        for of_kind in [[one for change, one in zip(found, seen, strict=True) if change.is_weight is kind]]
    }
    unseen = tuple(change.title for change, one in zip(found, seen, strict=True) if not one.any())
    return Seen(counts[True], counts[False], unseen)


def _enough(found: Sequence[_Change], seen: Sequence[np.ndarray]) -> bool:
    told = _told(found, seen)
    return all(seen >= ENOUGH * tried for seen, tried in (told.weight_bits, told.thresholds))


def _affordable(network: Network, effort: Effort) -> int:
    """Give the changes of each kind that the effort pays for."""
    products = sum(
        int(np.prod(layer.out_shape[:2])) * field.size
        for layer in network.layers
        for field in _arrays(layer).values()
        if field.ndim > 1
    )
    tries = effort.products // (1 + 2 * effort.least * products)
    return int(min(effort.changes, max(FEWEST, tries)))


def _arrays(layer: Layer) -> dict[str, np.ndarray]:
    """Give a layer's own weights and tables."""
    return {
        field.name: value
        for field in fields(layer)
        if isinstance(value := getattr(layer, field.name), np.ndarray) and field.name in ("weights", "table")
    }


def _changes(network: Network, random: np.random.Generator, count: int) -> Iterator[_Change]:
    """Give changes of weights, and as many of thresholds, spread over the layers, and over the numbers within each by chance."""
    for is_weight in (True, False):
        having = [layer for layer in network.layers if (_arrays(layer) if is_weight else _levels(layer))]
        for number in range(count if having else 0):
            layer = having[number % len(having)]
            yield _changed_weight(layer, random) if is_weight else _changed_level(layer, random)


def _changed_weight(layer: Layer, random: np.random.Generator) -> _Change:
    """Flip a bit of a weight, as many as its largest needs; two-valued ones change their sign."""
    ((field, values),) = _arrays(layer).items()
    at = tuple(int(random.integers(size)) for size in values.shape)
    low, high = int(values.min()), int(values.max())
    old = int(values[at])
    if set(np.unique(values)) <= {-1, 1}:
        new = -old
    else:
        flips = [old ^ (1 << bit) for bit in range(max(high, -low - 1, 1).bit_length())]
        legal = [flip for flip in flips if low <= flip <= high] or [high if old == low else low]
        new = legal[int(random.integers(len(legal)))]
    changed = values.copy()
    changed[at] = new
    title = f"{layer.name}: {field[:-1] if field == 'weights' else 'entry'} {list(at)} {old} as {new}"
    return _Change(title, True, replace(layer, **{field: changed}))


def _levels(layer: Layer) -> str:
    """Give the field of a layer's thresholds or table, if it has any."""
    for field in fields(layer):
        value = getattr(layer, field.name)
        if (isinstance(value, Thresholds) and value.levels.size) or isinstance(value, Lookup):
            return field.name
    return ""


def _skips_every_second(layer: Layer) -> bool:
    """Whether a layer's sums are all even or all odd: one threshold more or less is then the same."""
    weights = _arrays(layer).get("weights")
    return weights is not None and all(one.type.bipolar for one in layer.inputs) and bool(np.all(weights % 2))


def _changed_level(layer: Layer, random: np.random.Generator) -> _Change:
    """Move a threshold by one, or give an entry of a table the code beside it."""
    field = _levels(layer)
    value = getattr(layer, field)
    name, values = ("levels", value.levels) if isinstance(value, Thresholds) else ("table", value.table)
    at = tuple(int(random.integers(size)) for size in values.shape)
    old = int(values[at])
    kind: CodeType = layer.out_type
    step = int(random.choice([-1, 1])) * (2 if _skips_every_second(layer) else 1)
    if isinstance(value, Lookup):
        step = -2 * old if kind.bipolar else step if kind.low <= old + step <= kind.high else -step
    changed = values.copy()
    changed[at] = old + step
    moved = replace(value, **{name: np.sort(changed, axis=-1) if name == "levels" else changed})
    title = f"{layer.name}: {'threshold' if name == 'levels' else 'entry'} {list(at)} {old} as {old + step}"
    return _Change(title, False, replace(layer, **{field: moved}))


def _visible(network: Network, changes: Sequence[_Change], codes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Give for each change which frames' outputs differ: bool (frames,)."""
    if not changes:
        return []
    right = PackedNetwork(network)
    wanted = right.golden_maps(*codes)
    found = []
    for change in changes:
        got = right.with_layer(change.layer).golden_maps(*codes)
        differs = [np.any((a != b).reshape(len(a), -1), axis=1) for a, b in zip(got, wanted, strict=True)]
        found.append(np.any(differs, axis=0))
    return found


def _frames(network: Network, random: np.random.Generator, count: int, *, spread: bool) -> tuple[np.ndarray, ...]:
    """Give random frames; ``spread``: of every second one the codes lie in a range of their own, and the values are alike in neighbours."""
    maps = []
    for port in network.inputs:
        low, high = port.type.low, port.type.high
        if port.type.bipolar:
            share = random.uniform(0.05, 0.95, (count, 1, 1, 1)) if spread else 0.5
            maps.append(np.where(random.random((count, *port.shape)) < share, 1, -1))
            continue
        codes = random.integers(low, high, size=(count, *port.shape), endpoint=True)
        if spread:
            ends = np.sort(random.integers(low, high, size=(2, count, 1, 1, 1), endpoint=True), axis=0)
            narrow = random.integers(ends[0], ends[1], size=codes.shape, endpoint=True)
            codes[::2] = narrow[::2]
        maps.append(codes)
    return tuple(maps)
