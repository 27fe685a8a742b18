"""Einsum of one or two tensors and constants: sums, a matrix product (one for each group of what both share), and orders of axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from string import ascii_letters

import numpy as np

from hwgen.passes.rewrite import Writing, axis_constant

__all__ = ["EINSUM"]


def _einsum(written: Writing) -> bool:
    inputs, constants = written.replaced.inputs, written.graph.constants
    data = [place for place, name in enumerate(inputs) if name not in constants]
    ranks = [len(written.shape(name)) for name in inputs]
    labels, result = _labels(str(written.replaced.attributes["equation"]), ranks)
    if any(len(set(part)) < len(part) for part in labels):
        return False
    if len(data) == len(inputs) == 2:
        return _of_two(written, labels[0], labels[1], result)
    if len(data) != 1:
        return False
    x = labels[data[0]]
    sizes = dict(zip(x, written.shape(inputs[data[0]]), strict=True))
    others = [place for place in range(len(inputs)) if place != data[0]]
    for place in others:
        for label, size in zip(labels[place], constants[inputs[place]].shape, strict=True):
            if sizes.setdefault(label, size) != size:
                return False
    # The batch stays in front, and no constant differs from frame to frame.
    if not result.startswith(x[0]) or any(x[0] in labels[place] for place in others):
        return False
    kept = "".join(dict.fromkeys(label for place in others for label in labels[place] if label in x + result))
    table = np.ones(())
    if others:
        equation = f"{','.join(labels[place] for place in others)}->{kept}"
        table = np.asarray(np.einsum(equation, *(constants[inputs[place]] for place in others)))
    _multiplied(
        written, inputs[data[0]], x, table, kept, result, {label: size for label, size in sizes.items() if size}
    )
    return True


def _labels(equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """Give the labels of every operand and of the result, dots written out."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    parts = left.split(",")
    spare = [letter for letter in ascii_letters if letter not in equation]
    widest = max((rank - len(part) + 3 for part, rank in zip(parts, ranks, strict=True) if "..." in part), default=0)
    dots = "".join(spare[:widest])
    written_out = []
    for part, rank in zip(parts, ranks, strict=True):
        count = rank - len(part) + 3
        written_out.append(part.replace("...", dots[widest - count :]) if "..." in part else part)
    if not arrow:
        once = sorted(letter for letter in set(left) - set(".,") if left.count(letter) == 1)
        right = ("..." if "..." in left else "") + "".join(once)
    return written_out, right.replace("...", dots)


def _multiplied(
    written: Writing, read: str, x: str, table: np.ndarray, constant: str, result: str, sizes: dict[str, int]
) -> None:
    """Multiply a tensor with labels ``x`` by a table with labels ``constant``."""
    gone = [axis for axis, label in enumerate(x) if label not in constant + result]
    if gone:
        read = written.node("ReduceSum", "sum", read, written.constant("axes", axis_constant(gone)), keepdims=0)
        x = "".join(label for axis, label in enumerate(x) if axis not in gone)
    shared = "".join(label for label in x if label in constant and label in result)
    summed = "".join(label for label in x if label in constant and label not in result)
    free = "".join(label for label in x[1:] if label not in constant)
    new = "".join(label for label in constant if label not in x)

    def ordered(name: str, part: str, labels: str, wanted: str) -> str:
        return written.node("Transpose", part, name, perm=tuple(labels.index(label) for label in wanted))

    def reshaped(name: str, part: str, *shape: int) -> str:
        return written.node("Reshape", part, name, written.constant(f"{part}.shape", axis_constant((-1, *shape))))

    if not summed and not new:
        # Nothing is summed up: numbers of the result's own places.
        order = ordered(read, "order", x, result)
        factors = table.transpose([constant.index(label) for label in result if label in constant])
        shape = [sizes[label] if label in constant else 1 for label in result]
        written.node("Mul", "product", order, written.constant("factors", factors.reshape(shape)))
        return
    groups, count = [sizes[label] for label in shared], _product(sizes, free)
    read = ordered(read, "order", x, x[0] + shared + free + summed)
    read = reshaped(read, "vectors", *groups, count, _product(sizes, summed))
    matrix = table.transpose([constant.index(label) for label in shared + summed + new])
    matrix = np.ascontiguousarray(matrix.reshape(*groups, _product(sizes, summed), _product(sizes, new)))
    read = written.node("MatMul", "product", read, written.constant("matrix", matrix))
    places = x[0] + shared + free + new
    read = reshaped(read, "places", *(sizes[label] for label in places[1:]))
    ordered(read, "result", places, result)


def _of_two(written: Writing, x: str, y: str, result: str) -> bool:
    """Multiply two tensors of which each has the batch in front."""
    read, other = written.replaced.inputs
    sizes = dict(zip(x, written.shape(read), strict=True)) | dict(zip(y, written.shape(other), strict=True))
    known = {label: size for label, size in sizes.items() if size}
    if not (x[0] == y[0] == result[0]) or len(known) < len(sizes) - 1:
        return False
    parts = []
    for name, part, own in (("first", read, x), ("second", other, y)):
        gone = [axis for axis, label in enumerate(own) if label not in result and label not in (x if own is y else y)]
        if gone:
            part = written.node(
                "ReduceSum", f"{name}.sum", part, written.constant(f"{name}.axes", axis_constant(gone)), keepdims=0
            )
        parts.append((name, part, "".join(label for axis, label in enumerate(own) if axis not in gone)))
    (_, _, x), (_, _, y) = parts
    groups = "".join(label for label in x[1:] if label in y and label in result)
    summed = "".join(label for label in x if label in y and label not in result)
    alone = ["".join(label for label in own if label not in groups + summed + x[0]) for own in (x, y)]

    def matrices(name: str, part: str, own: str, rows: str, columns: str) -> str:
        order = tuple(own.index(label) for label in own[0] + groups + rows + columns)
        turned = written.node("Transpose", f"{name}.order", part, perm=order)
        shape = [-1, *(known[label] for label in groups), _product(known, rows), _product(known, columns)]
        return written.node("Reshape", name, turned, written.constant(f"{name}.shape", axis_constant(shape)))

    (first, second) = parts
    product = written.node("MatMul", "product", matrices(*first, alone[0], summed), matrices(*second, summed, alone[1]))
    places = x[0] + groups + alone[0] + alone[1]
    shape = axis_constant((-1, *(known[label] for label in places[1:])))
    product = written.node("Reshape", "places", product, written.constant("places.shape", shape))
    written.node("Transpose", "result", product, perm=tuple(places.index(label) for label in result))
    return True


def _product(sizes: dict[str, int], labels: str) -> int:
    return int(np.prod([sizes[label] for label in labels], dtype=np.int64))


EINSUM: dict[str, Callable[[Writing], bool]] = {"Einsum": _einsum}
