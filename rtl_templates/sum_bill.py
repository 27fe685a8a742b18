"""What sums of bits and of numbers consist of: groups of two and three, carry chains, and the registers between them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["Adder", "Sums"]

Adder = tuple[int, bool, bool]
"""Bits of a sum, whether its adder takes a carry in, and whether the sum's top bit is a carry out."""


@dataclass
class Sums:
    """What is added.

    Parameters
    ----------
    adders : Counter of Adder
    triples, pairs : int
        Groups of three and of two bits that are counted.
    flipflops : int
    lone : int
        Flip-flops among them that hold what no adder has added yet.
    inverted : int
        Bits that adders take inverted.
    """

    adders: Counter[Adder] = field(default_factory=Counter)
    triples: int = 0
    pairs: int = 0
    flipflops: int = 0
    lone: int = 0
    inverted: int = 0
