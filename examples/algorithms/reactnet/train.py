"""Train a ReActNet (Liu et al., 2020): RSign, RPReLU, duplicated channels, shortcuts by average pooling.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.reactnet.train``.
"""

from pathlib import Path

import torch
from torch import nn

from examples.algorithms.activations import ApproxSign
from examples.algorithms.bireal.train import MagnitudeAwareSign
from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, quantised


class Shift(nn.Module):
    """``x + shift`` with a learned shift for each channel.

    Parameters
    ----------
    channels : int
    """

    def __init__(self, channels):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x):
        """Return the shifted maps of `x`."""
        return x + self.shift


class RSign(Shift):
    """``+1 where x > alpha, else -1`` with a learned alpha for each channel (equation 4)."""

    def __init__(self, channels):
        super().__init__(channels)
        self.sign = ApproxSign()

    def forward(self, x):
        """Return the signs of `x`."""
        return self.sign(super().forward(x))


def rprelu(channels):
    """Return ``x - gamma + zeta where x > gamma, else beta (x - gamma) + zeta``, all per channel (equation 5)."""
    return nn.Sequential(Shift(channels), nn.PReLU(channels), Shift(channels))


def convolution(inputs, outputs, kernel, stride=1):
    """Return a binary convolution and its batch norm."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
    return nn.Sequential(quantised(layer, MagnitudeAwareSign()), nn.BatchNorm2d(outputs))


class Block(nn.Module):
    """The paper's figure 3: 3x3 and 1x1 binary convolutions, each with a shortcut and an RPReLU.

    Where channels double, the 1x1 stage runs twice on the same signs and its results are concatenated.

    Parameters
    ----------
    inputs, outputs, stride : int
    """

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.sign = RSign(inputs)
        self.spatial = convolution(inputs, inputs, 3, stride)
        self.pool = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        self.activation = rprelu(inputs)
        self.pointwise_sign = RSign(inputs)
        self.pointwise = nn.ModuleList(convolution(inputs, inputs, 1) for _ in range(outputs // inputs))
        self.pointwise_activation = rprelu(outputs)

    def forward(self, x):
        """Return the real maps of real maps `x`."""
        x = self.activation(self.spatial(self.sign(x)) + self.pool(x))
        signs = self.pointwise_sign(x)
        branches = [branch(signs) + x for branch in self.pointwise]
        return self.pointwise_activation(torch.cat(branches, 1) if len(branches) > 1 else branches[0])


def network():
    """Return the untrained network; first and last layer have 8-bit weights."""
    return nn.Sequential(
        *(quantised(nn.Conv2d(1, 8, 3, padding=1, bias=False), EightBit()), nn.BatchNorm2d(8)),
        *(Block(8, 16), Block(16, 32, stride=2), Block(32, 32)),
        *(nn.AvgPool2d(7), nn.Flatten(), quantised(nn.Linear(32, 10), EightBit())),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="8C3 (8-bit weights) - blocks of 16, 32/2, 32 - global average - 10 (8-bit weights)",
    network=network,
    epochs=3,
    batch=50,
    tested=2000,
    frames=10_000,
    negative=0.0,
    kept=300,
    dynamo=True,
)

if __name__ == "__main__":
    train(RECIPE)
