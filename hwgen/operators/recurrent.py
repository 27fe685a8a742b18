"""RNN, GRU and LSTM: their steps, once for arrays and for whoever writes them as other operators."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from hwgen.operators import Attributes, Operator, UnfitError
from hwgen.operators.cells import Activation, Calculation, Run, Step, gru, lstm, rnn
from hwgen.operators.elementwise import ELEMENTWISE
from hwgen.operators.reductions import REDUCTIONS
from hwgen.operators.shaping import SHAPING

__all__ = ["CELLS", "RECURRENT", "recurrence"]

T = TypeVar("T")


@dataclass(frozen=True)
class _Cell:
    """How many gates the rows of the matrices fall into, states, and activations."""

    gates: int
    states: int
    activations: tuple[str, ...]


CELLS = {
    "GRU": _Cell(3, 1, ("Sigmoid", "Tanh")),
    "LSTM": _Cell(4, 2, ("Sigmoid", "Tanh", "Tanh")),
    "RNN": _Cell(1, 1, ("Tanh",)),
}

_ACTIVATIONS: dict[str, tuple[str, tuple[float, ...]]] = {
    "affine": ("Affine", (0.0, 0.0)),
    "elu": ("Elu", (1.0,)),
    "hardsigmoid": ("HardSigmoid", (0.2, 0.5)),
    "leakyrelu": ("LeakyRelu", (0.01,)),
    "relu": ("Relu", ()),
    "scaledtanh": ("ScaledTanh", (0.0, 0.0)),
    "sigmoid": ("Sigmoid", ()),
    "softplus": ("Softplus", ()),
    "softsign": ("Softsign", ()),
    "tanh": ("Tanh", ()),
    "thresholdedrelu": ("ThresholdedRelu", (0.0,)),
}
"""Activations by their names in small letters, and the defaults of alpha and beta of those that have them.

The defaults, and where ``clip`` bounds anything, are as ONNX Runtime has them: ONNX says nothing of some, and says other things of others."""


_TURNED = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}

_STEPS = {"GRU": gru, "LSTM": lstm, "RNN": rnn}


def activations_of(op: str, attributes: Attributes, directions: int) -> list[list[Activation]]:
    """Give the activations of each direction, with their numbers.

    Raises
    ------
    UnfitError
        If there are not as many as the operator has, or one is not known.
    """
    wanted = len(CELLS[op].activations) * directions
    names = list(attributes.get("activations") or CELLS[op].activations * directions)[:wanted]
    if len(names) < wanted:
        raise UnfitError(f"it needs {wanted} activations, not {len(names)}")
    unknown = [name for name in names if name.lower() not in _ACTIVATIONS]
    if unknown:
        raise UnfitError(
            f"activation '{unknown[0]}' is not known; known are {', '.join(name for name, _ in _ACTIVATIONS.values())}"
        )
    given = [list(attributes.get(f"activation_{name}") or ()) for name in ("alpha", "beta")]
    found = []
    for name in names:
        canonical, defaults = _ACTIVATIONS[name.lower()]
        numbers = tuple(given[place].pop(0) if given[place] else default for place, default in enumerate(defaults))
        found.append((canonical, numbers))
    each = len(CELLS[op].activations)
    return [found[start : start + each] for start in range(0, wanted, each)]


def recurrence(
    op: str,
    attributes: Attributes,
    shape: Sequence[int | None],
    inputs: tuple[T, *tuple[T | None, ...]],
    weights: tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None],
    lengths: np.ndarray | None,
    calculation: Calculation[T],
) -> list[T]:
    """Calculate all outputs of an operator, step by step.

    Parameters
    ----------
    op : str
        GRU, LSTM or RNN.
    attributes : mapping
        Of the operator, with its defaults.
    shape : sequence of int or None
        Of the sequence, as the operator takes it.
    inputs : tuple
        The sequence, and the initial states; None: zeros.
    weights : tuple of ndarray or None
        W, R, B and P.
    lengths : ndarray or None
        Of the sequences of a batch, which must be the same.
    calculation : Calculation

    Returns
    -------
    list
        Y, Y_h and, of an LSTM, Y_c.

    Raises
    ------
    UnfitError
        If attributes or shapes do not fit one another.
    """
    layout, matrices = int(attributes.get("layout", 0)), _Weights(*weights)
    length, turned = _steps(op, attributes, shape, matrices, lengths)
    kinds = activations_of(op, attributes, len(turned))
    x, *states = inputs
    if not layout:
        x = calculation.node("Transpose", "steps_last", x, perm=(1, 0, 2))
    zero = np.zeros((1, matrices.hidden), matrices.r.dtype)
    sequences: list[T] = []
    finals: list[list[T]] = [[] for _ in range(CELLS[op].states)]
    for number, backwards in enumerate(turned):
        run = Run(calculation, attributes, f"{'backward' if backwards else 'forward'}.", zero, kinds[number])
        start = [
            run.zeros
            if state is None
            else run.node("Gather", f"initial_{place}", state, run.integer("direction", number), axis=layout)
            for place, state in enumerate(states)
        ]
        step = _STEPS[op](run, x, *matrices.of_direction(number, CELLS[op].gates))
        columns, state = _columns(run, step, start, reversed(range(length)) if backwards else range(length))
        past = (shape[1 if layout else 0] or length) - length
        if past:
            columns.append(run.constant("past", np.zeros((1, past, matrices.hidden))))
        sequences.append(run.node("Concat", "sequence", *columns, axis=1))
        for final, last in zip(finals, state, strict=True):
            final.append(last)

    def stacked(part: str, tensors: list[T], axis: int) -> T:
        place = calculation.constant(f"{part}.axis", np.array([axis], np.int64))
        whole = [calculation.node("Unsqueeze", f"{part}.{n}", one, place) for n, one in enumerate(tensors)]
        return calculation.node("Concat", part, *whole, axis=axis)

    results = [
        stacked("directions", sequences, 2),
        *(stacked(f"final_{place}", final, 1) for place, final in enumerate(finals)),
    ]
    if layout:
        return results
    perms = [(1, 2, 0, 3), *((1, 0, 2) for _ in finals)]
    return [
        calculation.node("Transpose", f"{place}.frames_behind", result, perm=perm)
        for place, (result, perm) in enumerate(zip(results, perms, strict=True))
    ]


def _columns(run: Run[T], step: Step[T], state: list[T], times: Iterable[int]) -> tuple[list[T], list[T]]:
    """Give what is seen of each step, in the order of time, and the last state."""
    prefix, seen = run.prefix, {}
    for time in times:
        run.prefix = f"{prefix}{time}."
        state = step(time, state)
        seen[time] = run.node("Unsqueeze", "column", state[0], run.integers("column.axis", [1]))
    run.prefix = prefix
    return [seen[time] for time in sorted(seen)], state


@dataclass(frozen=True, eq=False)
class _Weights:
    """W, R, B and P of all directions."""

    w: np.ndarray
    r: np.ndarray
    b: np.ndarray | None
    p: np.ndarray | None

    @property
    def hidden(self) -> int:
        """Size of a state."""
        return int(self.r.shape[-1])

    def of_direction(self, number: int, gates: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Give those of one direction, zeros where there are none; P by gates."""
        bias = np.zeros(2 * gates * self.hidden, self.r.dtype) if self.b is None else self.b[number]
        peepholes = np.zeros(3 * self.hidden, self.r.dtype) if self.p is None else self.p[number]
        return self.w[number], self.r[number], bias, peepholes.reshape(3, self.hidden)


def _steps(
    op: str, attributes: Attributes, shape: Sequence[int | None], weights: _Weights, lengths: np.ndarray | None
) -> tuple[int, tuple[bool, ...]]:
    """Hold inputs and attributes to one another; give how many steps there are, and whether each direction goes backwards."""
    layout = int(attributes.get("layout", 0))
    if layout not in (0, 1) or len(shape) != 3:
        raise UnfitError("the sequence needs three axes, and its layout is 0 or 1")
    steps, directions = shape[1 if layout else 0], len(weights.w)
    if steps is None:
        raise UnfitError("the number of steps must be fixed")
    hidden, rows = weights.hidden, CELLS[op].gates * weights.hidden
    wanted = [
        (directions, rows, shape[2]),
        (directions, rows, hidden),
        (directions, 2 * rows),
        (directions, 3 * hidden),
    ]
    given = (weights.w, weights.r, weights.b, weights.p)
    fits = all(array is None or array.shape == size for array, size in zip(given, wanted, strict=True))
    if not fits or int(attributes.get("hidden_size", hidden)) != hidden:
        raise UnfitError(f"its weights do not fit {shape[2]} inputs and a state of {hidden}")
    direction = str(attributes.get("direction", "forward"))
    turned = _TURNED.get(direction, ())
    if len(turned) != directions:
        raise UnfitError(f"direction '{direction}' does not fit {directions} matrices")
    seen = steps if lengths is None else int(np.max(lengths))
    if not 0 < seen <= steps or (lengths is not None and np.any(lengths != seen)):
        raise UnfitError(f"sequence_lens must be one number from 1 to {steps} for all frames")
    return seen, turned


_ARRAYS = {**ELEMENTWISE, **REDUCTIONS, **SHAPING}


class _Arrays:
    """Steps on arrays."""

    def constant(self, part: str, array: np.ndarray) -> np.ndarray:
        return array

    def node(self, op: str, part: str, *inputs: np.ndarray, **attributes: Any) -> np.ndarray:
        result = _ARRAYS[op](attributes, *inputs)
        return result if isinstance(result, np.ndarray) else result[0]


def _operator(op: str) -> Operator:
    def run(
        attributes: Attributes,
        x: np.ndarray,
        w: np.ndarray,
        r: np.ndarray,
        b: np.ndarray | None = None,
        lengths: np.ndarray | None = None,
        *more: np.ndarray | None,
    ) -> tuple[np.ndarray, ...]:
        given = [*more, None, None, None]
        states = given[: CELLS[op].states]
        return tuple(recurrence(op, attributes, x.shape, (x, *states), (w, r, b, given[2]), lengths, _Arrays()))

    return run


RECURRENT: dict[str, Operator] = {op: _operator(op) for op in CELLS}
