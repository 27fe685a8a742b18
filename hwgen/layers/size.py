"""How large layers are, whatever they are made of and wherever they go: so that one network can be held against another."""

from __future__ import annotations

from collections.abc import Iterable

from hwgen.fold import Fold
from hwgen.layers.protocol import Layer

__all__ = ["least_size"]

BITS_OF_A_PART = 64
"""Bits of memory that weigh as much as a part of logic."""


def least_size(layers: Iterable[Layer]) -> float:
    """Give the parts of layers folded as small as they can be."""
    total = 0.0
    for layer in layers:
        cost = layer.resources(Fold())
        total += sum(cost.parts.values()) + sum(chain.bits * number for chain, number in cost.chains.items())
        total += sum(memory.depth * memory.width for memory in cost.memories) / BITS_OF_A_PART
        total += sum(product.number * product.bits for product in cost.products)
    return total
