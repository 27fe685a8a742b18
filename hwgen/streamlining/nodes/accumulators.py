"""What products and convolutions have in common: weights typed as integers, and the accumulator as a signal."""

from __future__ import annotations

import numpy as np

from hwgen.graph import Node
from hwgen.layers.window import Window
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.rounding import sum_noise
from hwgen.streamlining.codes.weights import integer_rows, note_rounding, rounded_rows
from hwgen.streamlining.edits import pad_code
from hwgen.streamlining.functions.linear import Linear
from hwgen.streamlining.functions.signal import Codes, Origin, Signal, flat_map, signal_of
from hwgen.streamlining.functions.terms import Call, Leaf, Parameter
from hwgen.streamlining.resolve import fixed_codes
from hwgen.streamlining.writing import written

__all__ = ["begin", "typed"]


def typed(
    name: str,
    node: Node,
    codes: Codes,
    weights: np.ndarray,
    window: Window | None,
    builder: Builder,
    border: np.ndarray | None = None,
    groups: int = 1,
) -> tuple[Linear, np.ndarray, np.ndarray]:
    """Type the weights, after the meaning of each input code has been multiplied in.

    Returns
    -------
    Linear
    scale : ndarray of float64, shape (rows,)
    offset : ndarray of float64, shape (rows,) or (height, width, rows)
        Real result = ``scale * accumulator + offset``.
    """
    rows = len(weights)
    border = np.zeros(codes.shape[2]) if border is None else border

    def columns(numbers: np.ndarray) -> np.ndarray:
        """Give the number of the channel behind each weight."""
        if window is None:
            return np.tile(numbers, codes.shape[0] * codes.shape[1])[None]
        return np.repeat(numbers.reshape(groups, -1), rows // groups, axis=0)[:, None, None]

    scale, shift = columns(codes.scale), columns(codes.offset)
    products = (weights * scale).reshape(rows, -1)
    found = integer_rows(products)
    noise = None if found is None or np.any(border) else sum_noise(weights, scale, shift, codes.type)
    if found is None and not codes.uniform and integer_rows(weights.reshape(rows, -1)) is not None:
        values = signal_of(codes, node.name, flat_map(codes.shape))
        return typed(name, node, fixed_codes(values, node, builder), weights, window, builder, border, groups)
    if found is None:
        found = rounded_rows(products, node, builder)
    else:
        note_rounding(products, *found, node, builder)
    integers, row_scale = found
    shaped = integers.reshape(weights.shape)
    code = pad_code(border, codes)
    pad_value = code if code is not None and not (np.all(border == 0) and np.all(shift == 0)) else 0
    linear = Linear(name, codes.source, codes.shape, codes.type, shaped, window, pad_value, groups, noise)
    column = (-1, *(1,) * (shaped.ndim - 1))

    def in_steps(numbers: np.ndarray) -> np.ndarray:
        return np.divide(numbers, scale, out=np.zeros_like(numbers), where=scale != 0)

    def products_with(numbers: np.ndarray) -> np.ndarray:
        """Multiply by a number behind each weight: its ratio to the scale, where that is small, keeps ties exact that a product of rounded floats would lose."""
        return row_scale.reshape(column) * (shaped * in_steps(numbers)) + np.where(scale == 0, weights * numbers, 0.0)

    ratio = in_steps(shift)
    if node.name in builder.rounded_weights:
        zero = -float(ratio.mean())
        apart = np.broadcast_to(np.abs(ratio + zero), shaped.shape).reshape(rows, -1).sum(axis=1)
        builder.rounded_shifts[node.name] = zero, builder.rounded_weights[node.name] * float(apart.max())
    shares = products_with(shift)
    if window is None or not any(window.pads) or code is not None or not (np.any(shares) or np.any(border)):
        return linear, row_scale, shares.reshape(rows, -1).sum(axis=1)
    padded = window.padded_taps(*codes.shape[:2])[..., None]
    taps = np.where(padded[:, None], products_with(columns(border))[None], shares[None])
    classes = taps.reshape(len(padded), rows, -1).sum(axis=2)
    return linear, row_scale, classes[window.padding(*codes.shape[:2]).classes()]


def begin(
    node: Node,
    linear: Linear,
    scale: np.ndarray,
    offset: np.ndarray,
    bias: np.ndarray,
    index: np.ndarray,
    builder: Builder,
) -> Signal:
    """Make the signal of a linear layer: what its accumulator stands for, and the node's own bias."""
    noise = None if linear.noise is None else Parameter(linear.noise[None, None])
    leaf = Leaf(Parameter(scale[None, None]), Parameter(offset if offset.ndim == 3 else offset[None, None]), noise)
    term: Leaf | Call = leaf
    if np.any(bias):
        term = Call(Node("Add", node.name, (), ()), (leaf, Parameter(bias[None, None])))
    origin = Origin(node.name, linear.out_shape, linear.domain(), linear)
    if node.name in builder.shared:
        origin = written(origin, builder)
    return Signal(origin, term, linear.out_shape, index)
