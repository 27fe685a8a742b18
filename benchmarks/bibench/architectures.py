"""BiBench's architectures, at sizes that compile in a minute: which layers there are, whatever makes them binary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from onnx import TensorProto

from benchmarks.bibench.algorithms import Algorithm, conv, dense
from benchmarks.bibench.writer import Tensor, Writer

__all__ = ["ARCHITECTURES", "Architecture", "write"]

TYPICAL = 4
"""Frames from which norms take their statistics."""

BRANCH = 0.3
"""Spread of a branch beside its shortcut, as training begins with and keeps: else each sign that turns would turn many in the next layer."""


@dataclass(frozen=True)
class Architecture:
    """A network without its algorithm.

    Parameters
    ----------
    name, title, task : str
    frame : tuple of int
        Shape of an input frame.
    input_type : str
        What the host sends.
    input_scale : float
    body : callable
        Writes everything between input and outputs.
    """

    name: str
    title: str
    task: str
    frame: tuple[int, ...]
    input_type: str
    input_scale: float
    body: Callable[[Writer, Algorithm], None]

    def samples(self, seed: int) -> np.ndarray:
        """Draw input codes: `TYPICAL` random frames, then those at the ends of what the input can be."""
        low, high = (0, 255) if self.input_type == "uint8" else (-128, 127)
        random = np.random.default_rng(seed)
        typical = random.integers(low, high, size=(TYPICAL, *self.frame), endpoint=True)
        around = [np.rint(spread * random.standard_normal((1, *self.frame))).clip(low, high) for spread in (32, 128)]
        single = np.zeros((1, *self.frame))
        single.flat[0] = high
        even = [np.full((1, *self.frame), value) for value in (low, high, 0)]
        return np.concatenate([typical, *around, single, *even]).astype(np.int64)


def write(architecture: Architecture, algorithm: Algorithm, *, seed: int = 0) -> Writer:
    """Write a network of an algorithm with random weights."""
    codes = architecture.samples(seed)
    samples = codes if architecture.input_scale == 1 else (codes * architecture.input_scale).astype(np.float32)
    net = Writer(samples, TYPICAL, seed)
    architecture.body(net, algorithm)
    return net


def _block(net: Writer, algorithm: Algorithm, x: Tensor, channels: int, stride: int) -> Tensor:
    """Add ResNet's basic block: two convolutions, and a shortcut round both or round each."""
    for number in range(2):
        step = stride if number == 0 else 1
        if algorithm.shortcut_each or number == 0:
            entry = x
        x = net.norm(conv(net, algorithm, x, channels, 3, stride=step), BRANCH)
        if algorithm.shortcut_each or number == 1:
            x = net.add(x, _shortcut(net, entry, channels, x.shape[2]))
        x = algorithm.nonlinear(net, x, False)
    return x


def _shortcut(net: Writer, x: Tensor, channels: int, size: int) -> Tensor:
    """Add an average pool and a real 1x1 convolution where the map is halved or has other channels."""
    stride = x.shape[2] // size
    if stride > 1:
        x = net.op("AveragePool", x, kernel_shape=[stride] * 2, strides=[stride] * 2)
    return x if x.shape[1] == channels else net.real_conv(x, channels, 1)


def _resnet(net: Writer, algorithm: Algorithm, *, widths: tuple[int, ...], blocks: int, classes: int) -> None:
    x = algorithm.nonlinear(net, net.real_conv(net.input, widths[0], 3), False)
    for stage, channels in enumerate(widths):
        for number in range(blocks):
            x = _block(net, algorithm, x, channels, 2 if stage and number == 0 else 1)
    net.output(net.real_dense(net.flatten(net.op("GlobalAveragePool", x)), classes))


def _vgg_small(net: Writer, algorithm: Algorithm) -> None:
    x = algorithm.nonlinear(net, net.real_conv(net.input, 128, 3), False)
    for channels, pools in ((128, True), (256, False), (256, True), (512, False), (512, True)):
        x = conv(net, algorithm, x, channels, 3)
        if pools:
            x = net.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
        x = algorithm.nonlinear(net, net.norm(x), False)
    net.output(net.real_dense(net.flatten(algorithm.activate(net, x, False)), 10))


def _pointnet(net: Writer, algorithm: Algorithm) -> None:
    """Add PointNet without its transforms: a perceptron shared by all points, the maximum, a perceptron."""
    x = algorithm.nonlinear(net, net.real_conv(net.input, 64, 1), False)
    for channels in (64, 64, 128, 1024):
        x = net.norm(conv(net, algorithm, x, channels, 1))
        if channels < 1024:
            x = algorithm.nonlinear(net, x, False)
    x = net.op("ReduceMax", x, net.constant([2], np.int64), keepdims=0)
    x = net.op(
        "Sub", x, net.parameter(np.median(x.value[:TYPICAL], 0))
    )  # the sign of a maximum would be +1 nearly always
    for features in (512, 256):
        x = algorithm.nonlinear(net, net.norm(dense(net, algorithm, x, features)), True)
    net.output(net.real_dense(algorithm.activate(net, x, True), 40))


def _dfsmn(net: Writer, algorithm: Algorithm, *, channels: int, blocks: int) -> None:
    """Add memory blocks: a projection, taps of each channel over time, and the memory before it."""
    x = algorithm.nonlinear(net, net.real_conv(net.input, channels, 1), False)
    for _ in range(blocks):
        projection = net.norm(conv(net, algorithm, x, channels, 1), BRANCH)
        seen = net.norm(conv(net, algorithm, projection, channels, 9, groups=channels), BRANCH)
        x = algorithm.nonlinear(net, net.add(net.add(x, projection), seen), False)
    net.output(net.real_dense(net.flatten(net.op("GlobalAveragePool", x)), 12))


def _ssd(net: Writer, algorithm: Algorithm, *, anchors: int, classes: int) -> None:
    """Add a small trunk, and heads of boxes and classes on its last three maps, laid behind one another."""
    x = algorithm.nonlinear(net, net.real_conv(net.input, 32, 3), False)
    found: tuple[list[Tensor], list[Tensor]] = ([], [])
    for channels, stride in ((64, 2), (128, 2), (128, 2), (128, 2)):
        x = algorithm.nonlinear(net, net.norm(conv(net, algorithm, x, channels, 3, stride=stride)), False)
        if x.shape[2] > 8:
            continue
        for heads, size in zip(found, (4, classes), strict=True):
            head = net.op("Transpose", net.head(algorithm.activate(net, x, False), anchors * size), perm=[0, 2, 3, 1])
            heads.append(net.reshape(head, anchors * x.shape[2] * x.shape[3], size))
    for heads in found:
        net.output(net.op("Concat", *heads, axis=1))


def _bert(net: Writer, algorithm: Algorithm, *, width: int, heads: int, layers: int, classes: int) -> None:
    """Add an encoder: embeddings of tokens and places, layers of bool attention (BiBERT) and a perceptron, the first token's scores."""
    table = net.parameter(net.random.standard_normal((VOCABULARY, width)))
    places = net.parameter(net.random.standard_normal((net.input.shape[1], width)))
    x = net.layer_norm(net.add(net.op("Gather", table, net.input), places))
    for _ in range(layers):
        x = net.layer_norm(net.add(x, _attention(net, algorithm, x, heads)))
        hidden = net.op("Gelu", net.shifted(dense(net, algorithm, x, 4 * width)))
        x = net.layer_norm(net.add(x, net.shifted(dense(net, algorithm, net.centred(hidden), width))))
    first = net.op("Gather", x, net.constant(0, np.int64), axis=1)
    net.output(net.real_dense(first, classes))


def _attention(net: Writer, algorithm: Algorithm, x: Tensor, heads: int) -> Tensor:
    """Add attention of signs: a token attends to those whose score is above the threshold of its head."""
    tokens, width = x.shape[1:]
    query, key, value = (
        net.op(
            "Transpose",
            net.reshape(net.sign(net.shifted(dense(net, algorithm, x, width))), tokens, heads, width // heads),
            perm=perm,
        )
        for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
    )
    scores = net.op("MatMul", query, key)
    threshold = net.parameter(np.median(scores.value, (0, 2, 3)).reshape(-1, 1, 1) + 0.5)
    attended = net.op("Cast", net.op("Greater", scores, threshold), to=TensorProto.FLOAT)
    net.counts.binary_macs += 2 * tokens * tokens * width
    context = net.op("Transpose", net.op("MatMul", attended, value), perm=[0, 2, 1, 3])
    context = net.centred(net.reshape(context, tokens, width))
    return net.shifted(dense(net, algorithm, context, width))


VOCABULARY = 256

ARCHITECTURES = {
    each.name: each
    for each in (
        Architecture(
            "resnet20",
            "ResNet-20",
            "images 32x32",
            (3, 32, 32),
            "uint8",
            1 / 256,
            partial(_resnet, widths=(16, 32, 64), blocks=3, classes=10),
        ),
        Architecture(
            "resnet18",
            "ResNet-18",
            "images 32x32",
            (3, 32, 32),
            "uint8",
            1 / 256,
            partial(_resnet, widths=(64, 128, 256, 512), blocks=2, classes=10),
        ),
        Architecture("vgg_small", "VGG-small", "images 32x32", (3, 32, 32), "uint8", 1 / 256, _vgg_small),
        Architecture("pointnet", "PointNet", "256 points", (3, 256), "int8", 1 / 64, _pointnet),
        Architecture(
            "dfsmn", "DFSMN", "speech, 32 steps", (40, 32), "int8", 1 / 64, partial(_dfsmn, channels=64, blocks=8)
        ),
        Architecture(
            "bert",
            "BERT-like",
            "32 tokens",
            (32,),
            "uint8",
            1,
            partial(_bert, width=64, heads=4, layers=2, classes=2),
        ),
        Architecture(
            "ssd", "SSD head", "boxes, 64x64", (3, 64, 64), "uint8", 1 / 256, partial(_ssd, anchors=4, classes=21)
        ),
    )
}
