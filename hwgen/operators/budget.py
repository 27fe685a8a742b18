"""How much a model may ask for in constants that are calculated while it is read, and in maps: a file of a hundred bytes can ask for terabytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import SupportsInt

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.operators.elementwise import ELEMENTWISE
from hwgen.operators.integers import INTEGER_CURVES
from hwgen.operators.quantisers import QUANTISERS

__all__ = ["MOST_IN_A_MAP", "Budget", "hold_map", "too_large"]

LEAST_NUMBERS = 1 << 26
"""Numbers that any model may calculate as constants."""

NUMBERS_FOR_ONE = 32
"""Numbers that it may calculate more for each number that its file holds."""

MOST_PRODUCTS = 1 << 36
"""Products that may be summed up in constants: seconds."""

SLOWNESS_OF_INTEGERS = 16
"""How many times longer NumPy takes over products of integers than over those of floats."""

MOST_IN_A_MAP = 1 << 27
"""Numbers of one frame in one map: 64 channels of a full HD picture are a little less."""

Shape = tuple[int, ...]
Arrays = Sequence[np.ndarray]


def _product(sizes: Iterable[SupportsInt]) -> int:
    return math.prod(max(int(size), 0) for size in sizes)


def _joined(arrays: Arrays) -> int:
    """Give the size of what arrays broadcast to, axis by axis, without NumPy's own limit."""
    rank = max((array.ndim for array in arrays), default=0)
    shapes = [(1,) * (rank - array.ndim) + array.shape for array in arrays]
    return math.prod(max(sizes) for sizes in zip(*shapes, strict=True))


def _range(start: np.ndarray, limit: np.ndarray, delta: np.ndarray) -> int:
    first, last, step = (float(array.item()) for array in (start, limit, delta))
    return max(math.ceil((last - first) / step), 0)


def _expanded(x: np.ndarray, shape: np.ndarray) -> int:
    sizes = [int(size) for size in shape.ravel()]
    rank = max(len(sizes), x.ndim)
    pairs = zip((1,) * (rank - x.ndim) + x.shape, [1] * (rank - len(sizes)) + sizes, strict=True)
    return _product(max(pair) for pair in pairs)


def _padded(x: np.ndarray, pads: np.ndarray, value: object = None, axes: np.ndarray | None = None) -> int:
    chosen = range(x.ndim) if axes is None else [int(axis) for axis in axes.ravel()]
    amounts, sizes = [int(pad) for pad in pads.ravel()], list(x.shape)
    for place, axis in enumerate(chosen):
        sizes[axis] += amounts[place] + amounts[len(chosen) + place]
    return _product(sizes)


def _resized(
    x: np.ndarray, region: object = None, scales: np.ndarray | None = None, sizes: np.ndarray | None = None
) -> int:
    if sizes is not None and sizes.size:
        return max(_product(sizes.ravel()), 1) * x.size
    return 0 if scales is None else math.ceil(math.prod(float(scale) for scale in scales.ravel()) * x.size)


_GROWING: dict[str, Callable[..., int]] = {
    "AffineGrid": lambda theta, size: _product(size.ravel()),
    "BlackmanWindow": lambda size: _product(size.ravel()),
    "CenterCropPad": lambda x, shape: _product(shape.ravel()) * x.size,
    "Concat": lambda *inputs: sum(one.size for one in inputs),
    "ConstantOfShape": lambda shape: _product(shape.ravel()),
    "Expand": _expanded,
    "HammingWindow": lambda size: _product(size.ravel()),
    "HannWindow": lambda size: _product(size.ravel()),
    "OneHot": lambda indices, depth, values: indices.size * _product(depth.ravel()),
    "Pad": _padded,
    "Range": _range,
    "Resize": _resized,
    "Tile": lambda x, repeats: x.size * _product(repeats.ravel()),
}
"""Operators whose result can be far larger than their inputs, and how large it is."""

_CHANNELWISE = frozenset(ELEMENTWISE) | frozenset(QUANTISERS) | frozenset(INTEGER_CURVES)


def _numbers(node: Node, arrays: Sequence[np.ndarray | None]) -> int:
    """Give how many numbers a node's result has, or at least no fewer than a bomb's."""
    present = [array for array in arrays if array is not None]
    if node.op in _GROWING:
        return _GROWING[node.op](*arrays)
    if node.op in _CHANNELWISE:
        return _joined(present)
    if node.op == "Gather":
        axis = present[0].shape[node.attributes.get("axis", 0)]
        return present[0].size // max(axis, 1) * present[1].size
    if node.op in ("MatMul", "MatMulInteger") and min(array.ndim for array in present[:2]) > 1:
        a, b = present[:2]
        batch = max(math.prod(a.shape[:-2]), math.prod(b.shape[:-2]))
        return batch * a.shape[-2] * b.shape[-1]
    return sum(array.size for array in present)


def _products(node: Node, arrays: Sequence[np.ndarray | None]) -> int:
    """Give how many products a node sums up."""
    present = [array for array in arrays if array is not None]
    slow = 1 if all(array.dtype.kind == "f" for array in present) else SLOWNESS_OF_INTEGERS
    if node.op in ("MatMul", "MatMulInteger", "Gemm"):
        return slow * _numbers(node, arrays) * present[0].shape[-1]
    if node.op in ("Conv", "ConvTranspose", "ConvInteger"):
        return slow * present[0].size * math.prod(present[1].shape)
    if node.op == "Einsum":
        terms = str(node.attributes["equation"]).partition("->")[0].replace(" ", "").split(",")
        sizes = {
            letter: size
            for term, array in zip(terms, present, strict=True)
            for letter, size in zip(term, array.shape, strict=False)
        }
        return slow * math.prod(sizes.values())
    return 0


class Budget:
    """What is left of the constants that a model may calculate.

    Parameters
    ----------
    constants : iterable of ndarray
        What its file holds.
    """

    def __init__(self, constants: Iterable[np.ndarray]) -> None:
        self.numbers = LEAST_NUMBERS + NUMBERS_FOR_ONE * sum(array.size for array in constants)
        self.products = MOST_PRODUCTS

    def spend(self, node: Node, arrays: Sequence[np.ndarray | None]) -> None:
        """Take what a node will need before it is calculated; one that does not fit its inputs is left to whoever calculates it.

        Raises
        ------
        ModelError
            If that is more than is left.
        """
        try:
            numbers, products = _numbers(node, arrays), _products(node, arrays)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            return
        if numbers > self.numbers or products > self.products:
            what = f"{numbers:,} numbers" if numbers > self.numbers else f"{products:,} products"
            raise ModelError(
                f"Node '{node.name}' ({node.op}) asks for a constant of {what}, more than this model may calculate while it is read; "
                "fold its constants before the export, or leave the node out"
            )
        self.numbers -= numbers
        self.products -= products


def hold_map(node: Node, arrays: Sequence[np.ndarray | None], batch: int) -> None:
    """Hold that a node's map can be counted, before arrays of its shape are made.

    Raises
    ------
    ModelError
    """
    try:
        numbers = _numbers(node, arrays) // batch if node.op in _GROWING or node.op in _CHANNELWISE else 0
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return
    if numbers > MOST_IN_A_MAP:
        raise too_large(node, numbers)


def too_large(node: Node, numbers: int) -> ModelError:
    """Say that a map is larger than any that is handled."""
    return ModelError(
        f"Node '{node.name}' ({node.op}) yields a map of {numbers:,} numbers a frame, but the largest that is handled has {MOST_IN_A_MAP:,}"
    )
