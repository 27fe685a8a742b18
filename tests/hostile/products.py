"""Sums of products: convolutions, transposed ones, matrices, on real numbers and on codes; with weights of every kind."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.hostile.net import QONNX, Net, Tensor, Unsuitable
from tests.hostile.quantisers import quantise_linear
from tests.hostile.shaping import channels_first, channels_last

__all__ = ["product"]


def _whole(net: Net, shape: tuple[int, ...]) -> np.ndarray:
    """Draw small whole numbers, or only signs."""
    kind = net.choose(["signs", "signs", "ternary", "2 bits", "4 bits", "8 bits", "12 bits"])
    if kind == "signs":
        return net.random.choice([-1, 1], size=shape)
    most = {"ternary": 1, "2 bits": 2, "4 bits": 7, "8 bits": 127, "12 bits": 2047}[kind]
    found = net.random.integers(-most, most + 1, size=shape)
    return found if np.any(found) else found + 1


def weights(net: Net, shape: tuple[int, ...], rows: int = 0) -> Tensor:
    """Give weights on a grid: as they are, times a step of all or of each row, or in front of a quantiser."""
    whole = _whole(net, shape)
    spread = [1] * len(shape)
    spread[rows] = shape[rows]
    step: Any = net.choose([1.0, 1.0, 0.5, 0.125, 0.1, 0.37])
    if net.chance(0.4):
        step = (
            step
            * net.choose(
                [2.0 ** net.random.integers(-2, 3, size=shape[rows]), net.random.uniform(0.2, 2, size=shape[rows])]
            )
        ).reshape(spread)
    how = net.choose(["plain", "plain", "plain", "bipolar", "quant", "dequantise", "sign"])
    if how == "bipolar":
        latent = net.const(net.random.standard_normal(shape).round(1))
        return net.ops("BipolarQuant", 1, latent, net.const(float(np.max(step))), domain=QONNX)[0]
    if how == "quant":
        bits = net.choose([2, 3, 4, 8])
        latent, size = net.const(net.random.standard_normal(shape)), net.const(np.float32(2.0 / 2**bits * np.max(step)))
        return net.ops(
            "Quant", 1, latent, size, net.const(0.0), net.const(float(bits)), domain=QONNX, signed=1, narrow=1
        )[0]
    if how == "dequantise" and net.opset >= 13 and np.max(np.abs(whole)) < 128:
        codes = net.const(whole, np.int8)
        if np.ndim(step):
            return net.op(
                "DequantizeLinear",
                codes,
                net.const(np.ravel(step)),
                net.const(np.zeros(np.size(step)), np.int8),
                axis=rows,
            )
        return net.op("DequantizeLinear", codes, net.const(step))
    if how == "sign" and net.opset >= 9:
        latent = net.op("Sign", net.const(net.random.standard_normal(shape).round(1)))
        return net.op("Mul", latent, net.const(step))
    return net.const(np.float32(step) * whole)


def bias(net: Net, x: Tensor, w: Tensor, rows: int) -> Tensor:
    """Give a bias that makes ties likely: halves and whole numbers of the products' step."""
    step = float(np.max(np.abs(w.value))) * float(np.max(np.abs(x.value)))
    if net.chance(0.6):
        return net.const(net.random.integers(-6, 7, size=rows) / net.choose([1, 2, 2]))
    return net.const(step * net.random.standard_normal(rows))


def _window(net: Net, places: tuple[int, ...]) -> dict[str, Any]:
    """Give attributes of a window that fits: asymmetric pads, strides, dilations, auto_pad; defaults left out at times."""
    kernel = [int(net.random.integers(1, min(4, size) + 1)) for size in places]
    found: dict[str, Any] = {"kernel_shape": kernel}
    if net.chance(0.5):
        found["strides"] = [net.choose([1, 1, 2, 3]) for _ in places]
    if net.chance(0.25):
        found["dilations"] = [
            net.choose([1, 2]) if (side - 1) * 2 < size else 1 for side, size in zip(kernel, places, strict=True)
        ]
    if net.chance(0.15):
        found["auto_pad"] = net.choose(["SAME_UPPER", "SAME_LOWER", "VALID"])
    elif net.chance(0.6):
        found["pads"] = (
            [net.choose([0, 1, 1, 2]) for _ in range(2)] * len(places)
            if net.chance(0.4)
            else [net.choose([0, 1]) for _ in range(2 * len(places))]
        )
        spans = [
            (side - 1) * step for side, step in zip(kernel, found.get("dilations", [1] * len(places)), strict=True)
        ]
        found["pads"] = [min(pad, span) for pad, span in zip(found["pads"], spans * 2, strict=True)]
    return found


def _groups(net: Net, channels: int) -> int:
    return net.choose(
        [1, 1, 1, channels, net.choose([count for count in range(1, channels + 1) if channels % count == 0])]
    )


def conv(net: Net, x: Tensor) -> Tensor:
    x = channels_first(net, x)
    if x.rank < 3:
        raise Unsuitable
    attributes = _window(net, x.places)
    group = _groups(net, x.channels)
    rows = group * int(net.random.integers(1, max(2, 7 // group)))
    w = weights(net, (rows, x.channels // group, *attributes["kernel_shape"]))
    if group > 1 or net.chance(0.2):
        attributes["group"] = group
    if net.chance(0.2):
        del attributes["kernel_shape"]
    return net.op("Conv", x, w, *([bias(net, x, w, rows)] if net.chance(0.4) else []), **attributes)


def transposed(net: Net, x: Tensor) -> Tensor:
    x = channels_first(net, x)
    if x.rank not in (3, 4) or np.prod(x.places) > 40:
        raise Unsuitable
    kernel = [int(net.random.integers(1, 5)) for _ in x.places]
    strides = [net.choose([1, 2, 2, 3]) for _ in x.places]
    group, rows = net.choose([1, 1, 1, x.channels]), int(net.random.integers(1, 4))
    attributes: dict[str, Any] = {"kernel_shape": kernel, "strides": strides}
    if net.chance(0.5):
        attributes["pads"] = [int(net.random.integers(0, side)) for side in kernel * 2]
    if net.chance(0.3):
        attributes["output_padding"] = [int(net.random.integers(0, step)) for step in strides]
    if group > 1:
        attributes["group"] = group
    w = weights(net, (x.channels, rows, *kernel), rows=1)
    return net.op("ConvTranspose", x, w, *([bias(net, x, w, rows * group)] if net.chance(0.4) else []), **attributes)


def matmul(net: Net, x: Tensor) -> Tensor:
    """Multiply the last axis by a matrix: channels of maps of channels last, anything of others."""
    x = x if x.rank == 2 else channels_last(net, x)
    rows = int(net.random.integers(1, 9))
    if net.chance(0.2):
        w = net.op("Transpose", weights(net, (rows, x.shape[-1])), perm=[1, 0])
    else:
        w = weights(net, (x.shape[-1], rows), rows=1)
    y = net.op("MatMul", x, w)
    if net.chance(0.4):
        b = bias(net, x, w, rows)
        y = net.op("Add", *net.choose([(y, b), (b, y)]))
    return Tensor(y.name, y.value, last=x.rank > 2)


def gemm(net: Net, x: Tensor) -> Tensor:
    if x.rank != 2:
        raise Unsuitable
    rows, turned = int(net.random.integers(1, 9)), int(net.chance(0.7))
    w = weights(net, (rows, x.shape[1]) if turned else (x.shape[1], rows), rows=1 - turned)
    attributes: dict[str, Any] = {"transB": turned} if turned else {}
    if net.chance(0.3):
        attributes |= {"alpha": net.choose([0.5, -1.0, 0.3]), "beta": net.choose([2.0, 0.5, 0.0, 0.7])}
    c = [bias(net, x, w, net.choose([rows, rows, 1]))] if net.opset < 11 or net.chance(0.6) else []
    return net.op("Gemm", x, w, *c, **attributes)


def einsum(net: Net, x: Tensor) -> Tensor:
    if net.opset < 12 or x.rank not in (2, 3, 4):
        raise Unsuitable
    letters = "nabc"[: x.rank]
    summed = letters[x.axis]
    rows = int(net.random.integers(1, 7))
    out = letters.replace(summed, "d")
    w = weights(net, (rows, x.channels))
    return net.op("Einsum", x, w, equation=f"{letters},d{summed}->{out}")


def _codes_of_weights(net: Net, shape: tuple[int, ...], dtype: Any) -> Tensor:
    whole = np.clip(_whole(net, shape), -127, 127)
    return net.const(whole + (128 if dtype == np.uint8 else 0), dtype)


def qlinear_conv(net: Net, x: Tensor) -> Tensor:
    """QLinearConv: codes to codes, then DequantizeLinear."""
    x = channels_first(net, x)
    if x.rank != 4:
        raise Unsuitable
    codes, scale, zero = quantise_linear(net, x)
    if codes.value.dtype.itemsize > 1:
        raise Unsuitable
    attributes = _window(net, x.places)
    rows = int(net.random.integers(1, 6))
    w = _codes_of_weights(net, (rows, x.channels, *attributes["kernel_shape"]), np.int8)
    steps = 0.01 * (net.random.integers(1, 9, size=rows) if net.chance(0.4) else 3)
    w_scale, w_zero = net.const(steps), net.const(np.zeros(np.shape(steps)), np.int8)
    reach = np.max(np.abs(x.value)) * 127 * np.max(steps) * np.sqrt(w.value[0].size)
    y_scale = net.const(float(f"{reach / net.choose([100, 300]):.2g}"))
    y_zero = net.const(zero.value, zero.value.dtype)
    b = [net.const(net.random.integers(-200, 200, size=rows), np.int32)] if net.chance(0.4) else []
    y = net.op("QLinearConv", codes, scale, zero, w, w_scale, w_zero, y_scale, y_zero, *b, **attributes)
    return net.op("DequantizeLinear", y, y_scale, y_zero)


def qlinear_matmul(net: Net, x: Tensor) -> Tensor:
    if x.rank != 2:
        raise Unsuitable
    codes, scale, zero = quantise_linear(net, x)
    if codes.value.dtype.itemsize > 1:
        raise Unsuitable
    rows = int(net.random.integers(1, 7))
    w = _codes_of_weights(net, (x.shape[1], rows), np.int8)
    step = net.choose([0.01, 1 / 128])
    reach = float(np.max(np.abs(x.value)) * 127 * step)
    y_scale, y_zero = net.const(float(f"{reach / 60:.2g}")), net.const(zero.value, zero.value.dtype)
    y = net.op("QLinearMatMul", codes, scale, zero, w, net.const(step), net.const(0, np.int8), y_scale, y_zero)
    return net.op("DequantizeLinear", y, y_scale, y_zero)


def _integers(net: Net, kind: str, x: Tensor, shape: tuple[int, ...], **attributes: Any) -> Tensor:
    """Sum up codes as int32, then go back to real numbers by a Cast and a scale."""
    codes, scale, zero = quantise_linear(net, x)
    if codes.value.dtype.itemsize > 1:
        raise Unsuitable
    dtype = net.choose([np.int8, np.uint8])
    w, w_zero = _codes_of_weights(net, shape, dtype), net.const(128 if dtype == np.uint8 else 0, dtype)
    y = net.op("Cast", net.op(kind, codes, w, zero, w_zero, **attributes), to=1)
    factor = float(scale.value) * net.choose([1.0, 0.02])
    return net.op("Mul", y, net.const(factor))


def conv_integer(net: Net, x: Tensor) -> Tensor:
    x = channels_first(net, x)
    if x.rank != 4:
        raise Unsuitable
    attributes = _window(net, x.places)
    return _integers(
        net, "ConvInteger", x, (int(net.random.integers(1, 6)), x.channels, *attributes["kernel_shape"]), **attributes
    )


def matmul_integer(net: Net, x: Tensor) -> Tensor:
    if x.rank != 2:
        raise Unsuitable
    return _integers(net, "MatMulInteger", x, (x.shape[1], int(net.random.integers(1, 7))))


def product(net: Net, x: Tensor) -> Tensor:
    """Do one of them."""
    ways = {
        conv: 8, transposed: 1, matmul: 3 if x.rank == 2 or x.last else 0.7, gemm: 5, einsum: 0.7,
        qlinear_conv: 1, conv_integer: 0.7, qlinear_matmul: 1, matmul_integer: 1,
    }  # fmt: skip
    found: Tensor = net.first_suitable(ways, x)
    return found
