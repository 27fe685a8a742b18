"""ONNX file -> `Graph`. Opsets, domains and exporters' habits end here; nothing else imports onnx."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import onnx

from hwgen.errors import ModelError, NodesError, Obstacle
from hwgen.frontend.batch import symbolic_batch
from hwgen.frontend.complete import complete
from hwgen.frontend.convert import convert
from hwgen.frontend.cut import Cut, taken_apart
from hwgen.frontend.execution import Executable, Foreign
from hwgen.frontend.load import load_model
from hwgen.frontend.stand_ins import recorded_values, with_stand_ins
from hwgen.frontend.unsupported import all_at_once, refuse_unsupported, unsupported
from hwgen.graph import Graph, check, check_finite

NAMES_OF_EXPORTERS = ("", "graph", "main_graph", "model", "network", "tf2onnx", "torch_jit", "torch-jit-export")
"""Names that exporters give to every graph; the file's own name says more."""

__all__ = [
    "Cut",
    "Executable",
    "Foreign",
    "Reading",
    "all_at_once",
    "load",
    "read_on",
    "read_onnx",
    "taken_apart",
    "unsupported",
]


def load(path: str | Path) -> Graph:
    """Read a file as far as it goes: canonical nodes and constants, but records for the inputs only.

    The graph may hold operators that hwgen does not know; `unsupported` lists them.

    Raises
    ------
    ModelError
        If the file is broken or the graph as such is no network.
    """
    return _converted(load_model(path), path)


def _converted(model: onnx.ModelProto, path: str | Path) -> Graph:
    try:
        graph = convert(model)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"'{path}' is damaged or breaks the rules of ONNX; 'python -m onnx.checker' may say where, then export it again"
        ) from error
    return replace(graph, name=Path(path).stem) if graph.name in NAMES_OF_EXPORTERS else graph


def read_onnx(path: str | Path) -> Graph:
    """Read an ONNX file into a checked graph with the shape and dtype of every value.

    Parameters
    ----------
    path : path to an ``.onnx`` file; external data are found relative to it

    Returns
    -------
    Graph
        Canonical operators, batch symbolic (None); nothing is folded yet, see `hwgen.passes`.

    Raises
    ------
    ModelError
        One sentence for everything that can be wrong with the file; unsupported operators are listed all at once.
    """
    graph = load(path)
    refuse_unsupported(graph)
    return _checked(graph)


def _checked(graph: Graph) -> Graph:
    check_finite(graph)
    graph = complete(symbolic_batch(graph))
    check(graph)
    return graph


@dataclass(frozen=True, eq=False)
class Reading:
    """A graph as `read_onnx` gives it, what of it hwgen cannot follow, and the names of the file's nodes in order."""

    graph: Graph
    obstacles: Sequence[Obstacle]
    order: Sequence[str]


def read_on(path: str | Path) -> Reading:
    """Read an ONNX file beyond what cannot be followed: nodes without meaning are of operator `hwgen.graph.UNKNOWN`.

    Raises
    ------
    ModelError
        As `read_onnx`, but unsupported operators only where nothing is left to look at.
    """
    model = load_model(path)
    graph = _converted(model, path)
    obstacles, order = unsupported(graph), [node.name for node in graph.nodes]
    if not obstacles:
        return Reading(_checked(graph), (), order)
    try:
        cut = with_stand_ins(graph, obstacles, recorded_values(model))
        if not cut.outputs:
            raise NodesError(obstacles)
        return Reading(_checked(cut), obstacles, order)
    except ModelError:
        raise NodesError(obstacles) from None
