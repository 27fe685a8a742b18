"""Products and sums of quantised integers: of what codes stand for, in steps, and brought to the output's scale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwgen.operators.integers import factor, gemm_scale, shifted
from hwgen.passes.rewrite import Writing

__all__ = ["INTEGERS"]

_WINDOW = ("kernel_shape", "strides", "dilations", "pads", "group")
_POOL = ("kernel_shape", "strides", "dilations", "pads", "ceil_mode", "count_include_pad")


def _given(written: Writing, place: int) -> np.ndarray | None:
    """Give a constant input; None if it is absent."""
    inputs = written.replaced.inputs
    return written.graph.constants[inputs[place]] if place < len(inputs) and inputs[place] else None


def _demanded(written: Writing, place: int) -> np.ndarray:
    found = _given(written, place)
    if found is None:
        raise KeyError(f"input {place}")
    return found


def _fixed(written: Writing, data: tuple[int, ...]) -> bool:
    """Whether all inputs but those of the data are constants."""
    inputs = enumerate(written.replaced.inputs)
    return all(not name or name in written.graph.constants for place, name in inputs if place not in data)


def _steps(written: Writing, place: int, zero: int) -> str:
    """Read a tensor of codes as what they stand for, in steps."""
    read = written.node("Cast", f"codes{place}", written.replaced.inputs[place], to=np.dtype(np.float64))
    point = _given(written, zero)
    if point is None or not np.any(point):
        return read
    column = point.reshape(-1, 1) if point.ndim == 1 and point.size > 1 else point.reshape(())
    return written.node("Sub", f"steps{place}", read, written.constant(f"zero{place}", column.astype(np.float64)))


def _requantized(written: Writing, read: str, times: np.ndarray, zero: int, axis: int) -> None:
    point = _given(written, zero)
    zero_point = np.zeros((), np.uint8) if point is None else point.reshape(())
    inputs = written.constant("factor", times), written.constant("zero", zero_point)
    written.node("Requantize", "codes", read, *inputs, axis=axis)


def _convolved(written: Writing, places: tuple[int, int], zeros: tuple[int, int], bias: int) -> str:
    weights = shifted(_demanded(written, places[1]), _given(written, zeros[1]))
    inputs = [_steps(written, places[0], zeros[0]), written.constant("weights", weights)]
    added = _given(written, bias)
    if added is not None:
        inputs.append(written.constant("bias", added.astype(np.float64)))
    attributes = {name: value for name, value in written.replaced.attributes.items() if name in _WINDOW}
    return written.node("Conv", "product", *inputs, **attributes)


def _conv_integer(written: Writing) -> bool:
    if not _fixed(written, (0,)):
        return False
    total = _convolved(written, (0, 1), (2, 3), 99)
    written.node("Cast", "integers", total, to=np.dtype(np.int32))
    return True


def _qlinear_conv(written: Writing) -> bool:
    if not _fixed(written, (0,)):
        return False
    total = _convolved(written, (0, 3), (2, 5), 8)
    times = factor(*(_demanded(written, place) for place in (1, 4, 6)))
    _requantized(written, total, times, 7, 1)
    return True


def _multiplied(written: Writing, place: int, zeros: tuple[int, int], weights: np.ndarray) -> str:
    matrix = shifted(weights, _given(written, zeros[1]), -1)
    return written.node("MatMul", "product", _steps(written, 0, zeros[0]), written.constant(f"matrix{place}", matrix))


def _matmul_integer(written: Writing) -> bool:
    if not _fixed(written, (0,)):
        return False
    total = _multiplied(written, 1, (2, 3), _demanded(written, 1))
    written.node("Cast", "integers", total, to=np.dtype(np.int32))
    return True


def _last_axis(written: Writing) -> int:
    return len(written.shape(written.replaced.outputs[0])) - 1


def _qlinear_matmul(written: Writing) -> bool:
    if not _fixed(written, (0,)):
        return False
    total = _multiplied(written, 3, (2, 5), _demanded(written, 3))
    times = factor(*(_demanded(written, place) for place in (1, 4, 6)))
    _requantized(written, total, times, 7, _last_axis(written))
    return True


def _qgemm(written: Writing) -> bool:
    attributes = written.replaced.attributes
    if not _fixed(written, (0,)) or attributes["transA"]:
        return False
    weights = _demanded(written, 3)
    total = _multiplied(written, 3, (2, 5), weights.T if attributes["transB"] else weights)
    added = _given(written, 6)
    if added is not None:
        total = written.node("Add", "biased", total, written.constant("bias", added.astype(np.float64)))
    scale, out = gemm_scale(attributes, _demanded(written, 1), _demanded(written, 4)), _given(written, 7)
    if out is None:
        total = written.node("Mul", "scaled", total, written.constant("scale", scale))
        written.node("Cast", "real", total, to=np.dtype(np.float32))
        return True
    _requantized(written, total, np.asarray(scale / out.astype(np.float32)), 8, 1)
    return True


def _global_average(written: Writing) -> bool:
    if not _fixed(written, (0,)):
        return False
    shape = written.shape(written.replaced.inputs[0])
    rank, last = len(shape), written.replaced.attributes.get("channels_last", 0)
    axes = list(range(1, rank - 1) if last else range(2, rank))
    count = np.float32(np.prod([int(size) for size in (shape[axis] for axis in axes) if size]))
    over = written.constant("axes", np.array(axes, dtype=np.int64))
    total = written.node("ReduceSum", "sum", _steps(written, 0, 2), over, keepdims=1)
    _requantized(written, total, np.asarray(_demanded(written, 1) / (_demanded(written, 3) * count)), 4, 1)
    return True


def _real(written: Writing, place: int) -> str:
    """Read a tensor of codes, its scale and its zero point as real numbers."""
    inputs = [name for name in written.replaced.inputs[place : place + 3] if name]
    return written.node("DequantizeLinear", f"real{place}", *inputs, axis=1)


def _coded(written: Writing, read: str, place: int, part: str) -> str:
    given = [name for name in written.replaced.inputs[place : place + 2] if name]
    return written.node("QuantizeLinear", part, read, *given, axis=1)


def _offset(written: Writing, read: str, place: int) -> str:
    """Quantise as ONNX Runtime's joins and pools do: the zero point is added before the sum is rounded, which decides ties."""
    scale, point = _demanded(written, place), _given(written, place + 1)
    point = np.zeros((), np.uint8) if point is None else point.reshape(())
    limits = np.iinfo(point.dtype)
    read = written.node("Div", "steps", read, written.constant("scale", scale))
    read = written.node("Add", "offset", read, written.constant("zero", point.astype(scale.dtype)))
    bounds = (np.asarray(limit, scale.dtype) for limit in (limits.min, limits.max))
    low, high = (written.constant(part, bound) for part, bound in zip(("low", "high"), bounds, strict=True))
    read = written.node("Clip", "bounded", written.node("Round", "rounded", read), low, high)
    return written.node("Cast", "codes", read, to=point.dtype)


def _average_pool(written: Writing) -> bool:
    if not _fixed(written, (0,)):
        return False
    given = written.replaced.attributes
    rank, last = len(written.shape(written.replaced.inputs[0])), given.get("channels_last", 0)
    read = _real(written, 0)
    if last:
        read = written.node("Transpose", "channels_first", read, perm=(0, rank - 1, *range(1, rank - 1)))
    read = written.node("AveragePool", "means", read, **{name: given[name] for name in _POOL if name in given})
    read = _offset(written, read, 3)
    if last:
        written.node("Transpose", "channels_last", read, perm=(0, *range(2, rank), 1))
    return True


def _joined(op: str) -> Callable[[Writing], bool]:
    def spell(written: Writing) -> bool:
        if not _fixed(written, (0, 3)):
            return False
        _offset(written, written.node(op, "real", _real(written, 0), _real(written, 3)), 6)
        return True

    return spell


def _concatenation(written: Writing) -> bool:
    inputs = written.replaced.inputs
    data = tuple(range(2, len(inputs), 3))
    if not _fixed(written, data):
        return False
    parts = [_coded(written, _real(written, place), 0, f"part{place}") for place in data]
    written.node("Concat", "codes", *parts, axis=written.replaced.attributes["axis"])
    return True


INTEGERS: dict[str, Callable[[Writing], bool]] = {
    "ConvInteger": _conv_integer,
    "MatMulInteger": _matmul_integer,
    "QGemm": _qgemm,
    "QLinearAdd": _joined("Add"),
    "QLinearAveragePool": _average_pool,
    "QLinearConcat": _concatenation,
    "QLinearConv": _qlinear_conv,
    "QLinearGlobalAveragePool": _global_average,
    "QLinearMatMul": _qlinear_matmul,
    "QLinearMul": _joined("Mul"),
}
