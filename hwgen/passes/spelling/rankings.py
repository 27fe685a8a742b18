"""The first of a ranking, value and place: the greatest or the least of its axis, and where that is first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwgen.passes.rewrite import Writing, uses

__all__ = ["RANKINGS"]


def _first(written: Writing) -> bool:
    """Write a TopK of one whose value is read; indices alone have a layer of their own."""
    node, constants = written.replaced, written.graph.constants
    value, place = (*node.outputs, "")[:2]
    count = constants.get(node.inputs[1])
    if not value or not uses(written.graph)[value] or count is None or int(count.reshape(-1)[0]) != 1:
        return False
    axis, largest = int(node.attributes["axis"]), bool(node.attributes.get("largest", 1))
    axes = written.constant("axes", np.array([axis], dtype=np.int64))
    best = written.node("ReduceMax" if largest else "ReduceMin", "value", node.inputs[0], axes, keepdims=1)
    found = [best]
    if place:
        ranked = {"axis": axis, "keepdims": 1, "select_last_index": 0}
        found.append(written.node("ArgMax" if largest else "ArgMin", "place", node.inputs[0], **ranked))
    written.outputs(*found)
    return True


RANKINGS: dict[str, Callable[[Writing], bool]] = {"TopK": _first}
