"""The eight algorithms that BiBench judges, as their networks look after export; see docs/algorithms for the equations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from benchmarks.bibench.writer import Tensor, Writer

__all__ = ["ALGORITHMS", "BASELINE", "Algorithm", "conv", "dense"]


class Weights(Protocol):
    """Turns latent weights, filters first, into what the file holds."""

    def __call__(self, latent: np.ndarray) -> np.ndarray: ...


def _signs(latent: np.ndarray) -> np.ndarray:
    return np.where(latent >= 0, 1.0, -1.0)


def _per_filter(latent: np.ndarray) -> np.ndarray:
    """Give alpha sign(W), alpha the mean magnitude of each filter."""
    return np.abs(latent).mean(tuple(range(1, latent.ndim)), keepdims=True) * _signs(latent)


def _per_layer(latent: np.ndarray) -> np.ndarray:
    """Give E|W| sign(W), one scale a layer (DoReFa-Net, equation 8)."""
    return np.abs(latent).mean() * _signs(latent)


def _recu(latent: np.ndarray, tau: float = 0.99) -> np.ndarray:
    """Give alpha sign(ReCU(W)) of the standardised weights, whose tails are pulled in to the quantiles 1 - tau and tau."""
    standard = (latent - latent.mean()) / latent.std()
    low, high = np.quantile(standard, [1 - tau, tau])
    bounded = standard.clip(low, high)
    return np.abs(bounded).mean(tuple(range(1, latent.ndim)), keepdims=True) * _signs(bounded)


def _eight_bits(latent: np.ndarray) -> np.ndarray:
    step = np.abs(latent).max(tuple(range(1, latent.ndim)), keepdims=True) / 127
    return np.round(latent / step) * step


def _sign(net: Writer, x: Tensor, channels_last: bool) -> Tensor:
    return net.sign(x)


def _shape(x: Tensor, channels_last: bool) -> tuple[int, ...]:
    """Give the shape of a constant with a value for each channel."""
    return (x.shape[-1],) if channels_last else (x.shape[1], *[1] * (x.value.ndim - 2))


def _rsign(net: Writer, x: Tensor, channels_last: bool) -> Tensor:
    """Give ReActNet's sign, shifted by a learned number for each channel."""
    return net.sign(net.add(x, net.parameter(0.3 * net.random.standard_normal(_shape(x, channels_last)))))


def _one_bit(net: Writer, x: Tensor, channels_last: bool) -> Tensor:
    """Give DoReFa-Net's quantize_k(clip(x, 0, 1)) of one bit: 0 or 1."""
    return net.op("Round", net.op("Clip", x, net.constant(0), net.constant(1)))


def _int8(net: Writer, x: Tensor, channels_last: bool) -> Tensor:
    scale, zero = net.constant(np.abs(x.value).max() / 127), net.constant(0, np.int8)
    return net.op("DequantizeLinear", net.op("QuantizeLinear", x, scale, zero), scale, zero)


def _same(net: Writer, x: Tensor, channels_last: bool = False) -> Tensor:
    return x


def _hardtanh(net: Writer, x: Tensor, channels_last: bool = False) -> Tensor:
    return net.hardtanh(x)


def _rprelu(net: Writer, x: Tensor, channels_last: bool = False) -> Tensor:
    """Give x - gamma + zeta where x > gamma, else beta (x - gamma) + zeta, all by channel."""
    shape = _shape(x, channels_last)
    gamma, zeta = (net.parameter(0.2 * net.random.standard_normal(shape)) for _ in range(2))
    slope = net.parameter(net.random.uniform(0.1, 0.5, size=shape))
    return net.add(net.op("PRelu", net.op("Sub", x, gamma), slope), zeta)


Step = Callable[[Writer, Tensor, bool], Tensor]


@dataclass(frozen=True)
class Algorithm:
    """How an algorithm makes a layer's product binary.

    Parameters
    ----------
    name, title : str
        On the command line and in JSON; in tables.
    weights : Weights
    activate : Step
        In front of the product.
    nonlinear : Step
        Behind norm and shortcut.
    input_scale : bool
        XNOR-Net: the product is multiplied with K, the mean magnitude of what it sees.
    output_scale : bool
        XNOR-Net++: with alpha of the channel times beta and gamma of the place.
    shortcut_each : bool
        A shortcut round each convolution, not round each two.
    bits : int
        Of weights and activations: 1, or 8 in the network that the others are compared with.
    """

    name: str
    title: str
    weights: Weights
    activate: Step = _sign
    nonlinear: Step = _same
    input_scale: bool = False
    output_scale: bool = False
    shortcut_each: bool = False
    bits: int = 1


ALGORITHMS = {
    each.name: each
    for each in (
        Algorithm("bnn", "BNN", _signs, nonlinear=_hardtanh),
        Algorithm("xnor", "XNOR-Net", _per_filter, input_scale=True),
        Algorithm("dorefa", "DoReFa", _per_layer, _one_bit),
        Algorithm("bireal", "Bi-Real", _per_filter, shortcut_each=True),
        Algorithm("xnorpp", "XNOR++", _signs, output_scale=True),
        Algorithm("reactnet", "ReActNet", _per_filter, _rsign, _rprelu, shortcut_each=True),
        Algorithm("recu", "ReCU", _recu, nonlinear=_hardtanh),
        Algorithm("fda", "FDA", _per_filter),
    )
}

BASELINE = Algorithm("int8", "8 bits", _eight_bits, _int8, _hardtanh, bits=8)
"""The same network with weights and activations of 8 bits, in the place of BiBench's float network, which no device here holds."""


def _count(net: Writer, algorithm: Algorithm, weights: int, macs: int) -> None:
    if algorithm.bits == 1:
        net.counts.binary_weights += weights
        net.counts.binary_macs += macs
    else:
        net.counts.real_weights += weights
        net.counts.real_macs += macs


def conv(
    net: Writer, algorithm: Algorithm, x: Tensor, channels: int, kernel: int, *, stride: int = 1, groups: int = 1
) -> Tensor:
    """Add an algorithm's convolution of any rank, padded to the size of its input; norms come after it.

    Parameters
    ----------
    net : Writer
    algorithm : Algorithm
    x : Tensor
        Real maps.
    channels, kernel, stride, groups : int
    """
    places, depth = x.value.ndim - 2, x.shape[1] // groups
    window = {
        "kernel_shape": [kernel] * places,
        "strides": [stride] * places,
        "pads": [(kernel - 1) // 2] * places + [kernel // 2] * places,
    }
    latent = net.random.standard_normal((channels, depth, *[kernel] * places)) / (depth * kernel**places) ** 0.5
    y = net.op(
        "Conv",
        algorithm.activate(net, x, False),
        net.constant(algorithm.weights(latent)),
        group=groups,
        **window,
    )
    _count(net, algorithm, latent.size, y.value[0].size * depth * kernel**places)
    if algorithm.input_scale:
        magnitude = net.op("Abs", x)
        if groups == 1:
            magnitude = net.op("ReduceMean", magnitude, net.constant([1], np.int64), keepdims=1)
        box = net.constant(np.full((groups, 1, *[kernel] * places), kernel**-places))
        scale = net.op("Conv", magnitude, box, group=groups, **window)
        net.counts.real_macs += x.value[0].size + scale.value[0].size * kernel**places + y.value[0].size
        y = net.op("Mul", y, scale)
    if algorithm.output_scale:
        sizes = y.shape[1:]
        factors = [net.random.uniform(0.5, 1.5, size=size).round(2) for size in sizes]
        net.counts.real_weights += sum(sizes)
        net.counts.real_macs += y.value[0].size
        gamma = factors[0] / (depth * kernel**places) ** 0.5
        for each in factors[1:]:
            gamma = gamma[..., None] * each
        y = net.op("Mul", y, net.constant(gamma))
    return y


def dense(net: Writer, algorithm: Algorithm, x: Tensor, features: int) -> Tensor:
    """Add an algorithm's dense layer, of vectors or of each token of a sequence (channels last)."""
    rows = x.shape[-1]
    latent = net.random.standard_normal((features, rows)) / rows**0.5
    y = net.op("MatMul", algorithm.activate(net, x, True), net.constant(algorithm.weights(latent).T))
    _count(net, algorithm, latent.size, y.value[0].size * rows)
    if algorithm.input_scale:
        magnitude = net.op("ReduceMean", net.op("Abs", x), net.constant([-1], np.int64), keepdims=1)
        net.counts.real_macs += x.value[0].size + y.value[0].size
        y = net.op("Mul", y, magnitude)
    if algorithm.output_scale:
        net.counts.real_macs += y.value[0].size
        scale = net.random.uniform(0.5, 1.5, size=features).round(2) / rows**0.5
        if y.value.ndim == 3:
            scale = net.random.uniform(0.5, 1.5, size=(y.shape[1], 1)).round(2) * scale
            net.counts.real_weights += y.shape[1]
        net.counts.real_weights += features
        y = net.op("Mul", y, net.constant(scale))
    return y
