"""A tensor as a function of one integer: the elementwise nodes between an integer map and the tensor.

Functions are evaluated by running the graph's own nodes on chosen integers. All elements of a map lie side by side on
one axis: an *element* is a position and a channel, and a node's parameters are picked for each element.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.operators.evaluate import apply

__all__ = [
    "CANCELLATION",
    "Call",
    "Elements",
    "Evaluator",
    "Leaf",
    "Parameter",
    "Rows",
    "Term",
    "calls_of",
    "mapped",
    "parameters_of",
    "replaced",
    "sources_of",
    "varies",
]

CANCELLATION = 1e-12
"""A sum this small beside its terms is zero that was missed by float64 rounding."""


@dataclass(frozen=True, eq=False)
class Parameter:
    """A constant of a node, laid out like the map.

    Parameters
    ----------
    array : ndarray, shape () or (height or 1, width or 1, channels or 1, ...)
        Further axes belong to the operator (the levels of a MultiThreshold).
    """

    array: np.ndarray

    @property
    def uniform(self) -> bool:
        """Whether it is the same at every position."""
        return self.array.ndim == 0 or self.array.shape[:2] == (1, 1)

    def at(self, elements: Elements, *further: np.ndarray) -> np.ndarray:
        """Pick: shape () or (elements, ...); with places on further axes, which broadcast against the elements, these alone."""
        if self.array.ndim == 0:
            return self.array
        places = (elements.y, elements.x, elements.c)
        picks = (
            place if size > 1 else np.zeros_like(place) for place, size in zip(places, self.array.shape, strict=False)
        )
        return np.asarray(self.array[(*picks, *further)])


@dataclass(frozen=True, eq=False)
class Leaf:
    """The real number that an integer stands for: ``scale * integer + offset``.

    ``noise`` is how far from it the graph's own float32 number may lie, whatever the order of its sums: 0 where float32
    holds it exactly, None where that is not known.
    """

    scale: Parameter
    offset: Parameter
    noise: Parameter | None = None


@dataclass(frozen=True, eq=False)
class Rows:
    """The real number that a table has for an integer: entry ``integer - low`` of the last axis."""

    table: Parameter
    low: int


@dataclass(frozen=True, eq=False)
class Call:
    """A node applied to terms and parameters (None: an absent input)."""

    node: Node
    operands: tuple[Leaf | Rows | Call | Parameter | None, ...]


Term = Leaf | Rows | Call


@dataclass(frozen=True, eq=False)
class Elements:
    """Row, column and channel of each element: int64 (elements,)."""

    y: np.ndarray
    x: np.ndarray
    c: np.ndarray

    def pick(self, element: np.ndarray) -> Elements:
        """Give some of them, in any order."""
        return Elements(self.y[element], self.x[element], self.c[element])


def calls_of(term: Term) -> list[Call]:
    """List every call of a term once, operands first; a chain of them may be any length, so nothing here recurses."""
    found: dict[int, Call] = {}
    waiting = [(term, False)] if isinstance(term, Call) else []
    while waiting:
        call, operands_found = waiting.pop()
        if operands_found:
            found[id(call)] = call
        elif id(call) not in found:
            waiting.append((call, True))
            waiting += [(part, False) for part in reversed(call.operands) if isinstance(part, Call)]
    return list(found.values())


def sources_of(term: Term) -> list[Leaf | Rows]:
    """List every leaf and table of a term once."""
    parts = [operand for call in calls_of(term) for operand in call.operands] or [term]
    return list({id(part): part for part in parts if isinstance(part, Leaf | Rows)}.values())


def parameters_of(term: Term) -> list[Parameter]:
    """List the parameters of a term: those of its nodes, and what its leaves and tables are made of."""
    found = [operand for call in calls_of(term) for operand in call.operands if isinstance(operand, Parameter)]
    for source in sources_of(term):
        found += [source.table] if isinstance(source, Rows) else [source.scale, source.offset]
    return found


def varies(term: Term) -> bool:
    """Whether a term differs from position to position."""
    return any(not parameter.uniform for parameter in parameters_of(term))


def mapped(term: Term, change: Callable[[Parameter], Parameter]) -> Term:
    """Give a term with other parameters."""
    known: dict[int, Term] = {}

    def moved(part: Leaf | Rows | Call | Parameter | None) -> Leaf | Rows | Call | Parameter | None:
        match part:
            case None:
                return None
            case Parameter():
                return change(part)
            case Call():
                return known[id(part)]
        return source(part)

    def source(part: Leaf | Rows) -> Leaf | Rows:
        if isinstance(part, Leaf):
            return Leaf(change(part.scale), change(part.offset), None if part.noise is None else change(part.noise))
        return Rows(change(part.table), part.low)

    for call in calls_of(term):
        known[id(call)] = Call(call.node, tuple(map(moved, call.operands)))
    return known[id(term)] if isinstance(term, Call) else source(term)


def replaced(term: Term, part: Term, other: Term) -> Term:
    """Give a term with one of its parts replaced."""
    if term is part:
        return other
    known: dict[int, Term] = {id(part): other}
    for call in calls_of(term):
        if call is not part:
            operands = (known.get(id(operand), operand) for operand in call.operands)
            known[id(call)] = Call(call.node, tuple(operands))
    return known[id(term)] if isinstance(term, Call) else term


@dataclass(frozen=True)
class Evaluator:
    """Evaluation of terms.

    Parameters
    ----------
    dtype : type
        ``np.float64``, or ``np.float32`` for what the graph itself computes.
    sign_at_zero : int
        What ONNX's Sign gives for 0: 0, or what the user takes it as.
    finite : bool
        Refuse infinite results too, not only NaN.
    """

    dtype: type = np.float64
    sign_at_zero: int = 0
    finite: bool = True

    def __call__(self, term: Term, integers: np.ndarray, elements: Elements) -> np.ndarray:
        """Evaluate a term.

        Parameters
        ----------
        term : Term
        integers : ndarray, shape (points, elements)
        elements : Elements

        Returns
        -------
        ndarray, shape (points, elements)

        Raises
        ------
        ModelError
            If a node yields NaN or infinity; the message names the node.
        """
        known: dict[int, np.ndarray] = {}
        result = integers if isinstance(term, Call) else self._source(term, integers, elements)
        for call in calls_of(term):
            inputs: list[np.ndarray | None] = []
            for operand in call.operands:
                if isinstance(operand, Leaf | Rows) and id(operand) not in known:
                    known[id(operand)] = self._source(operand, integers, elements)
                if isinstance(operand, Parameter):
                    inputs.append(operand.at(elements))
                else:
                    inputs.append(None if operand is None else known[id(operand)])
            result = self._node(call.node, inputs, integers.shape)
            known[id(call)] = result
        return result

    def _source(self, term: Leaf | Rows, integers: np.ndarray, elements: Elements) -> np.ndarray:
        if isinstance(term, Leaf):
            return self._leaf(term, integers, elements)
        return np.asarray(term.table.at(elements, integers - term.low), dtype=self.dtype)

    def _leaf(self, leaf: Leaf, integers: np.ndarray, elements: Elements) -> np.ndarray:
        product = integers * leaf.scale.at(elements).astype(np.float64)
        offset = leaf.offset.at(elements).astype(np.float64)
        total = product + offset
        noise = CANCELLATION * (np.abs(product) + np.abs(offset))
        # What is a float32 but for float64's rounding is meant to be it: 255 times 2/255 less 1 meets a threshold of 1.
        with np.errstate(over="ignore"):
            short = total.astype(np.float32)
        total = np.where(np.abs(total - short) <= noise, short, total)
        total = np.where(np.abs(total) <= noise, 0.0, total)
        return total.astype(self.dtype)

    def _node(self, node: Node, inputs: list[np.ndarray | None], shape: tuple[int, ...]) -> np.ndarray:
        result = apply(node, inputs, self.dtype)[0]
        if node.op == "Sign" and self.sign_at_zero:
            result = np.where(result == 0, result.dtype.type(self.sign_at_zero), result)
        result = np.broadcast_to(result, shape)
        if result.dtype.kind == "f":
            wrong = ~np.isfinite(result) if self.finite else np.isnan(result)
            if np.any(wrong):
                what = "NaN" if np.any(np.isnan(result)) else "infinity"
                raise ModelError(
                    f"Node '{node.name}' ({node.op}) yields {what} for numbers that can reach it; look at its parameters "
                    "(a negative variance, a scale of zero)"
                )
        return result
