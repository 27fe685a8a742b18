"""ONNX file -> `Graph`. Opsets, domains and exporters' habits end here; nothing else imports onnx."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hwgen.errors import ModelError
from hwgen.frontend.batch import symbolic_batch
from hwgen.frontend.complete import complete
from hwgen.frontend.convert import convert
from hwgen.frontend.load import load_model
from hwgen.frontend.unsupported import refuse_unsupported, unsupported
from hwgen.graph import Graph, check, check_finite

NAMES_OF_EXPORTERS = ("", "graph", "main_graph", "model", "network", "tf2onnx", "torch_jit", "torch-jit-export")
"""Names that exporters give to every graph; the file's own name says more."""

__all__ = ["load", "read_onnx", "unsupported"]


def load(path: str | Path) -> Graph:
    """Read a file as far as it goes: canonical nodes and constants, but records for the inputs only.

    The graph may hold operators that hwgen does not know; `unsupported` lists them.

    Raises
    ------
    ModelError
        If the file is broken or the graph as such is no network.
    """
    model = load_model(path)
    try:
        graph = convert(model)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"'{path}' is damaged or breaks the rules of ONNX ({reason}); export it again") from error
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
    check_finite(graph)
    graph = complete(symbolic_batch(graph))
    check(graph)
    return graph
