"""ONNX files of the sizes that the benchmarks ask for, with random +-1 weights and batch norms."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

IR_VERSION = 10
OPSET = 20

CNV_CHANNELS = (64, 64, "pool", 128, 128, "pool", 256, 256)
"""FINN's CNV: 3x3 convolutions without padding, 2x2 pools, then dense 512, 512, 10."""

RESNET18_CHANNELS = (
    64,
    64,
    64,
    64,
    64,
    "pool",
    128,
    128,
    128,
    128,
    "pool",
    256,
    256,
    256,
    256,
    "pool",
    512,
    512,
    512,
    512,
)
"""The convolutions of ResNet-18 in a chain, zero padding of 1, without its shortcuts."""

BIREAL18_CHANNELS = (64, 128, 256, 512)
"""Channels of the four stages of ResNet-18; each has four binary 3x3 convolutions."""


class ModelWriter:
    """Appends layers to an ONNX graph; every layer is followed by a batch norm and a sign.

    Parameters
    ----------
    shape : tuple of int
        Shape of one input frame (channels, height, width) or (features,).
    seed : int
        Seed of all weights.
    """

    def __init__(self, shape: tuple[int, ...], seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.shape = shape
        self.input = helper.make_tensor_value_info("x", TensorProto.FLOAT, ("N", *shape))
        self.value = "x"
        self.weight_bits = 0

    def constant(self, values: np.ndarray) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def node(self, op: str, *constants: np.ndarray, **attributes: object) -> None:
        output = f"value{len(self.nodes)}"
        inputs = [self.value, *(self.constant(values) for values in constants)]
        self.nodes.append(helper.make_node(op, inputs, [output], name=f"{op}_{len(self.nodes)}", **attributes))
        self.value = output

    def weights(self, *shape: int) -> np.ndarray:
        self.weight_bits += int(np.prod(shape))
        return self.random.choice(np.array([-1, 1], dtype=np.float32), size=shape)

    def sign(self, channels: int, spread: float) -> None:
        """Add a batch norm whose statistics suit accumulators of that spread, and x >= 0 ? 1 : -1."""
        draw = self.random.standard_normal
        gamma, beta = draw(channels), draw(channels) * 0.3
        mean, variance = draw(channels) * spread * 0.2 + 0.25, np.full(channels, spread**2)
        self.node("BatchNormalization", *(values.astype(np.float32) for values in (gamma, beta, mean, variance)))
        self.binarize()

    def binarize(self) -> None:
        """Add x >= 0 ? 1 : -1."""
        condition = f"positive{len(self.nodes)}"
        zero, one, minus = (self.constant(np.float32(value)) for value in (0, 1, -1))
        self.nodes.append(
            helper.make_node("GreaterOrEqual", [self.value, zero], [condition], name=f"ge_{len(self.nodes)}")
        )
        self.value = f"value{len(self.nodes)}"
        self.nodes.append(
            helper.make_node("Where", [condition, one, minus], [self.value], name=f"where_{len(self.nodes)}")
        )

    def eight_bit(self, *shape: int) -> np.ndarray:
        """Draw weights of 8 bits, -127 to 127 times one step a filter."""
        return (self.random.integers(-127, 128, size=shape) / (127 * np.prod(shape[1:]) ** 0.5)).astype(np.float32)

    def norm(self, spread: np.ndarray) -> None:
        """Add a batch norm that brings channels of that spread to about 1."""
        draw = self.random.standard_normal
        gamma, beta = 1 + 0.2 * draw(len(spread)), 0.1 * draw(len(spread))
        parameters = gamma, beta, 0.1 * spread * draw(len(spread)), spread**2
        self.node("BatchNormalization", *(values.astype(np.float32) for values in parameters))

    def real_conv(self, channels: int, *, kernel: int, stride: int, spread: float) -> None:
        """Add a convolution with 8-bit weights and its batch norm."""
        depth, height, width = self.shape
        pad = kernel // 2
        weights = self.eight_bit(channels, depth, kernel, kernel)
        self.node("Conv", weights, pads=[pad] * 4, kernel_shape=[kernel] * 2, strides=[stride] * 2)
        self.shape = (channels, (height + 2 * pad - kernel) // stride + 1, (width + 2 * pad - kernel) // stride + 1)
        self.norm(np.full(channels, spread))

    def bireal(self, channels: int, stride: int) -> None:
        """Add ``BN(sign(x) * alpha sign(W)) + shortcut(x)``, the shortcut an average pool and 1x1 where the map is halved."""
        entry, (depth, height, width) = self.value, self.shape
        alpha = self.random.uniform(0.5, 2, size=channels) / (9 * depth) ** 0.5
        self.binarize()
        weights = (self.weights(channels, depth, 3, 3) * alpha[:, None, None, None]).astype(np.float32)
        self.node("Conv", weights, pads=[1] * 4, kernel_shape=[3, 3], strides=[stride] * 2)
        self.norm(alpha * (9 * depth) ** 0.5)
        branch, self.value = self.value, entry
        if stride > 1:
            self.node("AveragePool", kernel_shape=[stride] * 2, strides=[stride] * 2)
            self.shape = (depth, height // stride, width // stride)
            self.real_conv(channels, kernel=1, stride=1, spread=1.0)
        sum_ = f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node("Add", [branch, self.value], [sum_], name=f"Add_{len(self.nodes)}"))
        self.value = sum_

    def dense(self, features: int, *, last: bool = False) -> None:
        columns = int(np.prod(self.shape))
        if len(self.shape) > 1:
            self.node("Flatten", axis=1)
        self.node("MatMul", self.weights(columns, features))
        self.shape = (features,)
        if not last:
            self.sign(features, columns**0.5)

    def conv(self, channels: int, *, kernel: int = 3, pad: int = 0, spread: float | None = None) -> None:
        depth, height, width = self.shape
        self.node("Conv", self.weights(channels, depth, kernel, kernel), pads=[pad] * 4, kernel_shape=[kernel] * 2)
        self.shape = (channels, height + 2 * pad - kernel + 1, width + 2 * pad - kernel + 1)
        self.sign(channels, spread or (depth * kernel**2) ** 0.5)

    def pool(self) -> None:
        channels, height, width = self.shape
        self.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        self.shape = (channels, height // 2, width // 2)

    def convolutions(self, plan: Iterable[int | str], *, pad: int, spread: float) -> None:
        first: float | None = spread
        for entry in plan:
            if entry == "pool":
                self.pool()
            else:
                self.conv(int(entry), pad=pad, spread=first)
                first = None

    def save(self, path: Path) -> int:
        """Write the file; give its weight bits."""
        output = helper.make_tensor_value_info(self.value, TensorProto.FLOAT, ("N", *self.shape))
        graph = helper.make_graph(self.nodes, path.stem, [self.input], [output], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.save(model, path)
        return self.weight_bits


def write_mlp(path: Path, widths: tuple[int, ...], *, seed: int = 0) -> int:
    """Write a dense network that signs its own input: ``widths`` from the input features to the scores."""
    writer = ModelWriter((widths[0],), seed)
    writer.binarize()
    for width in widths[1:-1]:
        writer.dense(width)
    writer.dense(widths[-1], last=True)
    return writer.save(path)


def write_cnv(path: Path, *, seed: int = 0) -> int:
    """Write FINN's CNV topology (1.5 Mbit): 8-bit 32x32 RGB input, to be declared as uint8."""
    writer = ModelWriter((3, 32, 32), seed)
    writer.convolutions(CNV_CHANNELS, pad=0, spread=300.0)
    for features in (512, 512):
        writer.dense(features)
    writer.dense(10, last=True)
    return writer.save(path)


def write_resnet18_sized(path: Path, *, size: int = 32, seed: int = 0) -> int:
    """Write a chain with the weights of ResNet-18 (11 Mbit), to be declared as uint8."""
    writer = ModelWriter((3, size, size), seed)
    writer.convolutions(RESNET18_CHANNELS, pad=1, spread=300.0)
    writer.pool()
    writer.dense(100, last=True)
    return writer.save(path)


def write_bireal18(path: Path, *, size: int = 224, classes: int = 1000, seed: int = 0) -> int:
    """Write a Bi-Real Net of ResNet-18's size (11 Mbit of binary weights), 8-bit RGB input, to be declared as uint8.

    Its first convolution, the 1x1 convolutions of its shortcuts and its last layer have 8-bit weights.
    """
    writer = ModelWriter((3, size, size), seed)
    writer.real_conv(BIREAL18_CHANNELS[0], kernel=7, stride=2, spread=0.3)
    writer.node("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    writer.shape = (writer.shape[0], (writer.shape[1] + 1) // 2, (writer.shape[2] + 1) // 2)
    for stage, channels in enumerate(BIREAL18_CHANNELS):
        for number in range(4):
            writer.bireal(channels, stride=2 if stage and not number else 1)
    writer.node("GlobalAveragePool")
    writer.node("Flatten", axis=1)
    writer.node("Gemm", writer.eight_bit(classes, writer.shape[0]), np.zeros(classes, np.float32), transB=1)
    writer.shape = (classes,)
    return writer.save(path)
