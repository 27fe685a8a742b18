"""Rows of a table, chosen by integers."""

from __future__ import annotations

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.signal import Signal

__all__ = ["embedding"]


def embedding(node: Node, table: np.ndarray, signal: Signal, builder: Builder) -> Signal:
    """Look rows up."""
    raise ModelError(f"Node '{node.name}' (Gather) {table.shape} {signal.index.shape} {builder}")
