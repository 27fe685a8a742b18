"""What float32 rounding in the file explains: decisions that fall otherwise than in exact arithmetic.

Each node is calculated again from the file's own tensors, in the file's precision and in float64. Where the first is not what the file yields, hwgen means another operator than the
file's executor, and nothing is explained. A number may then be the file's, or the exact one, or the exact one of weights that are meant to be multiples of a step; what follows is
calculated from the least and the greatest of these, up to the next tensor that the network holds. There it goes on from the network's number. A code of the golden model that
lies among these is right, and the file's is its rounding. Where the file did not round, nothing is explained, so that a tie which falls the wrong way is a difference.

What has no such tensor between the inputs and the outputs is explained by the whole graph: where every node means the same as for the file's executor, outputs that are those of
float64 from the inputs on differ from the file's by rounding alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from hwgen.frontend import read_onnx
from hwgen.graph import Graph, Node
from hwgen.operators import evaluate
from hwgen.operators.shapes import constant_values
from hwgen.passes.fold_constants import fold_constants
from hwgen.passes.spell_out import spell_out
from hwgen.verification.enclose import Bracket, agrees, bracketed, largest_summed, settled

__all__ = ["Brackets"]

ROUNDING = 2.0**-14
"""How far, relative to the largest number of a tensor, no decision is from another."""


class Brackets:
    """A graph whose tensors are bracketed.

    Parameters
    ----------
    path : str or Path
    """

    def __init__(self, path: str | Path) -> None:
        self._graph: Graph = spell_out(fold_constants(read_onnx(path)))
        self._constants = constant_values(self._graph)
        self._nodes = [node for node in self._graph.nodes if node.outputs[0] not in self._constants]

    @property
    def tensors(self) -> list[str]:
        """Everything that nodes make of the inputs, in order; what they make of constants alone has no frames."""
        return [name for node in self._nodes for name in node.outputs if name]

    def of(
        self,
        found: Mapping[str, np.ndarray],
        inputs: Mapping[str, np.ndarray],
        held: Mapping[str, np.ndarray],
        sign_at_zero: int = 0,
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Bracket tensors.

        Parameters
        ----------
        found : mapping of str to ndarray
            The file's inputs, and what it yields, frames first.
        inputs : mapping of str to ndarray
            What the inputs stand for exactly.
        held : mapping of str to ndarray
            What the network has as a tensor: what follows is followed from that, and from what the file has there.
        sign_at_zero : int
            What a Sign that sees exactly 0 is also taken as.

        Returns
        -------
        dict of str to (ndarray, ndarray)
            Lowest and highest exact value of each.
        """
        constants = self._constants
        known: dict[str, Bracket] = {name: (x, x, x) for name, x in constants.items()}
        known |= {name: _spanned(inputs[name], found[name]) for name in self._graph.inputs}
        ends = {name: _ends(known[name]) for name in self._graph.inputs}
        sums: dict[str, float] = {}
        for node in self._nodes:
            given = [found.get(name, known[name][0]) if name else None for name in node.inputs]
            summed = max((sums[name] for name in node.inputs if name in sums), default=0.0)
            sums |= _unnamed(node, found, given, summed)
            meant = [inputs.get(name, array) for name, array in zip(node.inputs, given, strict=True)]
            before = [known[name] if name else None for name in node.inputs]
            results = bracketed(node, given, meant, before, [found.get(name) for name in node.outputs], summed)
            for name, bracket in zip(node.outputs, results, strict=False):
                known[name] = _taken(bracket, sign_at_zero) if node.op == "Sign" else bracket
                ends[name] = _ends(known[name])
                if name in held and name in found and held[name].size == bracket[0].size == found[name].size:
                    known[name] = _spanned(*(array.reshape(bracket[0].shape) for array in (held[name], found[name])))
        return ends

    def replayed(
        self, found: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray], sign_at_zero: int = 0
    ) -> dict[str, np.ndarray] | None:
        """Calculate everything from the inputs on in float64.

        Parameters
        ----------
        found : mapping of str to ndarray
            The file's inputs, and what it yields, frames first.
        inputs : mapping of str to ndarray
            What the inputs stand for exactly.
        sign_at_zero : int
            What a Sign that sees exactly 0 is taken as.

        Returns
        -------
        dict of str to ndarray, or None
            None if a node is another operator than the file's executor has by that name.
        """
        known = {**self._constants, **found}
        sums: dict[str, float] = {}
        if not all(_means_the_same(node, known, found, sums) for node in self._nodes):
            return None
        exact = {
            name: array.astype(np.float64) if array.dtype.kind == "f" else array
            for name, array in {**self._constants, **inputs}.items()
        }
        for node in self._nodes:
            given = [exact[name] if name else None for name in node.inputs]
            results = (settled(node, result, given) for result in evaluate.apply(node, given, np.float64))
            if node.op == "Sign" and sign_at_zero:
                results = (np.where(result == 0, sign_at_zero, result) for result in results)
            exact.update(zip(node.outputs, results, strict=False))
        return exact

    def first_apart(
        self, found: Mapping[str, np.ndarray], replayed: Mapping[str, np.ndarray]
    ) -> tuple[str, np.ndarray] | None:
        """Give the first tensor of the file that is further from its replay than by rounding, and where."""
        for name in self.tensors:
            if name not in found or found[name].size != replayed[name].size:
                continue
            file = found[name].astype(np.float64).reshape(replayed[name].shape)
            apart = np.abs(file - replayed[name]) > ROUNDING * np.max(np.abs(file), initial=0.0)
            if np.any(apart):
                return name, np.argwhere(apart)
        return None


def _ends(bracket: Bracket) -> tuple[np.ndarray, np.ndarray]:
    return np.minimum.reduce(bracket), np.maximum.reduce(bracket)


def _spanned(exact: np.ndarray, file: np.ndarray) -> Bracket:
    """Bracket a tensor by what it is exactly and what the file has."""
    file = file.reshape(exact.shape)
    return exact, np.minimum(exact, file), np.maximum(exact, file)


def _taken(bracket: Bracket, sign_at_zero: int) -> Bracket:
    """Bracket signs of which 0 may be taken as told."""
    sides = [*bracket, *(np.where(side == 0, sign_at_zero, side) for side in bracket)]
    return bracket[0], np.minimum.reduce(sides), np.maximum.reduce(sides)


def _unnamed(
    node: Node, found: Mapping[str, np.ndarray], given: Sequence[np.ndarray | None], summed: float
) -> dict[str, float]:
    """Give the largest sum in each result of a node that the file does not have, being written as one with what follows."""
    return {name: max(summed, largest_summed(node, given)) for name in node.outputs if name not in found}


def _means_the_same(
    node: Node, known: dict[str, np.ndarray], found: Mapping[str, np.ndarray], sums: dict[str, float]
) -> bool:
    """Whether a node makes of the file's own tensors what the file has there; what the file does not have becomes known."""
    given = [known[name] if name else None for name in node.inputs]
    summed = max((sums[name] for name in node.inputs if name in sums), default=0.0)
    sums |= _unnamed(node, found, given, summed)
    for name, same in zip(node.outputs, evaluate.apply(node, given), strict=False):
        if known.setdefault(name, same).size == same.size and not np.all(
            agrees(node, same, known[name], given, summed)
        ):
            return False
    return True
