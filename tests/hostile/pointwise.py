"""Steps that leave every element where it is: normalisations, scales, activations; and pools."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.hostile.net import Net, Tensor, Unsuitable
from tests.hostile.shaping import channels_first
from tests.hostile.versions import clip, reduce

__all__ = ["activated", "normalised", "pooled"]


def _float(x: Tensor) -> None:
    if x.value.dtype != np.float32:
        raise Unsuitable


def batch_norm(net: Net, x: Tensor) -> Tensor:
    """Normalise: gammas that are negative or nothing, variances that are tiny, any epsilon."""
    x = channels_first(net, x)
    _float(x)
    if net.opset < 9 and x.rank != 4:
        raise Unsuitable
    count = x.channels
    spread = float(np.std(x.value)) or 1.0
    gamma = net.random.choice([1.0, 1.0, 0.5, -1.0, -0.25, 0.0, 1.7], size=count)
    beta = net.random.choice([0.0, 0.0, 0.5, -0.5, -0.3], size=count)
    if net.chance(0.5):
        mean = net.random.choice(x.value.reshape(-1), size=count)
    else:
        mean = net.random.integers(-4, 5, size=count) / 2
    variance = net.choose(
        [
            np.ones(count),
            np.full(count, spread**2),
            net.random.uniform(0.1, 4, size=count),
            net.random.choice([1e-12, 1.0, 5.6e-45], size=count),
        ]
    )
    attributes = net.choose(
        [
            {},
            {"epsilon": 1e-3},
            {"epsilon": 1e-4},
            {"epsilon": 1e-5, "momentum": 0.9},
            {"epsilon": 0.0} if variance.min() > 0.01 else {},
        ]
    )
    return net.op("BatchNormalization", x, *(net.const(each) for each in (gamma, beta, mean, variance)), **attributes)


def scaled(net: Net, x: Tensor) -> Tensor:
    """Multiply or divide, and add or subtract, for all or for each channel."""
    _float(x)
    steps = net.choose([1, x.channels])
    factors = net.choose(
        [
            np.array(0.5),
            np.array(0.1),
            net.random.choice([0.5, 1.0, -2.0, 0.3], size=steps),
            net.random.uniform(-2, 2, size=steps),
        ]
    )
    offsets = net.choose([net.random.integers(-4, 5, size=steps) / 2, net.random.standard_normal(steps), np.array(0.0)])
    if factors.size == 1:
        factors = factors.reshape(())
    if offsets.size == 1:
        offsets = offsets.reshape(())
    y = net.op(net.choose(["Mul", "Div"]), x, net.channelwise(x, np.where(factors == 0, 1.0, factors)))
    if net.chance(0.7):
        c = net.channelwise(y, offsets)
        y = (
            net.op("Add", *net.choose([(y, c), (c, y)]))
            if net.chance(0.5)
            else net.op("Sub", *net.choose([(y, c), (y, c), (c, y)]))
        )
    return y


def normalised(net: Net, x: Tensor) -> Tensor:
    found: Tensor = net.first_suitable({batch_norm: 3, scaled: 2}, x)
    return found


def _plain(kind: str, least: int = 1, **attributes: Any) -> Any:
    def step(net: Net, x: Tensor) -> Tensor:
        _float(x)
        if net.opset < least:
            raise Unsuitable
        return net.op(kind, x, **attributes)

    return step


def clipped(net: Net, x: Tensor) -> Tensor:
    _float(x)
    return clip(net, x, *net.choose([(0.0, 6.0), (-1.0, 1.0), (0.0, 1.0), (0.0, None), (None, 2.5), (0.25, 3.0)]))


def prelu(net: Net, x: Tensor) -> Tensor:
    _float(x)
    slopes = net.choose([np.array(0.25), net.random.choice([0.25, 0.1, -0.5, 0.0, 1.5], size=x.channels)])
    return net.op("PRelu", x, net.channelwise(x, slopes))


def max_or_min(net: Net, x: Tensor) -> Tensor:
    _float(x)
    if net.opset < 8:
        raise Unsuitable
    return net.op(net.choose(["Max", "Min"]), x, net.const(float(net.random.choice(x.value.reshape(-1)))))


def swish_by_hand(net: Net, x: Tensor) -> Tensor:
    """HardSwish as exporters before opset 14 write it."""
    _float(x)
    return net.op("Div", net.op("Mul", x, clip(net, net.op("Add", x, net.const(3.0)), 0.0, 6.0)), net.const(6.0))


def squared(net: Net, x: Tensor) -> Tensor:
    _float(x)
    return net.op("Mul", x, x) if net.chance(0.5) else net.op("Pow", x, net.const(2.0))


def activated(net: Net, x: Tensor) -> Tensor:
    """Apply a function."""
    ways = {
        _plain("Relu"): 5, clipped: 2, prelu: 1.5, max_or_min: 1, swish_by_hand: 0.5, squared: 0.5,
        _plain("LeakyRelu", alpha=0.125): 0.7, _plain("LeakyRelu"): 0.7, _plain("HardSwish", 14): 0.7, _plain("HardSigmoid"): 0.7,
        _plain("Sigmoid"): 0.7, _plain("Tanh"): 0.7, _plain("Abs"): 0.7, _plain("Neg"): 0.5, _plain("Elu"): 0.4, _plain("Selu"): 0.2,
        _plain("Softplus"): 0.2, _plain("Softsign"): 0.2, _plain("Erf", 9): 0.2, _plain("ThresholdedRelu", 10, alpha=0.5): 0.3, _plain("Exp"): 0.1,
        _plain("Ceil"): 0.3, _plain("Floor"): 0.3, _plain("Gelu", 20): 0.2, _plain("Mish", 18): 0.2, _plain("Celu", 12): 0.2, _plain("Sign", 9): 0.3,
    }  # fmt: skip
    found: Tensor = net.first_suitable(ways, x)
    return found


def _pool_window(net: Net, x: Tensor, kind: str) -> dict[str, Any]:
    kernel = [int(net.random.integers(1, min(3, size) + 1)) for size in x.places]
    found: dict[str, Any] = {"kernel_shape": kernel}
    if net.chance(0.7):
        found["strides"] = [net.choose([1, 2, 2, 3]) for _ in kernel]
    if net.chance(0.4):
        found["pads"] = [int(net.random.integers(0, side)) for side in kernel * 2]
    elif net.chance(0.15):
        found["auto_pad"] = net.choose(["SAME_UPPER", "SAME_LOWER", "VALID"])
    if net.opset >= 10 and net.chance(0.4):
        found["ceil_mode"] = 1
    if kind == "MaxPool" and net.opset >= 10 and net.chance(0.15):
        found["dilations"] = [
            net.choose([1, 2]) if 2 * (side - 1) < size else 1 for side, size in zip(kernel, x.places, strict=True)
        ]
    if kind == "AveragePool" and net.chance(0.4):
        found["count_include_pad"] = 1
    return found


def window_pool(net: Net, x: Tensor) -> Tensor:
    x = channels_first(net, x)
    _float(x)
    if x.rank < 3:
        raise Unsuitable
    kind = net.choose(["MaxPool", "MaxPool", "AveragePool"])
    return net.op(kind, x, **_pool_window(net, x, kind))


def global_pool(net: Net, x: Tensor) -> Tensor:
    x = channels_first(net, x)
    _float(x)
    if x.rank < 3:
        raise Unsuitable
    return net.op(net.choose(["GlobalAveragePool", "GlobalAveragePool", "GlobalMaxPool"]), x)


def reduced(net: Net, x: Tensor) -> Tensor:
    """Reduce all places, or one axis of them."""
    _float(x)
    axes = [axis for axis in range(1, x.rank) if axis != x.axis]
    if not axes:
        raise Unsuitable
    keep = len(axes) > 1 and net.chance(0.3)
    kind = net.choose(["ReduceMean", "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"])
    y = reduce(net, kind, x, [net.choose(axes)] if keep else axes, keep or net.chance(0.5))
    return Tensor(y.name, y.value, last=x.last and y.rank > 2)


def pooled(net: Net, x: Tensor) -> Tensor:
    found: Tensor = net.first_suitable({window_pool: 6, global_pool: 1, reduced: 1}, x)
    return found
