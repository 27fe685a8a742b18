"""How real numbers become integers: bits, ranges, and what is not allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hwgen.errors import ModelError, OptionError
from hwgen.graph import Node

__all__ = ["Precision"]


@dataclass(frozen=True)
class Precision:
    """What fixed point is made of.

    Parameters
    ----------
    exact : bool
        Refuse whatever is no exact calculation of integers.
    fixed_bits : int
        Bits of a stream of real numbers.
    weight_bits : int
        Bits of real weights.
    ranges : mapping of str to tuple of float
        Least and greatest value of tensors, from data; a tensor that is not named takes its full reachable range.

    Raises
    ------
    OptionError
        If a number of bits is out of range.
    """

    exact: bool = False
    fixed_bits: int = 16
    weight_bits: int = 8
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 4 <= self.fixed_bits <= 24:
            raise OptionError(f"Streams of real numbers take 4 to 24 bits, not {self.fixed_bits} (--fixed-bits)")
        if not 2 <= self.weight_bits <= 16:
            raise OptionError(f"Real weights take 2 to 16 bits, not {self.weight_bits} (--weight-bits)")

    def allow(self, node: Node, what: str) -> None:
        """Hold that rounding is allowed.

        Raises
        ------
        ModelError
            Naming the node, if only exact calculation is.
        """
        if self.exact:
            raise ModelError(
                f"Node '{node.name}' ({node.op}) {what}, which integers hold only rounded; put a quantiser there, "
                "or compile without --exact"
            )
