"""RNN, GRU and LSTM, unrolled: the operators of each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hwgen.operators.recurrent import CELLS, recurrence
from hwgen.passes.rewrite import Writing

__all__ = ["RECURRENT"]


class _Nodes:
    """Steps written as nodes."""

    def __init__(self, written: Writing) -> None:
        self.written = written

    def constant(self, part: str, array: np.ndarray) -> str:
        return self.written.constant(part, array)

    def node(self, op: str, part: str, *inputs: str, **attributes: Any) -> str:
        return self.written.node(op, part, *inputs, **attributes)


def _unrolled(written: Writing) -> bool:
    node, constants = written.replaced, written.graph.constants
    x, w, r, b, lengths, *more = (*node.inputs, *("",) * (8 - len(node.inputs)))
    states, p = [name or None for name in more[: CELLS[node.op].states]], more[2]
    if any(name and name not in constants for name in (w, r, b, p, lengths)):
        return False
    weights = (constants[w], constants[r], constants.get(b), constants.get(p))
    shape, length = written.shape(x), constants.get(lengths)
    written.outputs(*recurrence(node.op, node.attributes, shape, (x, *states), weights, length, _Nodes(written)))
    return True


RECURRENT: dict[str, Callable[[Writing], bool]] = {op: _unrolled for op in CELLS}
