"""Networks of attention, one for each seed: tokens, norms, heads, kinds of codes, masks, what becomes of the scores, pools over tokens."""

from __future__ import annotations

import numpy as np

from tests.hostile.net import FRAMES, Net, Tensor, Unsuitable
from tests.hostile.networks import Hostile, loads

__all__ = ["attending"]

FAR = 512.0
"""What a mask takes away from the scores of a token that shall not count."""


def _bipolar(net: Net, *shape: int) -> Tensor:
    return net.const(net.random.choice([-1, 1], size=shape))


def _tokens(net: Net, count: int, width: int) -> Tensor:
    """Take tokens as signs or few bits, or as symbols whose rows of a table and places are added up."""
    kind = net.choose(["bipolar", "bipolar", "ternary", "uint2", "symbols"])
    if kind == "symbols":
        words = int(net.random.integers(2, 20))
        symbols = net.input(net.random.integers(0, words, (FRAMES, count), dtype=np.int64))
        rows = net.op("Gather", net.const(net.random.integers(-2, 3, (words, width))), symbols)
        return _sign(net, net.op("Add", rows, net.const(net.random.integers(-2, 3, (count, width)) + 0.5)))
    low, high = {"bipolar": (0, 1), "ternary": (-1, 1), "uint2": (0, 3)}[kind]
    codes = net.random.integers(low, high, (FRAMES, count, width), endpoint=True)
    codes[0], codes[1] = low, high
    x = net.input((2 * codes - 1 if kind == "bipolar" else codes).astype(np.float32))
    net.options["input_type"][x.name] = kind
    return x


def _sign(net: Net, x: Tensor) -> Tensor:
    """Give +-1 by a comparison, or by Sign, to which 0 is a third."""
    if net.chance(0.2):
        return net.op("Sign", x)
    return net.op("Where", net.op("GreaterOrEqual", x, net.const(0.0)), net.const(1.0), net.const(-1.0))


def _bool(net: Net, x: Tensor, level: float = 0.0) -> Tensor:
    return net.op("Cast", net.op("Greater", x, net.const(level)), to=1)


def _few_bits(net: Net, x: Tensor) -> Tensor:
    return net.op("Floor", net.op("Clip", x, net.const(0.0), net.const(3.0)))


def _elastic(net: Net, x: Tensor, step: float, most: int) -> Tensor:
    """Round to few steps, and leave the scale to what follows."""
    rounded = net.op("Round", net.op("Div", x, net.const(step)))
    return net.op("Clip", rounded, net.const(0.0), net.const(float(most)))


def _normalised(net: Net, x: Tensor) -> Tensor:
    """Normalise each token, and take signs or two bits, so that no root is left."""
    steps = net.choose([0, 0, 0.41, 0.83])
    width = x.shape[2]
    gamma, beta = (net.const(net.random.integers(*span, width) / 4 + 0.125) for span in ((1, 9), (-4, 5)))
    if net.opset >= 17 and net.chance(0.6):
        y = net.op("LayerNormalization", x, gamma, beta, axis=-1, epsilon=net.choose([1e-5, 1e-12]))
        return _elastic(net, y, steps, 3) if steps else _sign(net, y)
    square = net.op("Mul", x, x)
    mean = (
        net.op("ReduceMean", square, axes=[-1], keepdims=1)
        if net.opset < 18
        else net.op("ReduceMean", square, net.const([-1], np.int64), keepdims=1)
    )
    root = net.op("Sqrt", net.op("Add", mean, net.const(1e-5)))
    y = net.op("Add", net.op("Mul", net.op("Div", x, root), gamma), beta)
    return _elastic(net, y, steps, 3) if steps else _sign(net, y)


def _codes(net: Net, x: Tensor, width: int) -> Tensor:
    """A linear function of the tokens, and what makes codes of it."""
    odd = net.random.integers(-3, 4, width) * 2 + (x.shape[2] + 1) % 2
    y = net.op("Add", net.op("MatMul", x, _bipolar(net, x.shape[2], width)), net.const(odd))
    kind = net.choose(["sign", "sign", "bool", "few bits", "signed"])
    if kind == "signed":
        return net.op("Clip", y, net.const(-2.0), net.const(2.0))
    return {"sign": _sign, "bool": _bool, "few bits": _few_bits}[kind](net, y)


def _in_heads(net: Net, x: Tensor, heads: int, order: tuple[int, ...]) -> Tensor:
    """Part the channels of tokens into heads."""
    parted = net.op("Reshape", x, net.const([0, x.shape[1], heads, -1], np.int64))
    return net.op("Transpose", parted, perm=order)


def _masked(net: Net, scores: Tensor) -> Tensor:
    """Keep scores of later tokens, of padding, or of what an input says, from counting."""
    queries, keys = scores.shape[2:]
    kind = net.choose(["none", "none", "causal", "padding", "bias", "input"])
    if kind == "none":
        return scores
    if kind == "input":
        mask = net.input(net.random.integers(0, 2, (FRAMES, 1, 1, keys)).astype(np.float32))
        net.options["input_type"][mask.name] = "uint1"
        return net.op("Add", scores, net.op("Mul", net.op("Sub", mask, net.const(1.0)), net.const(FAR)))
    taken = {
        "causal": np.triu(np.full((queries, keys), -FAR), 1),
        "padding": np.where(np.arange(keys) < max(1, keys - 1), 0, -FAR),
        "bias": net.random.integers(-4, 5, (scores.shape[1], queries, keys)) / 2,
    }[kind]
    return net.op("Add", scores, net.const(taken))


def _decided(net: Net, scores: Tensor) -> Tensor:
    """Leave the scores, make codes of them, or shares, which are looked at or multiplied."""
    kind = net.choose(["none", "sign", "bool", "few bits", "softmax", "share", "elastic"])
    if kind == "none":
        return scores
    if kind in ("softmax", "share", "elastic"):
        shares = net.op("Softmax", scores, axis=-1)
        if kind == "share":
            return _bool(net, shares, net.choose([0.23, 0.4, 0.51]))
        return shares if kind == "softmax" else _elastic(net, shares, net.choose([0.37, 0.21]), net.choose([1, 3]))
    return {"sign": _sign, "bool": _bool, "few bits": _few_bits}[kind](net, net.op("Add", scores, net.const(0.0625)))


def _attention(net: Net, x: Tensor, memory: Tensor, heads: int) -> Tensor:
    """Queries of the tokens, keys and values of the memory, and what the heads say in a row."""
    width = x.shape[2]
    q, k, v = (_codes(net, each, width) for each in (x, memory, memory))
    if net.chance(0.3):
        parted = [net.op("Reshape", each, net.const([0, each.shape[1], heads, -1], np.int64)) for each in (q, k)]
        scores = net.op("Einsum", *parted, equation="bqhd,bkhd->bhqk")
    else:
        scores = net.op("MatMul", _in_heads(net, q, heads, (0, 2, 1, 3)), _in_heads(net, k, heads, (0, 2, 3, 1)))
    if net.chance(0.5):
        scores = net.op("Mul", scores, net.const(net.choose([0.5, 0.25, -1, 0.375])))
    weights = _decided(net, _masked(net, scores))
    said = net.op("MatMul", weights, _in_heads(net, v, heads, (0, 2, 1, 3)))
    return net.op("Reshape", net.op("Transpose", said, perm=(0, 2, 1, 3)), net.const([0, x.shape[1], width], np.int64))


def _tail(net: Net, x: Tensor) -> Tensor:
    """Every token, one of them, or all added up; scores of classes where they are codes."""
    kind = net.choose(["tokens", "first", "sum"])
    if kind == "first":
        x = net.op("Gather", x, net.const(0, np.int64), axis=1)
    elif kind == "sum":
        x = net.op("ReduceSum", x, net.const([1], np.int64), keepdims=0)
    return net.op("MatMul", x, _bipolar(net, x.shape[-1], 3)) if net.chance(0.7) else x


def attending(seed: int) -> Hostile:
    """Give the network of a seed, the same each time."""
    for attempt in range(50):
        net = Net(seed * 64 + attempt)
        net.opset = max(13, net.opset)
        heads, size = (int(net.random.integers(1, high)) for high in (4, 5))
        tokens, keys = (int(net.random.integers(2, 7)) for _ in range(2))
        try:
            x = _tokens(net, tokens, heads * size)
            if net.chance(0.3):
                x = _normalised(net, net.op("MatMul", x, _bipolar(net, heads * size, heads * size)))
            memory = _tokens(net, keys, heads * size) if net.chance(0.25) else x
            y = _attention(net, x, memory, heads)
            exact = not any(node.op_type == "Softmax" for node in net.nodes)
            if net.chance(0.3):
                y = net.op("Add", y, x)
            if exact and net.chance(0.6):
                y = _sign(net, net.op("Add", y, net.const(0.0625)))
            output = _tail(net, y)
        except Unsuitable:
            continue
        if np.all(output.value == output.value[:1]):
            continue
        model = net.model([output])
        if loads(model):
            options = {name: value for name, value in net.options.items() if value}
            frames = {tensor.name: values for tensor, values in net.inputs}
            return Hostile(model, options, frames, {output.name: output.value}, net.made, foreign=False)
    raise ValueError(f"seed {seed} gives no network")
