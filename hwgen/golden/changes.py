"""Single changes of a network's numbers, and the sums by which a layer can tell each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from hwgen.activation import Lookup, Positions, Thresholds
from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from hwgen.layers.matmul import MatMul
from hwgen.layers.matvec import accumulator_range
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.protocol import Layer
from hwgen.layers.thresholding import Thresholding
from hwgen.network import Network

__all__ = ["Change", "Telling", "changes", "weights_of"]


@dataclass(frozen=True, eq=False)
class Telling:
    """Where a layer's result hangs on a change: its sums ``low <= sum < high`` in a channel, at the positions of a class.

    A sum is the accumulator of a product, and the input of a layer without one. The layer is the changed one, or one before it that must
    yield something for a weight to matter.
    """

    layer: Layer
    channel: int
    low: int
    high: int
    positions: Positions
    of_class: int

    def here(self) -> np.ndarray:
        """Give the positions, of a flattened map: int64."""
        return np.flatnonzero(self.positions.classes().ravel() == self.of_class)


@dataclass(frozen=True, eq=False)
class Change:
    """A layer with one number changed; ``telling`` is None where any sum may tell."""

    title: str
    is_weight: bool
    layer: Layer
    telling: Telling | None


def changes(network: Network, random: np.random.Generator, count: int) -> list[Change]:
    """Give up to so many changes of weights, and as many of thresholds, each once, spread over the layers, and over the numbers within each by chance."""
    return list({change.title: change for change in _drawn(network, random, count)}.values())


def _drawn(network: Network, random: np.random.Generator, count: int) -> Iterator[Change]:
    weighted = [layer for layer in network.layers if weights_of(layer)]
    for number in range(count if weighted else 0):
        yield _changed_weight(network, weighted[number % len(weighted)], random)
    left = [_changed_functions(layer, random) for layer in network.layers if _levels(layer)]
    number = 0
    while left and number < count:
        for changes_of_layer in list(left)[: count - number]:
            change = next(changes_of_layer, None)
            if change is None:
                left.remove(changes_of_layer)
            else:
                number += 1
                yield change


def weights_of(layer: Layer) -> dict[str, np.ndarray]:
    """Give a layer's own weights or table, by the name of its field."""
    return {
        field.name: value
        for field in fields(layer)
        if isinstance(value := getattr(layer, field.name), np.ndarray) and field.name in ("weights", "table")
    }


def _changed_weight(network: Network, layer: Layer, random: np.random.Generator) -> Change:
    """Flip a bit of a weight, as many as its largest needs; two-valued ones change their sign."""
    ((field, values),) = weights_of(layer).items()
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
    telling = None
    if isinstance(layer, Dense | Conv) and layer.thresholds is not None:
        of_class, step = (int(random.integers(size)) for size in layer.thresholds.levels.shape[::2])
        level = int(layer.thresholds.levels[of_class, at[0], step])
        # Close to the level a code that is not the largest tells, too.
        moved = max(2, abs(new - old) * max(-layer.in_type.low, layer.in_type.high) // 8)
        telling = Telling(layer, at[0], level - moved, level + moved, layer.thresholds.positions, of_class)
    elif isinstance(layer, Dense | Conv):
        seen = (
            at[-1] % layer.in_shape[2]
            if isinstance(layer, Dense) or layer.groups == 1
            else at[0] // (layer.rows // layer.groups) * layer.weights.shape[-1] + at[-1]
        )
        telling = _yielding(network, layer, seen, random)
    return Change(title, True, replace(layer, **{field: changed}), telling)


def _yielding(network: Network, layer: Dense | Conv, channel: int, random: np.random.Generator) -> Telling | None:
    """Give where a channel that a layer reads is more than its least code, if that is 0 and thresholds yield it."""
    before = {one.name: one for one in network.layers}
    source = before.get(layer.source)
    while isinstance(source, MaxPool):
        source = before.get(source.source)
    if not isinstance(source, Dense | Conv | MatMul | Thresholding) or source.thresholds is None or source.out_type.low:
        return None
    low, high, _ = _sums(source, channel)
    of_class = int(random.integers(source.thresholds.levels.shape[0]))
    first = max(int(source.thresholds.levels[of_class, channel, 0]), low)
    if first > high:
        return None
    bounds = (-high, 1 - first) if isinstance(source, Thresholding) and source.negate[channel] else (first, high + 1)
    return Telling(source, channel, *bounds, source.thresholds.positions, of_class)


def _levels(layer: Layer) -> str:
    """Give the field of a layer's thresholds or table, if it has any."""
    for field in fields(layer):
        value = getattr(layer, field.name)
        if (isinstance(value, Thresholds) and value.levels.size) or isinstance(value, Lookup):
            return field.name
    return ""


def _changed_functions(layer: Layer, random: np.random.Generator) -> Iterator[Change]:
    """Give changes of a layer's thresholds, each once, or of entries of its table."""
    field = _levels(layer)
    value = getattr(layer, field)
    if isinstance(value, Lookup):
        while True:
            yield _changed_entry(layer, field, value, random)
    yield from _moved_levels(layer, field, value, random)


def _changed_entry(layer: Layer, field: str, value: Lookup, random: np.random.Generator) -> Change:
    """Give an entry of a table the code beside it."""
    of_class, channel, entry = (int(random.integers(size)) for size in value.table.shape)
    old, kind = int(value.table[of_class, channel, entry]), layer.out_type
    step = int(random.choice([-1, 1]))
    step = -2 * old if kind.bipolar else step if kind.low <= old + step <= kind.high else -step
    changed = value.table.copy()
    changed[of_class, channel, entry] = old + step
    title = f"{layer.name}: entry {[of_class, channel, entry]} {old} as {old + step}"
    telling = Telling(layer, channel, value.low + entry, value.low + entry + 1, value.positions, of_class)
    return Change(title, False, replace(layer, **{field: replace(value, table=changed)}), telling)


def _moved_levels(layer: Layer, field: str, value: Thresholds, random: np.random.Generator) -> Iterator[Change]:
    """Move each threshold in turn, by chance, to the next sum above or below: what tells that tells each change of it in that direction."""
    for number in random.permutation(2 * value.levels.size):
        at = tuple(int(index) for index in np.unravel_index(number // 2, value.levels.shape))
        low, high, step = _sums(layer, at[1])
        # What lies beyond the sums is as good as the first value beyond them.
        old = min(max(int(value.levels[at]), low), high + 1)
        above = old + (low - old) % step
        tells = above if number % 2 else above - step
        if low <= tells <= high:
            yield _with_level(layer, field, value, at, tells + number % 2, tells)


def _with_level(layer: Layer, field: str, value: Thresholds, at: tuple[int, ...], new: int, tells: int) -> Change:
    sum_ = -tells if isinstance(layer, Thresholding) and layer.negate[at[1]] else tells
    changed = value.levels.copy()
    changed[at] = new
    moved = replace(value, levels=np.sort(changed, axis=-1))
    title = f"{layer.name}: threshold {list(at)} {int(value.levels[at])} as {new}"
    telling = Telling(layer, at[1], sum_, sum_ + 1, value.positions, at[0])
    return Change(title, False, replace(layer, **{field: moved}), telling)


def _sums(layer: Layer, channel: int) -> tuple[int, int, int]:
    """Give the least and the greatest sum of a channel, as it is compared, and the step between sums."""
    if isinstance(layer, Dense | Conv):
        of_rows = (
            accumulator_range(layer.weights, layer.in_type) if isinstance(layer, Dense) else layer.accumulator_range()
        )
        low, high = int(of_rows[0][..., channel].min()), int(of_rows[1][..., channel].max())
        even = (
            layer.in_type.bipolar
            and bool(np.all(layer.weights % 2))
            and not (isinstance(layer, Conv) and _pads_zeros(layer))
        )
        return low, high, 2 if even else 1
    if isinstance(layer, MatMul):
        return *layer.accumulator_range(), layer.accumulator_step
    kind = layer.inputs[0].type
    low, high = (
        (-kind.high, -kind.low) if isinstance(layer, Thresholding) and layer.negate[channel] else (kind.low, kind.high)
    )
    return low, high, 2 if kind.bipolar else 1


def _pads_zeros(layer: Conv) -> bool:
    return any(layer.window.pads) and layer.pad_value % 2 == 0
