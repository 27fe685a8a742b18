"""Write operators that are made of others as those others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwgen.graph import Graph
from hwgen.passes.rewrite import Writing, rebuilt
from hwgen.passes.spelling.einsum import EINSUM
from hwgen.passes.spelling.integers import INTEGERS
from hwgen.passes.spelling.normalisations import NORMALISATIONS
from hwgen.passes.spelling.rankings import RANKINGS
from hwgen.passes.spelling.recurrent import RECURRENT

__all__ = ["spell_out"]

_SPELLINGS: dict[str, Callable[[Writing], bool]] = {**EINSUM, **INTEGERS, **NORMALISATIONS, **RANKINGS, **RECURRENT}
"""What writes an operator; False if its operands are not such that it can be."""


def spell_out(graph: Graph) -> Graph:
    """Replace each such node whose data, but for the parameters, is one tensor or several that it joins."""
    constants: dict[str, np.ndarray] = {}
    nodes, changed = [], False
    for node in graph.nodes:
        spell = _SPELLINGS.get(node.op)
        written = Writing(graph, node, constants)
        if spell is not None and spell(written):
            nodes += written.finished()
            changed = True
        else:
            nodes.append(node)
    return rebuilt(graph, nodes, constants) if changed else graph
