"""The network as the file spells it: float tensors and canonical ONNX operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hwgen.errors import ModelError

__all__ = ["UNKNOWN", "Graph", "Node", "Value", "check", "check_finite"]

UNKNOWN = "?"
"""Operator of a node that stands for one without meaning here: its attributes say which (``op``), why (``reason``), and what its outputs look like
(``values``)."""

_MAY_BE_INFINITE = {"Clip": (1, 2), "Max": None, "Min": None, "MultiThreshold": (1,), "Pad": (2,), "Where": (1, 2)}
"""Operators, and which of their inputs, for which an infinite constant has a meaning (None: all); NaN never has one."""


@dataclass(frozen=True)
class Value:
    """A tensor that flows between nodes: its name, shape (batch first, batch = None) and NumPy dtype."""

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype


@dataclass(frozen=True)
class Node:
    """One operator.

    ``op`` is the operator's canonical name without domain ("Conv", "BipolarQuant", ...), ``inputs`` holds
    names of values or constants with ``""`` for an absent optional input, ``attributes`` plain Python values
    (ints, floats, strings, lists, arrays) with the operator's defaults of its opset filled in.
    """

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """A directed acyclic graph of nodes in topological order.

    Parameters
    ----------
    name : str
        Name of the model.
    nodes : tuple of Node
        Topologically sorted; dead nodes are allowed until a pass removes them.
    constants : mapping of str to ndarray
        Every tensor whose value is known.
    values : mapping of str to Value
        Every tensor whose value depends on the input: graph inputs and node outputs.
    inputs, outputs : tuple of str
        Names of the real inputs (initialisers excluded) and outputs.
    annotations : mapping of str to str
        FINN data types of tensors ("BIPOLAR", "INT2", ...) where the file declares them.
    """

    name: str
    nodes: tuple[Node, ...]
    constants: Mapping[str, np.ndarray]
    values: Mapping[str, Value]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)


def check(graph: Graph, after: str = "read") -> None:
    """Hold the law of a legal graph; the error names the pass that broke it.

    Raises
    ------
    ModelError
        If a node reads a tensor that nothing defines before it, a tensor is defined twice, a value has
        no record, or an output is undefined.
    """
    known = set(graph.constants) | set(graph.inputs) | {""}
    for node in graph.nodes:
        for name in node.inputs:
            if name not in known:
                raise _broken(
                    after,
                    f"node '{node.name}' ({node.op}) reads '{name}', which nothing defines before it",
                )
        for name in node.outputs:
            if name and name in known:
                raise _broken(after, f"node '{node.name}' ({node.op}) defines '{name}' a second time")
            if name and name not in graph.values:
                raise _broken(after, f"output '{name}' of node '{node.name}' ({node.op}) has no shape")
            known.add(name)
    for name in graph.outputs:
        if name not in known:
            raise _broken(after, f"the graph's output '{name}' is not defined by any node")


def _broken(after: str, sentence: str) -> ModelError:
    """Say what breaks the law, and which pass did; the file itself may have done it."""
    return ModelError(sentence[0].upper() + sentence[1:] if after == "read" else f"After {after}: {sentence}")


def check_finite(graph: Graph) -> None:
    """Hold that no node computes with a constant that is NaN or, where that makes no sense, infinite.

    Raises
    ------
    ModelError
        Names the node and the constant.
    """
    kinds = {name: _worst(array) for name, array in graph.constants.items()}
    for node in graph.nodes:
        for place, name in enumerate(node.inputs):
            kind = kinds.get(name, "")
            allowed = _MAY_BE_INFINITE.get(node.op, ())
            if kind and (kind == "NaN" or not (allowed is None or place in allowed)):
                raise ModelError(
                    f"Node '{node.name}' ({node.op}) has {kind} in its constant '{name}'; the model "
                    "was not trained or saved properly"
                )


def _worst(array: np.ndarray) -> str:
    """Say "NaN", "infinity" or nothing."""
    if array.dtype.kind in "iub" or np.all(np.isfinite(array)):
        return ""
    return "NaN" if np.any(np.isnan(array)) else "infinity"
