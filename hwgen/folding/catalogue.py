"""Every folding of every layer of a network, and every place for its tables, with its cost before it is priced."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from hwgen.devices.family import Device
from hwgen.devices.usage import Usage
from hwgen.errors import OptionError
from hwgen.estimation.budget import Budget, counts
from hwgen.estimation.estimate import estimate
from hwgen.fold import Fold, MemoryStyle
from hwgen.folding.writable import make_writable
from hwgen.layers.protocol import Layer, Writable, interval_of
from hwgen.network import Network
from hwgen.progress import at
from hwgen.rtl_templates.cost import Resources

__all__ = ["Catalogue", "Lanes"]

Lanes = tuple[tuple[int, ...], int]
"""Lanes of a layer's inputs and of its output."""

DEEPEST_LOGIC_TABLE = 256
"""Words up to which a table is worth trying in logic."""

LEAST_BLOCK_TABLE = 8
"""Words from which a table is worth trying in block RAM."""


class Catalogue:
    """Every folding of every layer of a network, and every place for its tables, with its cost before it is priced.

    Parameters
    ----------
    network : Network
    writable : set of str
        Layers whose memories shall be writable.
    large_rams : bool
        Whether weights may be in large RAMs, which makes their layer writable.
    fetch_registers : int
        Of every folding, see `Fold`.
    """

    def __init__(
        self,
        network: Network,
        *,
        writable: Container[str] = frozenset(),
        large_rams: bool = False,
        fetch_registers: int = 0,
    ) -> None:
        self.network = network
        written = frozenset(layer.name for layer in network.layers if layer.name in writable)
        self.entries = _entries_of(network.layers, fetch_registers, written, large_rams)
        self.lanes: dict[str, list[Lanes]] = {
            layer.name: [
                (layer.folding.input_lanes(fold), layer.folding.out_lanes(fold))
                for fold, _, _ in self.entries[layer.name]
            ]
            for layer in network.layers
        }
        self._usages: dict[tuple[str, bool], dict[str, list[Usage]]] = {}

    def usages(self, device: Device) -> dict[str, list[Usage]]:
        """Give what each entry of each layer is estimated to take: the same on all devices of a family that have multipliers, or have none."""
        key = (device.family.name, device.dsps > 0)
        if key not in self._usages:
            self._usages[key] = {
                name: [estimate(cost, device) for _, _, cost in entries] for name, entries in self.entries.items()
            }
        return self._usages[key]

    def least_needs(self, limits: Budget, cycles: int) -> np.ndarray:
        """Give of each limited resource what no plan of at most so many cycles a frame takes less of: every layer's least, each resource by itself."""
        usages = self.usages(limits.device)
        least = np.zeros(len(limits.limits()))
        for name, entries in self.entries.items():
            fast = [
                counts(usage) for usage, (_, taken, _) in zip(usages[name], entries, strict=True) if taken <= cycles
            ]
            if not fast:
                return np.full(len(least), np.inf)
            least += limits.needs_of(np.array(fast)).min(axis=0)
        return least


@lru_cache(maxsize=1)
def _entries_of(
    layers: tuple[Layer, ...], fetch_registers: int, writable: frozenset[str], large_rams: bool
) -> Mapping[str, list[tuple[Fold, int, Resources]]]:
    """List the entries of every layer; those of the last network are kept, as a report may ask for them again."""
    entries = {}
    for layer in layers:
        at(f"layer '{layer.name}'")
        entries[layer.name] = list(
            _entries(layer, fetch_registers, writable=layer.name in writable, large_rams=large_rams)
        )
    return entries


def _entries(
    layer: Layer, fetch_registers: int, *, writable: bool, large_rams: bool
) -> Iterator[tuple[Fold, int, Resources]]:
    """Give foldings with cycles a frame and cost: tables where their size suits, in logic, in block RAM, and in large RAMs."""
    for plain in layer.folding.folds():
        plain = replace(plain, fetch_registers=fetch_registers)
        fold = make_writable(layer, plain) if writable else plain
        cycles, cost = interval_of(layer, fold), layer.resources(fold)
        yield fold, cycles, cost
        tables = [memory for memory in cost.memories if memory.kind.constant or memory.written]
        styles = []
        if any(memory.style is MemoryStyle.BLOCK and memory.depth <= DEEPEST_LOGIC_TABLE for memory in tables):
            styles.append(MemoryStyle.DISTRIBUTED)
        if any(memory.style is MemoryStyle.DISTRIBUTED and memory.depth >= LEAST_BLOCK_TABLE for memory in tables):
            styles.append(MemoryStyle.BLOCK)
        for style in styles:
            styled = replace(fold, memory=style)
            yield styled, cycles, layer.resources(styled)
        if large_rams and isinstance(layer, Writable):
            styled = replace(layer.writable(fold), memory=MemoryStyle.SPRAM)
            try:
                layer.folding.check(styled)
            except OptionError:
                continue
            yield styled, cycles, layer.resources(styled)
