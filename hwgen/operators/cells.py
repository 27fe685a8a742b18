"""Cells of recurrent networks: one step of an RNN, a GRU and an LSTM, for arrays and for whoever writes it as other operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from hwgen.operators import Attributes

__all__ = ["Activation", "Calculation", "Run", "Step", "gru", "lstm", "rnn"]

T = TypeVar("T")

Activation = tuple[str, tuple[float, ...]]
"""An operator, and its alpha and beta if it has them."""


class Calculation(Protocol[T]):
    """What the steps are made with."""

    def constant(self, part: str, array: np.ndarray) -> T:
        """Give a constant as an operand."""

    def node(self, op: str, part: str, *inputs: T, **attributes: Any) -> T:
        """Give the only output of an operator."""


class Run(Generic[T]):
    """The steps of one direction: numbers of parts, constants and activations."""

    def __init__(
        self,
        calculation: Calculation[T],
        attributes: Attributes,
        prefix: str,
        zero: np.ndarray,
        kinds: list[Activation],
    ) -> None:
        self.calculation, self.attributes, self.prefix, self.zero = calculation, attributes, prefix, zero
        self.kinds = kinds
        self.zeros = self.constant("zeros", zero)

    def constant(self, part: str, array: np.ndarray) -> T:
        """Give a constant of the type of the numbers."""
        return self.calculation.constant(self.prefix + part, np.asarray(array, self.zero.dtype))

    def integer(self, part: str, number: int) -> T:
        """Give a constant integer."""
        return self.calculation.constant(self.prefix + part, np.asarray(number, np.int64))

    def integers(self, part: str, numbers: list[int]) -> T:
        """Give constant integers."""
        return self.calculation.constant(self.prefix + part, np.asarray(numbers, np.int64))

    def node(self, op: str, part: str, *inputs: T, **attributes: Any) -> T:
        """Give the only output of an operator."""
        return self.calculation.node(op, self.prefix + part, *inputs, **attributes)

    def all_inputs(self, x: T, w: np.ndarray, bias: np.ndarray) -> Callable[[int], T]:
        """Multiply all steps of a sequence at once; give what picks a step."""
        products = self.node("MatMul", "inputs", x, self.constant("W", w.T))
        if np.any(bias):
            products = self.node("Add", "biased", products, self.constant("B", bias))
        return lambda time: self.node("Gather", "input", products, self.integer("time", time), axis=1)

    def gates(self, part: str, whole: T, count: int) -> list[T]:
        """Cut rows of all gates into those of each."""
        hidden, axis = self.zero.shape[1], self.integers(f"{part}.axis", [1])
        ends = [
            (self.integers(f"{part}.{n}.from", [n * hidden]), self.integers(f"{part}.{n}.to", [(n + 1) * hidden]))
            for n in range(count)
        ]
        return [self.node("Slice", f"{part}.{n}", whole, *pair, axis) for n, pair in enumerate(ends)]

    def activated(self, part: str, place: int, x: T, *, bounded: bool = True) -> T:
        """Apply an activation, behind the bounds of its input."""
        op, numbers = self.kinds[place]
        bound = float(self.attributes.get("clip", 0.0) or 0.0)
        if bound and bounded:
            limits = [
                self.constant(f"{part}.{end}", np.asarray(size)) for end, size in (("low", -bound), ("high", bound))
            ]
            x = self.node("Clip", f"{part}.bounded", x, *limits)
        match op:
            case "Affine" | "ScaledTanh":
                alpha, beta = (self.constant(f"{part}.{n}", np.asarray(number)) for n, number in enumerate(numbers))
                if op == "Affine":
                    return self.node("Add", part, self.node("Mul", f"{part}.scaled", x, alpha), beta)
                return self.node(
                    "Mul", part, self.node("Tanh", f"{part}.tanh", self.node("Mul", f"{part}.in", x, beta)), alpha
                )
            case "HardSigmoid":
                return self.node(op, part, x, alpha=numbers[0], beta=numbers[1])
        return self.node(op, part, x, **({"alpha": numbers[0]} if numbers else {}))

    def times(self, part: str, x: T, state: T) -> T:
        """Multiply a state, which may be the zeros that a sequence begins with: then nothing is to be calculated."""
        return state if state is self.zeros else self.node("Mul", part, x, state)

    def less_than_one(self, part: str, x: T) -> T:
        """Give 1 - x."""
        return self.node("Sub", part, self.constant(f"{part}.one", np.ones(())), x)


Step = Callable[[int, list[T]], list[T]]


def rnn(run: Run[T], x: T, w: np.ndarray, r: np.ndarray, bias: np.ndarray, _: np.ndarray) -> Step[T]:
    """Give a step: h = f(W x + R h + b)."""
    half = len(bias) // 2
    input_of = run.all_inputs(x, w, bias[:half] + bias[half:])
    matrix = run.constant("R", r.T)

    def step(time: int, state: list[T]) -> list[T]:
        total = run.node("Add", "total", input_of(time), run.node("MatMul", "of_state", state[0], matrix))
        return [run.activated("state", 0, total)]

    return step


def gru(run: Run[T], x: T, w: np.ndarray, r: np.ndarray, bias: np.ndarray, _: np.ndarray) -> Step[T]:
    """Give a step: h = (1 - z) g + z h, with update z, reset r and candidate g = tanh(W x + R (r h) + b), or r (R h + b) if ``linear_before_reset``."""
    half, hidden = len(bias) // 2, run.zero.shape[1]
    behind = bool(run.attributes.get("linear_before_reset", 0))
    later = np.zeros_like(bias[half:])
    if behind:
        later[2 * hidden :] = bias[half + 2 * hidden :]
    input_of = run.all_inputs(x, w, bias[:half] + bias[half:] - later)
    matrix = run.constant("R", r.T if behind else r[: 2 * hidden].T)
    candidate = None if behind else run.constant("R_of_candidate", r[2 * hidden :].T)
    extra = run.constant("B_of_candidate", later[2 * hidden :]) if np.any(later) else None

    def step(time: int, state: list[T]) -> list[T]:
        of_input = run.gates("of_input", input_of(time), 3)
        of_state = run.gates("of_state", run.node("MatMul", "states", state[0], matrix), 3 if behind else 2)
        z, reset = (
            run.activated(part, 0, run.node("Add", f"{part}.total", mine, own))
            for part, mine, own in zip(("update", "reset"), of_input, of_state, strict=False)
        )
        if candidate is None:
            own = of_state[2] if extra is None else run.node("Add", "candidate.biased", of_state[2], extra)
            own = run.node("Mul", "candidate.of_state", reset, own)
        else:
            own = run.node("MatMul", "candidate.of_state", run.times("candidate.kept", reset, state[0]), candidate)
        new = run.activated("candidate", 1, run.node("Add", "candidate.total", of_input[2], own))
        taken = run.node("Mul", "new_part", run.less_than_one("rest", z), new)
        return [run.node("Add", "state", taken, run.times("old_part", z, state[0]))]

    return step


def lstm(run: Run[T], x: T, w: np.ndarray, r: np.ndarray, bias: np.ndarray, peepholes: np.ndarray) -> Step[T]:
    """Give a step: c = f c + i g and h = o tanh(c), with entry i, forgetting f, output o, candidate g."""
    half = len(bias) // 2
    input_of = run.all_inputs(x, w, bias[:half] + bias[half:])
    matrix = run.constant("R", r.T)
    looks = [
        run.constant(f"P_{name}", part) if np.any(part) else None for name, part in zip("iof", peepholes, strict=True)
    ]
    coupled = bool(run.attributes.get("input_forget", 0))

    def step(time: int, state: list[T]) -> list[T]:
        hidden, cell = state
        total = run.node("Add", "totals", input_of(time), run.node("MatMul", "states", hidden, matrix))
        totals = dict(zip("iofc", run.gates("gate", total, 4), strict=True))

        def gate(name: str, seen: T) -> T:
            look = looks["iof".index(name)]
            whole = totals[name]
            if look is not None:
                whole = run.node("Add", f"{name}.total", whole, run.times(f"{name}.peephole", look, seen))
            return run.activated(name, 0, whole)

        entry = gate("i", cell)
        forget = run.less_than_one("f", entry) if coupled else gate("f", cell)
        new = run.node("Mul", "new_part", entry, run.activated("c", 1, totals["c"]))
        after = run.node("Add", "cell", run.times("old_part", forget, cell), new)
        return [run.node("Mul", "state", gate("o", after), run.activated("shown", 2, after, bounded=False)), after]

    return step
