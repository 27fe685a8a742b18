"""ONNX files of published networks at the sizes that were published, with random weights; layers that are not binary have 8-bit weights and activations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.models import ModelWriter, write_bireal18

RESNET34 = ((64, 3), (128, 4), (256, 6), (512, 3))
"""Channels of the four stages of ResNet-34, and blocks of two convolutions in each."""

PIXELS = {"input_type": "uint8", "input_scale": 1 / 255}


@dataclass(frozen=True)
class Real:
    """A network of the size table.

    Parameters
    ----------
    write : callable
        Writes the file; gives its weights.
    declared : dict
        Options of `hwgen.read`.
    target_fps : float or None
        At 100 MHz.
    """

    write: Callable[[Path], int]
    declared: dict[str, object]
    target_fps: float | None = None


class RealWriter(ModelWriter):
    """Appends layers of published networks.

    Every weight is counted, whatever its bits.
    """

    def eight_bit(self, *shape: int) -> np.ndarray:
        self.weight_bits += int(np.prod(shape))
        return super().eight_bit(*shape)

    def quantised(self, step: float) -> None:
        """Add a ReLU and its 8 bits."""
        self.node("Relu")
        self.node("QuantizeLinear", np.float32(step), np.uint8(0))
        self.node("DequantizeLinear", np.float32(step), np.uint8(0))

    def conv8(self, channels: int, kernel: tuple[int, ...], pad: int = 0, *, norm: bool = False) -> None:
        """Add a convolution of 8-bit weights and inputs; with ``norm``, its batch norm."""
        depth, *sizes = self.shape
        weights = self.eight_bit(channels, depth, *kernel)
        bias = [] if norm else [(0.05 * self.random.standard_normal(channels)).astype(np.float32)]
        self.node("Conv", weights, *bias, pads=[pad] * 2 * len(kernel), kernel_shape=list(kernel))
        self.shape = (channels, *(size + 2 * pad - one + 1 for size, one in zip(sizes, kernel, strict=True)))
        if norm:
            self.norm(np.full(channels, 0.3))

    def pool_of(self, kernel: tuple[int, ...], op: str = "MaxPool") -> None:
        """Add a pool whose windows do not overlap."""
        self.node(op, kernel_shape=list(kernel), strides=list(kernel))
        self.shape = (self.shape[0], *(size // one for size, one in zip(self.shape[1:], kernel, strict=True)))

    def dense8(self, features: int) -> None:
        """Add a dense layer of 8-bit weights."""
        if len(self.shape) > 1:
            self.node("Flatten", axis=1)
        columns = int(np.prod(self.shape))
        bias = (0.05 * self.random.standard_normal(features)).astype(np.float32)
        self.node("Gemm", self.eight_bit(features, columns), bias, transB=1)
        self.shape = (features,)


def write_lenet5(path: Path) -> int:
    """Write LeNet-5, 8-bit weights and activations, 28 x 28."""
    net = RealWriter((1, 28, 28))
    for channels, pad in ((6, 2), (16, 0)):
        net.conv8(channels, (5, 5), pad)
        net.quantised(1 / 64)
        net.pool_of((2, 2))
    for features in (120, 84):
        net.dense8(features)
        net.quantised(1 / 64)
    net.dense8(10)
    return net.save(path)


def write_espcn(path: Path) -> int:
    """Write ESPCN for three times the size, 8-bit weights and activations, 64 x 64 of one channel."""
    net = RealWriter((1, 64, 64))
    for channels, kernel in ((64, 5), (32, 3)):
        net.conv8(channels, (kernel, kernel), kernel // 2)
        net.quantised(1 / 64)
    net.conv8(9, (3, 3), 1)
    net.node("DepthToSpace", blocksize=3)
    net.shape = (1, 192, 192)
    return net.save(path)


def write_vgg10(path: Path) -> int:
    """Write the VGG10 of RadioML 2018.01A: 1024 samples of I and Q, seven convolutions, 8-bit weights and activations."""
    net = RealWriter((2, 1024))
    for _ in range(7):
        net.conv8(64, (3,), 1, norm=True)
        net.quantised(1 / 64)
        net.pool_of((2,))
    for features in (128, 128):
        net.dense8(features)
        net.norm(np.full(features, 0.3))
        net.quantised(1 / 64)
    net.dense8(24)
    return net.save(path)


def _stem(net: RealWriter) -> None:
    net.real_conv(64, kernel=7, stride=2, spread=0.3)
    net.node("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    net.shape = (net.shape[0], (net.shape[1] + 1) // 2, (net.shape[2] + 1) // 2)


def _head(net: RealWriter, classes: int) -> None:
    net.node("GlobalAveragePool")
    net.shape = net.shape[:1]
    net.node("Flatten", axis=1)
    net.dense8(classes)


def write_resnet34(path: Path, *, size: int = 224, classes: int = 1000) -> int:
    """Write a Bi-Real Net of ResNet-34's layers."""
    net = RealWriter((3, size, size))
    _stem(net)
    for stage, (channels, blocks) in enumerate(RESNET34):
        for number in range(2 * blocks):
            net.bireal(channels, stride=2 if stage and not number else 1)
    _head(net, classes)
    return net.save(path)


NETWORKS = {
    "lenet5": Real(write_lenet5, PIXELS),
    "espcn": Real(write_espcn, PIXELS),
    "vgg10": Real(write_vgg10, {"input_type": "int8", "input_scale": 1 / 128}),
    "bireal18_64": Real(lambda path: write_bireal18(path, size=64), PIXELS, 1225),
    "bireal18": Real(write_bireal18, PIXELS, 100),
    "resnet34": Real(write_resnet34, PIXELS, 50),
}
"""The networks of the table; a target of None is what a user who says nothing gets."""
