"""Random recurrent networks as they are written by hand: kinds of cells and of states, lengths, layers, directions, scales, what is read of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.streamlining.conftest import Model, bipolar, frames
from tests.streamlining.random_graphs import Case

KINDS = ("rnn", "few bits", "joined", "gru", "lstm")
"""A sign; few bits; one product of input and state side by side; gates of 0 and 1, without and with a cell of few bits."""


class Cells:
    """Writes the steps of one layer."""

    def __init__(
        self, net: Model, random: np.random.Generator, kind: str, inputs: int, size: int, scaled: bool
    ) -> None:
        self.net, self.kind, self.size = net, kind, size
        gates = {"gru": 3, "lstm": 4}.get(kind, 1)

        def matrix(rows: int, columns: int) -> str:
            scales = random.choice([0.5, 0.25, 0.75, 1.0], columns) if scaled else 1
            return net.constant((bipolar(random, rows, columns) * scales).astype(np.float32))

        if kind == "joined":
            self.whole = matrix(inputs + size, size)
        else:
            self.of_input, self.of_state = matrix(inputs, gates * size), matrix(size, gates * size)
        # Halves and eighths: no sum is 0.
        self.bias = net.constant((random.integers(-3, 4, gates * size) + 0.125).astype(np.float32))

    def _two(self, op: str, one: str, other: str, **attributes) -> str:
        return self.net.add(op, other, reads=one, **attributes).value

    def _gate(self, name: str, place: int) -> str:
        begin, end = (np.array([edge * self.size]) for edge in (place, place + 1))
        return self.net.add("Slice", begin, end, np.array([1]), reads=name).value

    def _sign(self, name: str, low: float = -1) -> str:
        self.net.add("GreaterOrEqual", np.float32(0), reads=name)
        return self.net.add("Where", np.float32(1), np.float32(low)).value

    def _gates(self, x: str, h: str, count: int) -> tuple[list[str], list[str]]:
        of_input = self._two("Add", self._two("MatMul", x, self.of_input), self.bias)
        of_state = self._two("MatMul", h, self.of_state)
        whole = [self._gate(of_input, place) for place in range(count)]
        return whole, [self._gate(of_state, place) for place in range(count)]

    def step(self, x: str, h: str, c: str) -> tuple[str, str]:
        """Give both states after a step."""
        net = self.net
        match self.kind:
            case "joined":
                total = self._two("MatMul", self._two("Concat", x, h, axis=1), self.whole)
                return self._sign(self._two("Add", total, self.bias)), c
            case "rnn" | "few bits":
                total = self._two("Add", self._two("MatMul", x, self.of_input), self._two("MatMul", h, self.of_state))
                total = self._two("Add", total, self.bias)
                if self.kind == "rnn":
                    return self._sign(total), c
                net.add("Clip", np.float32(-4), np.float32(3), reads=net.add("Round", reads=total).value)
                return net.value, c
            case "gru":
                of_input, of_state = self._gates(x, h, 3)
                update, reset = (self._sign(self._two("Add", of_input[n], of_state[n]), 0) for n in range(2))
                new = self._sign(self._two("Add", of_input[2], self._two("Mul", reset, of_state[2])))
                rest = net.add("Neg", reads=self._two("Sub", update, net.constant(np.float32(1)))).value
                kept = self._two("Add", self._two("Mul", rest, new), self._two("Mul", update, h))
                return self._sign(net.add("Add", np.float32(0.5), reads=kept).value), c
        of_input, of_state = self._gates(x, h, 4)
        totals = [self._two("Add", *pair) for pair in zip(of_input, of_state, strict=True)]
        entry, forget, output = (self._sign(total, 0) for total in totals[:3])
        c = self._two("Add", self._two("Mul", forget, c), self._two("Mul", entry, self._sign(totals[3])))
        c = net.add("Clip", np.float32(-7), np.float32(7), reads=c).value
        shown = self._sign(net.add("Add", np.float32(0.5), reads=c).value)
        return self._sign(self._two("Sub", self._two("Mul", output, shown), net.constant(np.float32(0.5)))), c


def random_recurrent(folder: Path, seed: int) -> Case:
    """Draw a network whose numbers float32 holds exactly."""
    random = np.random.default_rng(seed)
    steps, inputs, size = int(random.integers(3, 7)), *(int(random.choice([2, 4, 6, 8])) for _ in range(2))
    kind, first = KINDS[seed % len(KINDS)], bool(random.integers(0, 2))
    net = Model(folder / "net.onnx", (steps, inputs))
    net.value = "x"
    sequence = [net.add("Gather", np.array(time), reads="x", axis=1).value for time in range(steps)]
    for number in range(int(random.integers(1, 3))):
        cells = Cells(net, random, kind, size if number else inputs, size, bool(random.integers(0, 2)))
        start = bipolar(random, 1, size) if first or kind in ("joined", "gru") else np.zeros((1, size))
        h, c = net.constant(start), net.constant(np.zeros((1, size)))
        if kind == "joined" or random.integers(0, 2):
            # As exporters write a state that was made for the batch at hand.
            batch = net.add("Shape", reads=sequence[0], end=1).value
            h = net.add("Expand", net.add("Concat", np.array([size]), reads=batch, axis=0).value, reads=h).value
        times = range(steps)[:: -1 if random.integers(0, 3) == 0 else 1]
        seen = {}
        for time in times:
            h, c = cells.step(sequence[time], h, c)
            seen[time] = h
        last, sequence = h, [seen[time] for time in range(steps)]
    if random.integers(0, 2):
        columns = [net.add("Unsqueeze", np.array([1]), reads=name).value for name in sequence]
        net.add("Concat", *columns[1:], reads=columns[0], axis=1)
    else:
        net.value = last
    net.add("MatMul", bipolar(random, size, 3))
    return Case(net, net.network(input_type="bipolar"), frames(random, steps, inputs, count=12))
