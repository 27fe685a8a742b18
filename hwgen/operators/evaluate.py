"""The graph as a float program: every canonical operator in NumPy.

It serves three readers: passes fold constants with it, the streamliner follows elementwise chains with it in float64,
and tests use it as the float reference. Results are ONNX's to the last bit wherever ONNX defines them so
(comparisons, roundings, quantisers, integers); sums of products agree with another executor up to the order of
summation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Graph, Node
from hwgen.operators import Attributes, Operator, UnfitError
from hwgen.operators.elementwise import ELEMENTWISE
from hwgen.operators.integers import INTEGER_CURVES, INTEGERS
from hwgen.operators.normalisations import NORMALISATIONS
from hwgen.operators.quantisers import QUANTISERS
from hwgen.operators.recurrent import RECURRENT
from hwgen.operators.reductions import REDUCTIONS
from hwgen.operators.shaping import SHAPING
from hwgen.operators.windows import WINDOWS

__all__ = ["CHANNELWISE", "OPERATORS", "apply", "common_type", "mismatch", "run"]

OPERATORS: dict[str, Operator] = {
    **ELEMENTWISE,
    **INTEGER_CURVES,
    **INTEGERS,
    **NORMALISATIONS,
    **QUANTISERS,
    **RECURRENT,
    **REDUCTIONS,
    **SHAPING,
    **WINDOWS,
}

CHANNELWISE = frozenset(ELEMENTWISE) | frozenset(QUANTISERS) | frozenset(INTEGER_CURVES)
"""Operators that treat every element alike up to parameters that broadcast or belong to a channel."""


def apply(
    node: Node, inputs: Sequence[np.ndarray | None], dtype: np.dtype | type | None = None
) -> tuple[np.ndarray, ...]:
    """Evaluate one node.

    Parameters
    ----------
    node : Node
    inputs : sequence of ndarray or None
        Its input arrays in order, None for an absent one.
    dtype : float dtype, optional
        What every floating input, parameter and result is converted to; by default each tensor keeps its own.

    Raises
    ------
    ModelError
        If the operator is unknown, or does not accept these shapes or parameters.
    """
    if node.op not in OPERATORS:
        raise ModelError(
            f"Operator {node.op} of node '{node.name}' has no meaning here; run 'hwgen "
            "info' for all that is unsupported"
        )
    try:
        with np.errstate(all="ignore"):
            result = OPERATORS[node.op](
                _attributes(node.attributes, dtype), *(_floats(array, dtype) for array in inputs)
            )
    except UnfitError as error:
        raise ModelError(f"{mismatch(node, inputs)}: {error}") from error
    except (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError) as error:
        raise mismatch(node, inputs) from error
    return result if isinstance(result, tuple) else (result,)


def mismatch(node: Node, inputs: Sequence[np.ndarray | None]) -> ModelError:
    """Say that a node does not take what it is given: the shapes, and the few numbers and attributes that may be why."""
    shapes = ", ".join("none" if array is None else str(np.shape(array)) for array in inputs)
    kinds = {str(array.dtype) for array in inputs if array is not None}
    types = (
        f" and types {', '.join('none' if array is None else str(array.dtype) for array in inputs)}"
        if len(kinds) > 1
        else ""
    )
    shown = {name: f"{value:g}" if isinstance(value, float) else value for name, value in node.attributes.items()}
    given = [f"{name} {value}" for name, value in shown.items() if isinstance(value, int | str | tuple)]
    told = f" with {', '.join(given)}" if given else ""
    return ModelError(f"Node '{node.name}' ({node.op}) does not accept inputs of shapes {shapes}{types}{told}")


def common_type(node: Node, arrays: Sequence[np.ndarray]) -> np.dtype:
    """Give the type that a node's operands become.

    Raises
    ------
    ModelError
        If they become none.
    """
    try:
        return np.result_type(*arrays)
    except TypeError as error:
        raise mismatch(node, arrays) from error


def run(graph: Graph, feeds: Mapping[str, np.ndarray], dtype: np.dtype | type | None = None) -> dict[str, np.ndarray]:
    """Evaluate a whole graph.

    Parameters
    ----------
    graph : Graph
    feeds : mapping of str to ndarray
        One array for each graph input, batch first.
    dtype : float dtype, optional
        Precision of the calculation, for instance ``np.float64``; by default that of the file.

    Returns
    -------
    dict of str to ndarray
        Every value of the graph by name, inputs and outputs included, constants too.
    """
    arrays: dict[str, np.ndarray] = {name: _floats(array, dtype) for name, array in graph.constants.items()}
    arrays.update({name: _floats(np.asarray(array), dtype) for name, array in feeds.items()})
    for node in graph.nodes:
        results = apply(node, [arrays[name] if name else None for name in node.inputs], dtype)
        arrays.update({name: array for name, array in zip(node.outputs, results, strict=False) if name})
    return arrays


def _floats(array: Any, dtype: np.dtype | type | None) -> Any:
    if dtype is None or array is None or array.dtype.kind in "iub":
        return array
    return np.asarray(array, dtype=dtype)


def _attributes(attributes: Attributes, dtype: np.dtype | type | None) -> Attributes:
    """Replace floating dtypes (Cast's target) and arrays (ConstantOfShape's value) among the attributes."""
    if dtype is None:
        return attributes
    return {name: _attribute(value, np.dtype(dtype)) for name, value in attributes.items()}


def _attribute(value: Any, dtype: np.dtype) -> Any:
    if isinstance(value, np.dtype):
        return value if value.kind in "iub" else dtype
    return _floats(value, dtype) if isinstance(value, np.ndarray) else value
