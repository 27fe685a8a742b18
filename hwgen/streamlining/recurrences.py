"""Steps of a sequence that are all alike, found among the layers of an unrolled network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwgen.codes import CodeType
from hwgen.layers.combine import Combine
from hwgen.layers.dense import Dense
from hwgen.layers.protocol import Layer, sources_of
from hwgen.layers.segments import Segments
from hwgen.layers.select import Select
from hwgen.layers.table import Table
from hwgen.layers.thresholding import Thresholding
from hwgen.streamlining.builder import record_content

__all__ = ["POINTWISE", "Chain", "alike", "chains", "reads", "stands_for"]

MOST_TRIED = 1 << 16
"""Codes of a type up to which two functions are compared at each."""

POINTWISE = (Combine, Segments, Select, Table, Thresholding)
"""Kinds that a cell may hold beside its product: they take channels of a pixel as they come."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Steps that do the same, each with the states that the one before it left.

    Parameters
    ----------
    pattern : tuple of Layer
        The layers of one step.
    steps : tuple of mapping of str to str
        For each step the layer that stands for each layer of the pattern, and for each tensor from outside of the steps that one of it reads.
    states : mapping of str to str
        For each state that the pattern reads: the layer of the pattern that yields the next one. The first is multiplied.
    starts : tuple of str
        What each state is before the first step.
    outside : tuple of str
        What the pattern reads from outside of the steps.
    """

    pattern: tuple[Layer, ...]
    steps: tuple[Mapping[str, str], ...]
    states: Mapping[str, str]
    starts: tuple[str, ...]
    outside: tuple[str, ...]


def alike(layer: Layer) -> object:
    """Give what a layer is, whatever its name and whatever it reads."""
    if isinstance(layer, Combine) or hasattr(layer, "sources"):
        return record_content(reads(layer, ("",) * len(layer.inputs)))
    return record_content(reads(layer, ("",)))


def reads(layer: Layer, sources: Sequence[str]) -> Layer:
    """Give a layer that reads something else of the same shape and type."""
    changed: Layer = (
        replace(layer, sources=tuple(sources)) if hasattr(layer, "sources") else replace(layer, source=sources[0])
    )
    return changed


def stands_for(general: Layer, special: Layer) -> bool:
    """Whether a layer does with all that another one can read what that does; it may be made for more."""
    if type(general) is not type(special) or general.out_shape != special.out_shape:
        return False
    pairs = list(zip(general.inputs, special.inputs, strict=True)) if len(general.inputs) == len(special.inputs) else []
    if not pairs or any(one.shape != other.shape or not _holds(one.type, other.type) for one, other in pairs):
        return False
    if isinstance(general, Dense) and isinstance(special, Dense):
        unlike = general.thresholds is not None or special.thresholds is not None
        return not unlike and np.array_equal(general.weights, special.weights)
    if isinstance(general, Combine) and isinstance(special, Combine):
        return general.operation is special.operation and np.array_equal(general.factors, special.factors)
    if alike(general) == alike(special):
        return True
    kind = special.inputs[0].type
    if not isinstance(general, Segments | Table | Thresholding) or kind.levels > MOST_TRIED:
        return False
    codes = np.array([-1, 1]) if kind.bipolar else np.arange(kind.low, kind.high + 1)
    x = np.broadcast_to(codes[:, None, None, None], (len(codes), *general.inputs[0].shape))
    return np.array_equal(general.golden(x), special.golden(x))


def _holds(wide: CodeType, narrow: CodeType) -> bool:
    """Whether a type has all codes of another one."""
    return (narrow.bipolar or not wide.bipolar) and wide.low <= narrow.low and narrow.high <= wide.high


def chains(layers: Sequence[Layer]) -> Iterator[Chain]:
    """Give every chain of three steps or more, the first of which may be unlike the others and is no part of it."""
    groups: dict[object, list[Dense]] = {}
    for layer in layers:
        if isinstance(layer, Dense) and layer.thresholds is None and layer.in_shape[:2] == (1, 1):
            groups.setdefault(record_content((layer.weights,)), []).append(layer)
    for group in groups.values():
        chain = _Search(layers, group).chain() if len(group) > 1 else None
        if chain is not None:
            yield chain


class _Search:
    """Looks for the steps of a chain whose products are all the same."""

    def __init__(self, layers: Sequence[Layer], products: Sequence[Dense]) -> None:
        self.layers = {layer.name: layer for layer in layers}
        self.products = products
        number = {layer.name: place for place, layer in enumerate(products, 1)}
        self.level: dict[str, int] = {}
        self.in_turn = True
        for layer in layers:
            level = max(self.level.get(source, 0) for source in sources_of(layer))
            if layer.name in number:
                self.in_turn = self.in_turn and level == number[layer.name] - 1
                level = number[layer.name]
            self.level[layer.name] = level
        self.compared: dict[tuple[str, str], bool] = {}

    def chain(self) -> Chain | None:
        """Give the longest chain, None if there is none of two steps."""
        if not self.in_turn:
            return None
        states = [product.source for product in self.products[1:]]
        last = self.layers[states[-1]]
        finals = [
            name
            for name, level in self.level.items()
            if level == len(self.products) and type(self.layers[name]) is type(last)
        ]
        for final in [*reversed(finals), None]:
            ends = [*states, final] if final else states
            found = self._steps(ends) if len(ends) > 1 else None
            if found:
                return found
        return None

    def _like(self, part: str, name: str) -> bool:
        """Whether a layer of the pattern does what another one does."""
        if (part, name) not in self.compared:
            there = part in self.layers and name in self.layers
            self.compared[part, name] = there and stands_for(self.layers[part], self.layers[name])
        return self.compared[part, name]

    def _before(self, end: str, level: int) -> set[str]:
        """Give a state and what it is made of, from a level on."""
        found, waiting = set(), [end]
        while waiting:
            name = waiting.pop()
            if self.level.get(name, 0) >= level and name not in found:
                found.add(name)
                waiting += sources_of(self.layers[name])
        return found

    def _steps(self, ends: Sequence[str]) -> Chain | None:
        """See whether all steps are like the last."""
        number = len(ends)
        before, kept, outside = self._before(ends[-2], number - 1), list[str](), list[str]()
        pattern: set[str] = set()
        waiting = [ends[-1]]
        while waiting:
            name = waiting.pop(0)
            if name in pattern or name in kept or name in outside:
                continue
            if name in before:
                kept.append(name)
            elif self.level.get(name, 0) == 0:
                outside.append(name)
            elif self.level[name] < number - 1:
                return None
            else:
                pattern.add(name)
                waiting += sources_of(self.layers[name])
        if ends[-2] not in kept or ends[-1] not in pattern:
            return None
        kept.sort(key=lambda name: name != ends[-2])
        steps: list[dict[str, str]] = []
        entries: list[tuple[str, ...]] = []
        for end in ends:
            found: dict[str, str] = {}
            if not self._match(ends[-1], end, pattern, found):
                return None
            entries.append(tuple(found.pop(name) for name in kept))
            steps.append(found)
        own = {name: part for part, name in steps[-2].items() if part in pattern}
        made = {name: own[name] for name in kept if name in own}
        if len(made) < len(kept):
            return None
        for step, entry in zip(steps, entries[1:], strict=False):
            if tuple(step[part] for part in made.values()) != entry:
                return None
        starts = entries[0]
        layers = tuple(layer for name, layer in self.layers.items() if name in pattern)
        return Chain(layers, tuple(steps), made, starts, tuple(outside))

    def _match(self, part: str, name: str, pattern: set[str], found: dict[str, str]) -> bool:
        """Find what stands for each layer of the pattern, from one on backwards."""
        waiting = [(part, name)]
        while waiting:
            part, name = waiting.pop()
            if part in found:
                if found[part] != name:
                    return False
                continue
            found[part] = name
            if part in pattern:
                if not self._like(part, name):
                    return False
                waiting += zip(sources_of(self.layers[part]), sources_of(self.layers[name]), strict=True)
        return True
