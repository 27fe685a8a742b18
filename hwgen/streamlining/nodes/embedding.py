"""Rows of a table, chosen by integers: a function of one integer for each dimension, written down when its codes are known."""

from __future__ import annotations

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.functions.domain import Integers
from hwgen.streamlining.functions.signal import Origin, Signal, flat_map
from hwgen.streamlining.functions.terms import Parameter, Rows
from hwgen.streamlining.places.arrange import arranged
from hwgen.streamlining.resolve import codes_of

__all__ = ["embedding"]


def embedding(node: Node, table: np.ndarray, signal: Signal, builder: Builder) -> Signal:
    """Look rows of a table (entries, dimensions) up.

    Raises
    ------
    ModelError
        If rows are not chosen along the first axis by whole numbers that the table has.
    """
    rank = signal.index.ndim
    if table.ndim != 2 or node.attributes.get("axis", 0) % table.ndim or rank not in (2, 3):
        raise ModelError(
            f"Node '{node.name}' (Gather) chooses from a table of shape {table.shape} along axis {node.attributes.get('axis', 0)}; rows of a "
            "matrix, chosen by a sequence or a map of numbers, have hardware"
        )
    codes = codes_of(signal, node, builder)
    places = signal.index.reshape(*((1, -1) if rank == 2 else signal.index.shape[1:]), 1)
    codes = arranged(codes, places, node, builder)
    symbols = np.arange(codes.type.low, codes.type.high + 1)
    rows = codes.scale[0] * symbols + codes.offset[0]
    chosen = np.rint(rows).astype(np.int64)
    if codes.type.low < 0 or np.any(np.abs(rows - chosen) > 1e-6) or chosen.min() < 0 or chosen.max() >= len(table):
        raise ModelError(
            f"Node '{node.name}' (Gather) has a table of {len(table)} rows, but is asked for {rows.min():g} to {rows.max():g} ({codes.type}); "
            "declare the numbers that occur, for instance --input-type uint4"
        )
    shape = (*codes.shape[:2], table.shape[1])
    known = codes.numbers
    ones = np.ones((1, shape[2]), dtype=np.int64)
    domain = Integers(ones * known.low, ones * known.step, ones * known.count, known.positions)
    origin = Origin(node.name, shape, domain, source=codes.source, type=codes.type, symbols=codes.shape)
    term = Rows(Parameter(table[chosen].astype(np.float64).T[None, None]), codes.type.low)
    return Signal(origin, term, shape, flat_map(shape).reshape(*signal.index.shape, table.shape[1]))
