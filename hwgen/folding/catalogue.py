"""Every folding of every layer of a network, and every place for its tables, with its cost before it is priced."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace

from hwgen.errors import OptionError
from hwgen.fold import Fold, MemoryStyle
from hwgen.folding.writable import make_writable
from hwgen.layers.protocol import Layer, Writable
from hwgen.network import Network
from hwgen.rtl_templates.cost import Resources

__all__ = ["Catalogue"]

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
        self.entries = {
            layer.name: list(_entries(layer, fetch_registers, writable=layer.name in writable, large_rams=large_rams))
            for layer in network.layers
        }


def _entries(
    layer: Layer, fetch_registers: int, *, writable: bool, large_rams: bool
) -> Iterator[tuple[Fold, int, Resources]]:
    """Give foldings with cycles a frame and cost: tables where their size suits, in logic, in block RAM, and in large RAMs."""
    for plain in layer.folds():
        plain = replace(plain, fetch_registers=fetch_registers)
        fold = make_writable(layer, plain) if writable else plain
        cycles, cost = layer.cycles(fold), layer.resources(fold)
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
                layer.check_fold(styled)
            except OptionError:
                continue
            yield styled, cycles, layer.resources(styled)
