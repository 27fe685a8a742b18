"""What float32 rounding in the file explains: decisions that fall otherwise than in exact arithmetic.

Each node is calculated again from the file's own tensors, in the file's precision and in float64. Where the first is not what the file yields, hwgen means another operator than the
file's executor, and nothing is explained. How far the second is from it is the node's rounding. What follows elementwise is then a function of one number, evaluated at the exact number
and on either side of it, as far off as the file was: a code of the golden model that lies among these is right, and the file's is its rounding. Where the file did not
round, nothing is explained, so that a tie which falls the wrong way is a difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from hwgen.frontend import read_onnx
from hwgen.graph import Graph, Node
from hwgen.operators import evaluate
from hwgen.operators.shaping import SHAPING

__all__ = ["Brackets"]

FURTHER = 2.0
"""How many times as far as the file was off on either side."""

ALIKE = 2.0**-14
"""How far, relative to the largest number of a tensor, two executors of one precision may be apart in a sum."""

Bracket = tuple[np.ndarray, np.ndarray, np.ndarray]
"""A tensor calculated exactly, and from numbers below and above."""


class Brackets:
    """A graph whose tensors are bracketed.

    Parameters
    ----------
    path : str or Path
    """

    def __init__(self, path: str | Path) -> None:
        self._graph: Graph = read_onnx(path)

    @property
    def tensors(self) -> list[str]:
        """Everything that nodes yield, in order."""
        return [name for node in self._graph.nodes for name in node.outputs if name]

    def of(self, found: Mapping[str, np.ndarray], sign_at_zero: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Bracket tensors.

        Parameters
        ----------
        found : mapping of str to ndarray
            The file's inputs, and what it yields, frames first.
        sign_at_zero : int
            What a Sign that sees exactly 0 is also taken as.

        Returns
        -------
        dict of str to (ndarray, ndarray)
            Lowest and highest exact value of each.
        """
        constants = self._graph.constants
        known: dict[str, Bracket] = {name: (x, x, x) for name, x in constants.items()}
        known |= {name: (found[name],) * 3 for name in self._graph.inputs}
        for node in self._graph.nodes:
            known.update(_bracket(node, known, found))
            if node.op == "Sign":
                signs = known[node.outputs[0]]
                taken = [np.where(side == 0, sign_at_zero, side) for side in signs]
                known[node.outputs[0]] = (
                    signs[0],
                    np.minimum.reduce([*signs, *taken]),
                    np.maximum.reduce([*signs, *taken]),
                )
        return {
            name: (np.minimum.reduce(bracket), np.maximum.reduce(bracket))
            for name, bracket in known.items()
            if name not in constants
        }


def _bracket(
    node: Node, known: Mapping[str, Bracket], found: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, Bracket]]:
    """Bracket what a node yields."""
    names = [name for name in node.outputs if name]
    given = [found.get(name, known[name][0]) if name else None for name in node.inputs]
    exact = evaluate.apply(node, given, np.float64)
    if node.op in evaluate.CHANNELWISE or node.op in SHAPING:
        sides = ([known[name][side] if name else None for name in node.inputs] for side in range(3))
        runs = [evaluate.apply(node, side, np.float64) for side in sides]
    else:
        runs = [exact, exact, exact]
    alike = evaluate.apply(node, given)
    for name, local, same, middle, low, high in zip(names, exact, alike, *runs, strict=False):
        if name in found and found[name].size == local.size and local.dtype.kind == "f":
            file = found[name].astype(np.float64).reshape(local.shape)
            agrees = np.abs(same - file) <= ALIKE * float(np.max(np.abs(file), initial=0.0))
            off = np.where(agrees, FURTHER * np.abs(local - file), np.nan)
            low, high = np.minimum(low, middle - off), np.maximum(high, middle + off)
        yield name, (middle, low, high)
