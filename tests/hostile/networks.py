"""Whole networks of hostile idioms, one for each seed: inputs, blocks, residual joins, tails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from tests.hostile.net import FRAMES, Net, Tensor, Unsuitable, session
from tests.hostile.pointwise import activated, normalised, pooled
from tests.hostile.products import product
from tests.hostile.quantisers import quantise
from tests.hostile.shaping import channels_first, channels_last, flatten, padded, shaped
from tests.hostile.versions import argmax, topk

__all__ = ["Hostile", "hostile", "loads"]

LARGEST_SCORE = 50.0


@dataclass(frozen=True, eq=False)
class Hostile:
    """A model, what has to be said to read it, and frames.

    Parameters
    ----------
    model : ModelProto
    options : dict
        Arguments of `hwgen.read`.
    frames : dict of str to ndarray
        As the file takes them, the corners first.
    answers : dict of str to ndarray
        What the file's nodes yield of them one by one, in ONNX Runtime and QONNX's package.
    tensors : dict of str to ndarray
        And all tensors between them.
    foreign : bool
        Whether it has operators of QONNX, which ONNX Runtime does not know.
    """

    model: onnx.ModelProto
    options: dict[str, Any]
    frames: dict[str, np.ndarray]
    answers: dict[str, np.ndarray]
    tensors: dict[str, np.ndarray]
    foreign: bool


def _shape(net: Net) -> tuple[int, ...]:
    """Give the shape of a frame, channels first."""
    rank = net.choose([1, 2, 2, 3, 3, 3, 3, 3, 3]) if net.chance(0.99) else 4
    channels = int(net.random.integers(1, 17 if rank == 1 else 6))
    most = {1: 1, 2: 12, 3: 8, 4: 4}[rank]
    return (channels, *(int(net.random.integers(3, most + 1)) for _ in range(rank - 1)))


def _levels(net: Net, shape: tuple[int, ...], low: int, high: int) -> np.ndarray:
    """Give codes: all lowest, all highest, all zero, one highest in a corner, the rest random."""
    found = net.random.integers(low, high, size=(FRAMES, *shape), endpoint=True)
    found[0], found[1], found[2], found[3] = low, high, max(low, 0), max(low, 0)
    found[3].reshape(-1)[-1] = high
    found[4] = np.clip(found[4], -1, 1)
    found[5] = np.where(found[5] >= (low + high) // 2, high, low)
    return np.asarray(found)


def declared(net: Net, shape: tuple[int, ...], last: bool) -> Tensor:
    """Take real numbers of which the options say what codes they are."""
    kind = net.choose(["uint8", "uint8", "int8", "int4", "uint4", "bipolar", "ternary", "uint2", "int16", "uint10"])
    if kind == "bipolar":
        low, high = 0, 1
    elif kind == "ternary":
        low, high = -1, 1
    else:
        bits = int(kind.lstrip("uint"))
        low, high = (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    scale = 1.0 if kind in ("bipolar", "ternary") else net.choose([1.0, 1.0, 1 / 255, 0.5, 0.1, 2.0 / 255, 0.0078125])
    offset = -1.0 if scale == 2.0 / 255 else 0.0
    codes = _levels(net, shape, low, high)
    codes = 2 * codes - 1 if kind == "bipolar" else codes
    x = net.input((scale * codes + offset).astype(np.float32), last=last)
    net.options["input_type"][x.name] = kind
    if scale != 1 or net.chance(0.2):
        net.options["input_scale"][x.name] = scale
    if offset:
        net.options["input_offset"][x.name] = offset
    return x


def integers(net: Net, shape: tuple[int, ...], last: bool) -> Tensor:
    """Take integers, and make real numbers of them: a Cast and an affine, or DequantizeLinear."""
    dtype = net.choose([np.uint8, np.uint8, np.int8])
    info = np.iinfo(dtype)
    x = net.input(_levels(net, shape, int(info.min), int(info.max)).astype(dtype), last=last)
    if net.opset >= 10 and net.chance(0.5):
        zero = net.const(net.choose([0, 0, 3, 127]), dtype)
        return net.op("DequantizeLinear", x, net.const(net.choose([1 / 255, 0.5, 0.02, 1.0])), zero)
    y = net.op("Cast", x, to=1)
    if net.chance(0.6):
        y = net.op("Div", y, net.const(255.0)) if net.chance(0.5) else net.op("Mul", y, net.const(np.float32(1 / 255)))
    if net.chance(0.4):
        y = net.op("Sub", net.op("Mul", y, net.const(2.0)), net.const(1.0))
    return y


def real(net: Net, shape: tuple[int, ...], last: bool) -> Tensor:
    """Take real numbers that a quantiser of the file makes codes of; some meet halves of its steps exactly."""
    values = net.random.standard_normal((FRAMES, *shape)) * net.choose([0.5, 1.0, 4.0])
    values[::2] = np.round(values[::2] * 8) / 8
    values[0], values[1], values[2] = -1000, 1000, 0
    x = net.input(values.astype(np.float32), last=last)
    y = padded(net, x) if net.chance(0.1) and x.rank > 2 else x
    return quantise(net, y)


def entry(net: Net) -> Tensor:
    shape = _shape(net)
    last = len(shape) > 1 and net.chance(0.25)
    shape = (*shape[1:], shape[0]) if last else shape
    x: Tensor = net.first_suitable({declared: 4, integers: 2, real: 4}, shape, last)
    if last and net.chance(0.5):
        return channels_first(net, x)
    return x


def _optional(net: Net, share: float, step: Callable[[Net, Tensor], Tensor], x: Tensor) -> Tensor:
    """Do a step now and then, and not where none of its kind suits."""
    if not net.chance(share):
        return x
    try:
        return step(net, x)
    except Unsuitable:
        return x


def block(net: Net, x: Tensor, keep: bool = False) -> Tensor:
    """A layer as frameworks write it: shape, product, normalisation, function, pool, quantiser, in several orders."""
    y = x if keep else _optional(net, 0.3, shaped, x)
    if y.rank > 2 and net.chance(0.12):
        y = flatten(net, y)
    y = product(net, y)
    for share, step in net.choose([
        [(0.6, normalised), (0.4, activated), (0.2, pooled)],
        [(0.25, pooled), (0.6, normalised), (0.3, activated)],
        [(0.4, activated), (0.6, normalised), (0.15, padded)],
        [(0.3, normalised)],
    ]):  # fmt: skip
        y = _optional(net, 0.0 if keep and step in (pooled, padded) else share, step, y)
    if net.chance(0.08) and not keep:
        return y
    y = quantise(net, y)
    return _optional(net, 0.0 if keep else 0.15, pooled, y)


def joined(net: Net, x: Tensor) -> Tensor:
    """Two branches that meet in a sum, a product, a choice or a concatenation."""
    other = block(net, x, keep=True)
    if other.last != x.last:
        other = channels_last(net, other) if x.last else channels_first(net, other)
    if x.value.dtype != np.float32:
        raise Unsuitable
    if other.shape == x.shape:
        y = net.op(
            net.choose(["Add", "Add", "Add", "Sub", "Mul", "Max"] if net.opset >= 8 else ["Add", "Mul"]),
            *net.choose([(x, other), (other, x)]),
        )
    elif other.rank == x.rank and other.places == x.places:
        y = net.op("Concat", x, other, axis=x.axis)
    else:
        raise Unsuitable
    y = _optional(net, 0.3, activated, y)
    return quantise(net, y) if net.chance(0.7) else y


def tails(net: Net, x: Tensor) -> list[Tensor]:
    """End: as it is, as a vector of scores, ranked, or with an output of an inner tensor beside it."""
    kind = net.choose(["map", "vector", "vector", "scores", "scores", "softmax", "argmax", "topk"])
    if kind == "map":
        return [x]
    y = flatten(net, x) if net.chance(0.8) else x
    if kind == "vector":
        return [y]
    y = product(net, y)
    y = _optional(net, 0.3, normalised, y)
    if kind == "scores" or net.opset < 9:
        return [y]
    if kind == "softmax":
        # Scores of thousands, of which float32 has no fraction left, say nothing about shares.
        if y.rank > 2 or np.max(np.abs(y.value)) > LARGEST_SCORE:
            return [y]
        axis = {"axis": 1} if net.chance(0.7) else {}
        return [net.op(net.choose(["Softmax", "LogSoftmax"]), y, **axis) if net.chance(0.8) else net.op("Sigmoid", y)]
    if kind == "argmax":
        return [argmax(net, y, y.axis)]
    values, indices = topk(net, y, int(net.random.integers(1, y.channels + 1)), y.axis)
    return [values, indices] if net.chance(0.1) else [indices]


def loads(model: onnx.ModelProto) -> bool:
    """Whether ONNX Runtime takes the whole file, whose declared batch may be another than that of the frames."""
    try:
        session(model.SerializeToString())
    except Exception:
        return False
    return True


def hostile(seed: int) -> Hostile:
    """Give the network of a seed, the same each time."""
    for attempt in range(50):
        net = Net(seed * 64 + attempt)
        try:
            x = entry(net)
            inner = []
            for _ in range(int(net.random.integers(1, 4))):
                x = net.first_suitable({block: 4, joined: 1}, x)
                inner.append(x)
            outputs = tails(net, x)
        except Unsuitable:
            continue
        if net.chance(0.12) and inner[0] not in outputs:
            outputs.append(inner[0])
        if all(np.all(each.value == each.value[:1]) for each in outputs):
            continue
        options = {name: value for name, value in net.options.items() if value}
        frames = {tensor.name: values for tensor, values in net.inputs}
        answers = {each.name: each.value for each in outputs}
        model = net.model(outputs)
        if net.foreign or loads(model):
            return Hostile(model, options, frames, answers, net.made, net.foreign)
    raise ValueError(f"seed {seed} gives no network")
