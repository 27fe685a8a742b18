"""From real numbers to a grid: signs in every spelling, QuantizeLinear, QONNX's quantisers, rounding by hand."""

from __future__ import annotations

import numpy as np

from tests.hostile.net import QONNX, Net, Tensor, Unsuitable
from tests.hostile.versions import clip

__all__ = ["quantise", "quantise_linear", "scale_for"]


def scale_for(net: Net, largest: float, steps: int) -> float:
    """Give a step by which the numbers go over about so many codes: a power of two, a decimal fraction, 1/255, or as trained."""
    raw = max(largest, 1e-3) / max(1, steps) * net.choose([0.5, 1.0, 1.0, 1.3])
    power = float(2.0 ** np.round(np.log2(raw)))
    digits = float(f"{raw:.1g}")
    return net.choose([power, power, power, digits, float(f"{raw:.2g}"), 1 / 255, raw])


def _largest(x: Tensor) -> float:
    return float(np.max(np.abs(x.value)))


def _float(x: Tensor) -> None:
    if x.value.dtype != np.float32:
        raise Unsuitable


def sign(net: Net, x: Tensor) -> Tensor:
    _float(x)
    if net.opset < 9:
        raise Unsuitable
    return net.op("Sign", x)


def sign_of_greater(net: Net, x: Tensor) -> Tensor:
    """Choose between 1 and -1: zero is either, as the comparison says."""
    _float(x)
    zero = net.channelwise(x, 0.0 if net.chance(0.6) else np.quantile(x.value, net.random.random(x.channels)))
    comparison = net.choose(
        ["Greater", "Less"]
        if net.opset < 12
        else ["GreaterOrEqual", "GreaterOrEqual", "Greater", "Less", "LessOrEqual"]
    )
    if net.opset < 9:
        raise Unsuitable
    found = net.op(comparison, x, zero)
    if net.chance(0.5):
        return net.op("Where", found, net.const(1.0), net.const(-1.0))
    number = net.op("Cast", found, to=1)
    return net.op("Sub", net.op("Mul", number, net.const(2.0)), net.const(1.0))


def sign_of_larq(net: Net, x: Tensor) -> Tensor:
    return net.op("Sign", net.op("Add", sign(net, x), net.const(0.1)))


def bipolar_quant(net: Net, x: Tensor) -> Tensor:
    _float(x)
    return net.ops("BipolarQuant", 1, x, net.const(net.choose([1.0, [1.0], 0.5, 0.1])), domain=QONNX)[0]


def multi_threshold(net: Net, x: Tensor) -> Tensor:
    """Thresholds where the numbers are, so that some meet one exactly."""
    _float(x)
    if x.rank not in (2, 3, 4):
        raise Unsuitable
    steps = net.choose([1, 1, 2, 3, 7, 15])
    rows = 1 if net.chance(0.4) else x.channels
    values = np.moveaxis(x.value, x.axis, 0).reshape(x.channels, -1) if rows > 1 else x.value.reshape(1, -1)
    places = np.sort(np.stack([net.random.choice(row, steps) for row in values]), axis=1)
    if net.chance(0.3):
        places = np.round(places) - 0.5
    attributes = net.choose(
        [{}, {"out_scale": 2.0, "out_bias": -float(steps)}, {"out_scale": 0.25, "out_bias": -1.0}, {"out_bias": -3.0}]
    )
    layout = {2: "NC", 3: "NWC" if x.last else "NCW", 4: "NHWC" if x.last else "NCHW"}[x.rank]
    if layout not in ("NC", "NWC", "NCHW") or net.chance(0.3):
        attributes = {**attributes, "data_layout": layout}
    return net.ops("MultiThreshold", 1, x, net.const(places), domain=QONNX, **attributes)[0]


def quant(net: Net, x: Tensor) -> Tensor:
    """QONNX's Quant: a bit width of any shape, all roundings, narrow or not, of each channel or of all."""
    _float(x)
    bits = net.choose([1, 2, 2, 3, 4, 4, 5, 8, 8, 9, 10, 12, 16])
    signed = int(x.value.min() < 0 or net.chance(0.2))
    scale = np.array(scale_for(net, _largest(x), 2 ** (bits - signed)))
    zero: float = 0.0
    if net.chance(0.3):
        scale = scale * 2.0 ** net.random.integers(-1, 2, size=x.channels)
    if not signed and net.chance(0.2):
        zero = float(net.random.integers(0, 2**bits))
    width = net.const(net.choose([bits, [bits], float(bits)]))
    attributes = {
        "signed": signed,
        "narrow": int(net.chance(0.4)),
        "rounding_mode": net.choose(
            ["ROUND", "ROUND", "HALF_EVEN", "FLOOR", "CEIL", "UP", "DOWN", "HALF_UP", "HALF_DOWN"]
        ),
    }
    if net.chance(0.3):
        del attributes["rounding_mode"]
    steps = net.channelwise(x, scale)
    return net.ops("Quant", 1, x, steps, net.const(zero), width, domain=QONNX, **attributes)[0]


def quantise_linear(net: Net, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """QuantizeLinear: the codes, the scale, the zero point."""
    _float(x)
    if net.opset < 10:
        raise Unsuitable
    kinds = [np.uint8, np.uint8, np.int8] + ([np.int16, np.uint16] if net.opset >= 21 else [])
    dtype = net.choose(kinds)
    info = np.iinfo(dtype)
    reach = _largest(x) * (1 if x.value.min() < 0 else 0.5)
    scale = net.const(scale_for(net, 2 * reach, net.choose([4, 16, 255, int(info.max) - int(info.min)])))
    middle = 0 if dtype in (np.int8, np.int16) else (int(info.max) + 1) // 2 if x.value.min() < 0 else 0
    zero = net.const(middle + (int(net.random.integers(-9, 10)) if net.chance(0.3) and middle else 0), dtype)
    return net.op("QuantizeLinear", x, scale, zero), scale, zero


def quantise_dequantise(net: Net, x: Tensor) -> Tensor:
    codes, scale, zero = quantise_linear(net, x)
    if net.chance(0.2):
        codes = clip_codes(net, codes)
    return net.op("DequantizeLinear", codes, scale, zero)


def clip_codes(net: Net, codes: Tensor) -> Tensor:
    """Clip codes, as exporters of fewer bits than eight write it."""
    low = int(codes.value.min())
    return clip(net, codes, low, min(low + net.choose([1, 3, 15]), int(np.iinfo(codes.value.dtype).max)))


def quantise_channels(net: Net, x: Tensor) -> Tensor:
    """QuantizeLinear with a scale of each channel."""
    _float(x)
    if net.opset < 13:
        raise Unsuitable
    scales = net.const(scale_for(net, _largest(x), 20) * 2.0 ** net.random.integers(-1, 2, size=x.channels))
    zeros = net.const(net.random.integers(-3, 4, size=x.channels), np.int8)
    codes = net.op("QuantizeLinear", x, scales, zeros, axis=x.axis)
    return net.op("DequantizeLinear", codes, scales, zeros, axis=x.axis)


def round_by_hand(net: Net, x: Tensor) -> Tensor:
    """Divide, clip, round, multiply; or Floor of a half more."""
    _float(x)
    steps = net.choose([1, 3, 7, 15, 100])
    scale = scale_for(net, _largest(x), steps)
    low = -steps if x.value.min() < 0 else 0
    y = net.op("Div", x, net.const(scale)) if net.chance(0.5) else net.op("Mul", x, net.const(1 / scale))
    before = net.chance(0.5)
    y = clip(net, y, low, steps) if before else y
    half = net.opset < 11 or net.chance(0.4)
    y = net.op("Floor", net.op("Add", y, net.const(0.5))) if half else net.op("Round", y)
    y = y if before else clip(net, y, low, steps)
    return net.op("Mul", y, net.const(scale))


def ternary(net: Net, x: Tensor) -> Tensor:
    """-1, 0 or 1 by a threshold on either side."""
    _float(x)
    if net.opset < 9:
        raise Unsuitable
    edge = scale_for(net, _largest(x), 3)
    above = net.op("Cast", net.op("Greater", x, net.const(edge)), to=1)
    below = net.op("Cast", net.op("Less", x, net.const(-edge)), to=1)
    return net.op("Sub", above, below)


def quantise(net: Net, x: Tensor) -> Tensor:
    """Bring a tensor to a grid in one of the ways."""
    ways = {
        sign: 3, sign_of_greater: 3, sign_of_larq: 0.7, bipolar_quant: 2, multi_threshold: 2, quant: 3,
        quantise_dequantise: 3, quantise_channels: 1, round_by_hand: 2, ternary: 0.7,
    }  # fmt: skip
    found: Tensor = net.first_suitable(ways, x)
    return found
