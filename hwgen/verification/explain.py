"""What float32 rounding in the file explains: decisions that fall otherwise than in exact arithmetic.

Each node is calculated again from the file's own tensors, in the file's precision and in float64. Where the first is not what the file yields, hwgen means another operator than the
file's executor, and nothing is explained. How far the second is from it is the node's rounding. What follows elementwise is then a function of one number, evaluated at the exact number
and on either side of it, as far off as the file was: a code of the golden model that lies among these is right, and the file's is its rounding. Where the file did not
round, nothing is explained, so that a tie which falls the wrong way is a difference.

What a decision that fell otherwise leads to, behind further layers, is explained by the whole graph: where every node means the same as for the file's executor, calculating all of
them in float64 from the inputs on differs from the file by rounding alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from hwgen.frontend import read_onnx
from hwgen.graph import Graph, Node
from hwgen.operators import evaluate
from hwgen.operators.shapes import constant_values
from hwgen.operators.shaping import SHAPING

__all__ = ["Brackets"]

FURTHER = 2.0
"""How many times as far as the file was off on either side."""

ALIKE = 2.0**-14
"""How far, relative to the largest number of a tensor, two executors of one precision may be apart in a sum."""

HALF_AN_ULP = 2.0**-24
"""How far, relative to itself, float32's nearest is from a number."""

SETTLED = 2.0**-40
"""How far, relative to what is summed, float64 may be off in any sum."""

_RANKINGS = ("ArgMax", "ArgMin", "TopK")

_POOLS = (
    "AveragePool",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "MaxPool",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceSum",
)
"""Operators that yield more where any of their numbers is more."""

_PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")

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
        self._constants = constant_values(self._graph)
        self._nodes = [node for node in self._graph.nodes if node.outputs[0] not in self._constants]

    @property
    def tensors(self) -> list[str]:
        """Everything that nodes make of the inputs, in order; what they make of constants alone has no frames."""
        return [name for node in self._nodes for name in node.outputs if name]

    def of(
        self, found: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray], sign_at_zero: int = 0
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Bracket tensors.

        Parameters
        ----------
        found : mapping of str to ndarray
            The file's inputs, and what it yields, frames first.
        inputs : mapping of str to ndarray
            What the inputs stand for exactly.
        sign_at_zero : int
            What a Sign that sees exactly 0 is also taken as.

        Returns
        -------
        dict of str to (ndarray, ndarray)
            Lowest and highest exact value of each.
        """
        constants = self._constants
        known: dict[str, Bracket] = {name: (x, x, x) for name, x in constants.items()}
        known |= {name: (inputs[name],) * 3 for name in self._graph.inputs}
        for node in self._nodes:
            known.update(_bracket(node, known, found, inputs))
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
        if not all(_means_the_same(node, known) for node in self._nodes):
            return None
        exact = {
            name: array.astype(np.float64) if array.dtype.kind == "f" else array
            for name, array in {**self._constants, **inputs}.items()
        }
        for node in self._nodes:
            given = [exact[name] if name else None for name in node.inputs]
            results = _settled(node, evaluate.apply(node, given, np.float64), given)
            if node.op == "Sign" and sign_at_zero:
                results = (np.where(result == 0, sign_at_zero, result) for result in results)
            exact.update(zip(node.outputs, results, strict=False))
        return exact

    def zero_signs(self, found: Mapping[str, np.ndarray]) -> set[str]:
        """Give the tensors among those found that a Sign yields, and that hold a 0."""
        signs = {node.outputs[0] for node in self._nodes if node.op == "Sign"}
        return {name for name in signs & set(found) if np.any(found[name] == 0)}

    def first_apart(
        self, found: Mapping[str, np.ndarray], replayed: Mapping[str, np.ndarray]
    ) -> tuple[str, np.ndarray] | None:
        """Give the first tensor of the file that is further from its replay than by rounding, and where."""
        for name in self.tensors:
            if name not in found or found[name].size != replayed[name].size:
                continue
            file = found[name].astype(np.float64).reshape(replayed[name].shape)
            apart = np.abs(file - replayed[name]) > _alike(file)
            if np.any(apart):
                return name, np.argwhere(apart)
        return None


def _alike(file: np.ndarray) -> float:
    return ALIKE * float(np.max(np.abs(file), initial=0.0))


def _means_the_same(node: Node, known: dict[str, np.ndarray]) -> bool:
    """Whether a node makes of the file's own tensors what the file has there; what the file does not have becomes known."""
    results = evaluate.apply(node, [known[name] if name else None for name in node.inputs])
    for name, same in zip(node.outputs, results, strict=False):
        if known.setdefault(name, same).size == same.size:
            file = known[name].astype(np.float64).reshape(same.shape)
            if np.any(np.abs(same - file) > _alike(file)):
                return False
    return True


def _settled(node: Node, results: Sequence[np.ndarray], given: Sequence[np.ndarray | None]) -> Iterator[np.ndarray]:
    """Take float64's own rounding out of results: what is zero, or a float32, but for that, is meant to be it."""
    sizes = [np.abs(array) for array in results]
    if node.op in (*_PRODUCTS, "Add", "Sub"):
        sizes = [
            np.abs(
                evaluate.apply(
                    replace(node, op=node.op.replace("Sub", "Add")),
                    [array if array is None else np.abs(array) for array in given],
                    np.float64,
                )[0]
            )
        ]
    for result, size in zip(results, sizes, strict=False):
        if result.dtype.kind != "f":
            yield result
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            short = result.astype(np.float32)
            near = np.where(np.abs(result - short) <= SETTLED * size, short, result)
        yield np.where(np.abs(near) <= SETTLED * size, 0.0, near)


def _ranked(node: Node, exact: Sequence[np.ndarray], known: Mapping[str, Bracket]) -> Iterator[Bracket]:
    """Bracket what a ranking yields: a place may hold every number that so many others may be ahead of, and so many behind."""
    _, low, high = known[node.inputs[0]]
    axis = int(node.attributes["axis"])
    if node.op == "ArgMin" or not node.attributes.get("largest", 1):
        low, high = -high, -low
    low, high = (np.moveaxis(np.nan_to_num(side, nan=0.0), axis, -1)[..., None] for side in (low, high))
    near = ALIKE * HALF_AN_ULP * np.maximum(np.abs(low), np.abs(high))
    others = np.swapaxes(low, -1, -2), np.swapaxes(high, -1, -2)
    first = np.sum(others[0] > high + near, axis=-1)
    last = np.sum(others[1] >= low - near, axis=-1) - 1
    count = exact[-1].shape[axis] if node.op == "TopK" else 1
    places = np.arange(count)
    may = (first[..., None] <= places) & (places <= last[..., None])
    least = may.argmax(axis=-2)
    greatest = may.shape[-2] - 1 - may[..., ::-1, :].argmax(axis=-2)
    for result in exact:
        ends = [np.moveaxis(side, -1, axis).reshape(exact[-1].shape).astype(np.float64) for side in (least, greatest)]
        yield (result, *ends) if result is exact[-1] else (result, result, result)


def _of_factors(node: Node, given: Sequence[np.ndarray | None], known: Mapping[str, Bracket]) -> np.ndarray | float:
    """Tell how far a sum of products is off because float32 rounded what is multiplied: the map, and weights that are meant to be multiples of a step."""
    if node.op not in _PRODUCTS or any(array is None for array in given[:2]):
        return 0.0
    x, weights = (np.asarray(array, dtype=np.float64) for array in given[:2])
    _, low, high = known[node.inputs[0]]
    off = np.maximum(np.abs(high - x), np.abs(low - x))
    # A decision that fell otherwise is no rounding: what follows from it is followed from the file's own.
    parts = (
        [np.where(off <= _alike(x), off, HALF_AN_ULP * np.abs(x)), np.abs(weights)],
        [HALF_AN_ULP * np.abs(x), np.abs(weights)],
    )
    count = 1 if _is_grid(np.abs(weights)) else 2
    return np.asarray(sum(np.abs(evaluate.apply(node, part, np.float64)[0]) for part in parts[:count]))


def _is_grid(weights: np.ndarray) -> bool:
    """Whether weights are exact multiples of the least of them."""
    least = np.min(weights, where=weights > 0, initial=np.inf)
    return not np.any(weights) or np.array_equal(np.rint(weights / least) * least, weights)


def _bracket(
    node: Node, known: Mapping[str, Bracket], found: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, Bracket]]:
    """Bracket what a node yields."""
    names = [name for name in node.outputs if name]
    given = [found.get(name, known[name][0]) if name else None for name in node.inputs]
    meant = [inputs.get(name, array) for name, array in zip(node.inputs, given, strict=True)]
    exact = evaluate.apply(node, meant, np.float64)
    if node.op in _RANKINGS:
        yield from zip(names, _ranked(node, exact, known), strict=False)
        return
    if node.op in evaluate.CHANNELWISE or node.op in SHAPING or node.op in _POOLS:
        sides = ([known[name][side] if name else None for name in node.inputs] for side in range(3))
        runs = [evaluate.apply(node, side, np.float64) for side in sides]
    else:
        runs = [exact, exact, exact]
    alike = evaluate.apply(node, given)
    for name, local, same, middle, low, high in zip(names, exact, alike, *runs, strict=False):
        if name in found and found[name].size == local.size and local.dtype.kind == "f":
            file = found[name].astype(np.float64).reshape(local.shape)
            agrees = np.abs(same - file) <= _alike(file)
            off = np.where(agrees, FURTHER * np.maximum(np.abs(local - file), _of_factors(node, given, known)), np.nan)
            # What falls where its number rises has its ends exchanged.
            low, high = (
                np.minimum.reduce([low, high, middle - off]),
                np.maximum.reduce([low, high, middle + off]),
            )
        yield name, (middle, low, high)
