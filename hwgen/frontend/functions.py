"""Functions that a model defines for itself, put in place of the nodes that call them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import onnx
from onnx import inliner

from hwgen.errors import ModelError
from hwgen.frontend.domains import CUSTOM_OPERATORS, is_quantised_domain

__all__ = ["MOST_NODES", "inlined"]

MOST_NODES = 100_000
"""Nodes that a model may have once its functions are in place: twenty functions that call one another twice make a million."""

Key = tuple[str, str]


def inlined(model: onnx.ModelProto) -> onnx.ModelProto:
    """Put functions in place, but keep quantisers that a file defines as functions: their names say more.

    Raises
    ------
    ModelError
        If functions call one another in a circle, become too many nodes, or break ONNX's rules.
    """
    functions = {(function.domain, function.name): function for function in model.functions}
    kept = [key for key in functions if is_quantised_domain(key[0]) and key[1] in CUSTOM_OPERATORS]
    if len(functions) == len(kept):
        return model
    _hold_size(model, {key: function for key, function in functions.items() if key not in kept})
    try:
        return inliner.inline_selected_functions(model, kept, exclude=True)
    except (RuntimeError, ValueError, onnx.checker.ValidationError) as error:
        raise ModelError(
            "The local functions of the model break the rules of ONNX; export it without functions"
        ) from error


def _hold_size(model: onnx.ModelProto, functions: Mapping[Key, onnx.FunctionProto]) -> None:
    """Count the nodes before there are any."""
    counts: dict[Key, int] = {}
    # Depth first without recursion, as a chain of functions may be any length: a function is counted behind those that it calls.
    for start in functions:
        path = [start]
        while path:
            key = path[-1]
            if key in counts:
                path.pop()
                continue
            open_calls = [call for call in _calls(functions[key].node, functions) if call not in counts]
            if not open_calls:
                counts[path.pop()] = _count(functions[key].node, counts)
            elif open_calls[0] in path:
                raise ModelError(
                    f"The local function '{open_calls[0][1]}' of the model calls itself; export it without functions"
                )
            else:
                path.append(open_calls[0])
    total = _count(model.graph.node, counts)
    if total > MOST_NODES:
        raise ModelError(
            f"The model has {total:,} nodes once its local functions are in place, but the most that are handled are {MOST_NODES:,}; "
            "export it without functions"
        )


def _nodes(nodes: Iterable[onnx.NodeProto]) -> Iterable[onnx.NodeProto]:
    """Give nodes, and those in their own graphs."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        yield node
        for attribute in node.attribute:
            waiting += attribute.g.node
            for graph in attribute.graphs:
                waiting += graph.node


def _calls(nodes: Iterable[onnx.NodeProto], functions: Mapping[Key, object]) -> list[Key]:
    return [key for node in _nodes(nodes) if (key := (node.domain, node.op_type)) in functions]


def _count(nodes: Iterable[onnx.NodeProto], counts: Mapping[Key, int]) -> int:
    return sum(counts.get((node.domain, node.op_type), 1) for node in _nodes(nodes))
