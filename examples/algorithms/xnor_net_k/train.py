"""Train an XNOR-Net (Rastegari et al., 2016) whose graph computes K, the scale of the input, in each frame.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.xnor_net_k.train``.
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, ScaledSign, quantised
from examples.training.binary import binarize


class XnorConv(nn.Conv2d):
    """``(Sign(I) * Sign(W)) . K alpha``, equation 11: K = A * k, A the mean of |I| over its channels, k a box filter."""

    def __init__(self, in_channels, out_channels, kernel_size, padding=0):
        super().__init__(in_channels, out_channels, kernel_size, padding=padding, bias=False)
        self.register_buffer("box", torch.full((1, 1, kernel_size, kernel_size), 1 / kernel_size**2))
        quantised(self, ScaledSign())

    def forward(self, x):
        """Return the maps of `x`, real numbers [n, in_channels, height, width]."""
        magnitude = x.abs().mean(1, keepdim=True)
        scale = functional.conv2d(magnitude, self.box, padding=self.padding)
        return functional.conv2d(binarize(x), self.weight, padding=self.padding) * scale


def network():
    """Return the untrained network; its blocks go norm, binary convolution with K, pool."""
    return nn.Sequential(
        *(quantised(nn.Conv2d(1, 16, 3, bias=False), EightBit()), nn.BatchNorm2d(16)),
        *(XnorConv(16, 16, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(16)),
        *(XnorConv(16, 32, 3), nn.BatchNorm2d(32), nn.ReLU()),
        *(nn.Flatten(), quantised(nn.Linear(32 * 4 * 4, 10), EightBit())),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="16C3 (8-bit weights) - 16C3 with K - MP2 - 32C3 with K - 10 (8-bit weights)",
    network=network,
    epochs=3,
    batch=50,
    tested=2000,
    frames=10_000,
)

if __name__ == "__main__":
    train(RECIPE)
