"""Normalisations by statistics of the data: means, squares of integers, and a factor that is a function of the variance.

In front of a sign the root is not needed: ``d * g + sqrt(v) * b`` has the sign of ``d |d| * g |g| + v * b |b|``, which integers hold.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwgen.graph import Node
from hwgen.passes.rewrite import Writing, axis_constant

__all__ = ["NORMALISATIONS"]

Mean = Callable[[str, str], str]
"""(tensor, part of the names to give) -> its means, in a shape that broadcasts to it."""

_COMPARISONS = frozenset({"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"})


def _over(written: Writing, axes: tuple[int, ...]) -> Mean:
    """Give means over axes."""

    def mean(read: str, part: str) -> str:
        return written.node("ReduceMean", part, read, written.constant(f"{part}.axes", axis_constant(axes)), keepdims=1)

    return mean


def _over_groups(written: Writing, groups: int) -> Mean:
    """Give means over rows and columns of groups of channels: of rows and columns first, then by a matrix."""
    _, channels, *sizes = written.shape(written.replaced.inputs[0])
    size = channels // groups if channels else 1
    matrix = np.kron(np.eye(groups), np.full((size, size), 1 / size))

    def mean(read: str, part: str) -> str:
        axes = written.constant(f"{part}.axes", axis_constant(range(2, 2 + len(sizes))))
        pixel = written.node("ReduceMean", f"{part}.of_channels", read, axes, keepdims=0)
        of_group = written.node("MatMul", f"{part}.of_groups", pixel, written.constant(f"{part}.matrix", matrix))
        shape = written.constant(f"{part}.shape", axis_constant((-1, groups * size, *(1 for _ in sizes))))
        return written.node("Reshape", part, of_group, shape)

    return mean


def _layer(written: Writing) -> bool:
    axes = _behind(written)
    return _normalised(written, _over(written, axes), lambda part: part, _least(_count(written, axes)))


def _root_mean_square(written: Writing) -> bool:
    axes = _behind(written)
    return _normalised(written, _over(written, axes), lambda part: part, 1, centred=False)


def _count(written: Writing, axes: tuple[int, ...]) -> int:
    shape = written.shape(written.replaced.inputs[0])
    return int(np.prod([shape[axis] or 1 for axis in axes], dtype=np.int64))


def _least(count: int) -> int:
    """Give the least sum but zero of squares of distances from a mean, each in parts of a step: one number differs by a step."""
    return max(count * (count - 1), 1)


def _behind(written: Writing) -> tuple[int, ...]:
    rank = len(written.shape(written.replaced.inputs[0]))
    return tuple(range(written.replaced.attributes["axis"] % rank, rank))


def _column(written: Writing) -> Callable[[np.ndarray], np.ndarray]:
    """Lay parameters of channels, or of groups of them, out so that they broadcast."""
    _, channels, *sizes = written.shape(written.replaced.inputs[0])
    return lambda part: np.repeat(part, (channels or 1) // part.size).reshape(-1, *(1 for _ in sizes))


def _instance(written: Writing) -> bool:
    axes = tuple(range(2, len(written.shape(written.replaced.inputs[0]))))
    return _normalised(written, _over(written, axes), _column(written), _least(_count(written, axes)))


def _group(written: Writing) -> bool:
    groups = int(written.replaced.attributes["num_groups"])
    axes = tuple(range(1, len(written.shape(written.replaced.inputs[0]))))
    count = _count(written, axes) // groups
    return _normalised(written, _over_groups(written, groups), _column(written), _least(count))


def _normalised(
    written: Writing, mean: Mean, laid_out: Callable[[np.ndarray], np.ndarray], least: int, *, centred: bool = True
) -> bool:
    x, *names = (name for name in written.replaced.inputs if name)
    constants = written.graph.constants
    if any(name not in constants for name in names):
        return False
    scale, *more = (laid_out(constants[name].astype(np.float64)) for name in names)
    bias = more[0] if more else np.zeros(())
    distance = written.node("Sub", "distance", x, mean(x, "mean")) if centred else x
    square = written.node("Mul", "square", distance, distance, integers=1)
    epsilon = written.constant("epsilon", np.asarray(written.replaced.attributes["epsilon"], np.float64))
    if _only_signs(written):
        if not np.any(bias):
            written.node("Mul", "sign_of_result", distance, written.constant("scale", scale))
            return True
        zero, one, minus = (
            written.constant(part, np.asarray(value)) for part, value in (("zero", 0.0), ("one", 1.0), ("minus", -1.0))
        )
        side = written.node("Where", "side", written.node("GreaterOrEqual", "not_below", distance, zero), one, minus)
        signed = written.node("Mul", "signed_square", square, side)
        result = written.node("Mul", "scaled", signed, written.constant("scale", scale * np.abs(scale)))
        above = written.node("Add", "above_zero", mean(square, "variance"), epsilon)
        shift = written.node("Mul", "shift", above, written.constant("bias", bias * np.abs(bias)))
        written.node("Add", "sign_of_result", result, shift, sign=1)
        return True
    variance = mean(square, "variance")
    above = written.node(
        "Add", "above_zero", written.node("Relu", "not_below_zero", variance, least_sum=least), epsilon
    )
    root = written.node("Reciprocal", "factor", written.node("Sqrt", "deviation", above))
    result = written.node("Mul", "normalised", distance, root)
    result = written.node("Mul", "scaled", result, written.constant("scale", scale))
    if np.any(bias):
        written.node("Add", "result", result, written.constant("bias", bias))
    return True


def _only_signs(written: Writing) -> bool:
    """Whether nothing but the sign of the result is asked for."""
    (result,) = written.replaced.outputs[:1]
    readers = [node for node in written.graph.nodes if result in node.inputs]
    return result not in written.graph.outputs and bool(readers) and all(_is_sign(written, node) for node in readers)


def _is_sign(written: Writing, node: Node) -> bool:
    constants = [written.graph.constants.get(name) for name in node.inputs]
    others = [constant for constant in constants if constant is not None]
    if node.op in _COMPARISONS:
        return len(others) == 1 and not np.any(others[0])
    if node.op == "BipolarQuant":
        return len(others) == 1 and bool(np.all(others[0] > 0))
    return node.op == "Sign"


NORMALISATIONS: dict[str, Callable[[Writing], bool]] = {
    "GroupNormalization": _group,
    "InstanceNormalization": _instance,
    "LayerNormalization": _layer,
    "RMSNormalization": _root_mean_square,
}
