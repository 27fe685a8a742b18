"""A term together with the numbers and positions that it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.activation import Positions
from hwgen.layers.protocol import MapShape
from hwgen.streamlining.functions.domain import Floats, Integers
from hwgen.streamlining.functions.monotone import UNKNOWN, direction
from hwgen.streamlining.functions.tabulate import Runs, bisect, tabulate
from hwgen.streamlining.functions.terms import Elements, Evaluator, Rows, Term, calls_of, parameters_of, sources_of

__all__ = ["MOST_POINTS", "RUNS", "Function", "over_map"]

SMALL = 1024
"""Points of an element up to which a function is always tabulated in full."""

MOST_POINTS = 1 << 30
"""Points in all that are tried one by one."""

TABULATED = 1 << 16
"""Runs of an element, tried one by one, beyond which a function counts as continuous: no table is larger."""

RUNS = 512
"""Runs of an element beyond which a monotone function of many points counts as continuous."""


_DECISIONS = frozenset(
    "And BipolarQuant Cast Ceil Equal Floor Greater GreaterOrEqual Less LessOrEqual Mod MultiThreshold Not Or Quant QuantizeLinear "
    "Requantize Round Shrink Sign ThresholdedRelu Trunc Where Xor".split()
)


@dataclass(frozen=True, eq=False)
class Function:
    """A term over a domain; element = class of positions * channels + channel.

    Parameters
    ----------
    term : Term
    domain : Integers or Floats
    elements : Elements
        An example of each class of positions, and every channel.
    """

    term: Term
    domain: Integers | Floats
    elements: Elements

    @property
    def count(self) -> np.ndarray:
        """Points of each element: int64 (elements,)."""
        return self.domain.count.ravel()

    @property
    def has_sign(self) -> bool:
        """Whether ONNX's Sign, which gives 0 for 0, is among the nodes."""
        return any(call.node.op == "Sign" for call in calls_of(self.term))

    @property
    def decides(self) -> bool:
        """Whether there are jumps: nodes that compare, round or quantise."""
        return any(call.node.op in _DECISIONS for call in calls_of(self.term))

    @property
    def dtype(self) -> type[np.floating]:
        """The floats to decide in: the graph's own float32 where that is sure to be what the graph computes, else float64."""
        held = (
            isinstance(source, Rows) or (source.noise is not None and not np.any(source.noise.array))
            for source in sources_of(self.term)
        )
        return np.float32 if isinstance(self.domain, Floats) or all(held) else np.float64

    @property
    def size(self) -> float:
        """The largest number that the term begins with; infinity for floats."""
        if isinstance(self.domain, Floats):
            return np.inf
        largest = 0.0
        for source in sources_of(self.term):
            parts = (source.table,) if isinstance(source, Rows) else (source.scale, source.offset)
            reach = 1 if isinstance(source, Rows) else float(np.max(np.abs([self.domain.low, self.domain.high])))
            largest = max(largest, reach * float(np.max(np.abs(parts[0].array))))
            largest = max(largest, *(float(np.max(np.abs(part.array))) for part in parts[1:]), 0.0)
        return largest

    def at(self, k: np.ndarray, element: np.ndarray, evaluator: Evaluator) -> np.ndarray:
        """Evaluate the k-th numbers (points, elements) of some elements (elements,)."""
        return evaluator(self.term, self.domain.values(k, element), self.elements.pick(element))

    def direction(self, term: Term | None = None) -> np.ndarray:
        """Tell how the term, or one that it was made of, follows the number: int8 (elements,)."""
        return direction(term or self.term, self.elements)

    def runs(self, evaluators: Sequence[Evaluator], most: int = RUNS) -> Runs | None:
        """Find all values, one output for each evaluator; None if there are more than ``most`` an element, too many to be codes."""

        def function(k: np.ndarray, element: np.ndarray) -> np.ndarray:
            return np.stack([self.at(k, element, evaluator).astype(np.float64) for evaluator in evaluators])

        monotone = isinstance(self.domain, Floats) or not np.any(self.direction() == UNKNOWN)
        if not monotone and self.count.sum() > MOST_POINTS:
            return None
        if self.count.max() > SMALL and monotone:
            return bisect(function, self.count, most * len(self.count))
        return tabulate(function, self.count, TABULATED * len(self.count))


def over_map(term: Term, domain: Integers, shape: MapShape) -> Function:
    """Ask a term for every channel, and for every class of positions that its parameters tell apart."""
    parameters = [part for part in parameters_of(term) if not part.uniform]
    if parameters:
        rows = [part.array for part in parameters if part.array.shape[0] > 1]
        columns = [part.array.swapaxes(0, 1) for part in parameters if part.array.shape[1] > 1]
        domain = domain.spread(
            Positions(
                _classes(rows, domain.positions.rows),
                _classes(columns, domain.positions.columns),
            )
        )
    else:
        domain = domain.merged()
    y, x = (
        np.array([classes.index(number) for number in range(max(classes) + 1)])
        for classes in (domain.positions.rows, domain.positions.columns)
    )
    grid = np.broadcast_arrays(y[:, None, None], x[None, :, None], np.arange(shape[2])[None, None])
    return Function(term, domain, Elements(*(axis.ravel() for axis in grid)))


def _classes(arrays: list[np.ndarray], reach: Sequence[int]) -> tuple[int, ...]:
    """Number the rows that differ in any array or in what is reachable there, in order of appearance."""
    numbers: dict[tuple[object, ...], int] = {}
    return tuple(
        numbers.setdefault((reach[row], *(array[row].tobytes() for array in arrays)), len(numbers))
        for row in range(len(reach))
    )
