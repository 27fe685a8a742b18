"""Train a binary segmentation network with transposed convolutions: each pixel gets the digit whose ink it is.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.segmentation.train``.
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from examples.algorithms.activations import ApproxSign
from examples.algorithms.train import PIXELS, Recipe, train
from examples.algorithms.weights import EightBit, ScaledSign, quantised
from examples.training.record import Input

CLASS_WEIGHTS = torch.tensor([0.3, *[1.0] * 10])
"""Most pixels are background."""


def stage(layer, axis=0):
    """Return a binary layer without bias, its batch norm and sign."""
    return nn.Sequential(quantised(layer, ScaledSign(axis)), nn.BatchNorm2d(layer.out_channels), ApproxSign())


class Segmentation(nn.Module):
    """An encoder halves the map twice, a decoder of transposed convolutions doubles it twice.

    The decoder's second layer also sees the encoder's map of the same size, concatenated.
    """

    def __init__(self):
        super().__init__()
        first = quantised(nn.Conv2d(1, 16, 3, padding=1, bias=False), EightBit())
        self.first = nn.Sequential(first, nn.BatchNorm2d(16), ApproxSign())
        self.down = stage(nn.Conv2d(16, 24, 3, stride=2, padding=1, bias=False))
        self.deep = stage(nn.Conv2d(24, 32, 3, stride=2, padding=1, bias=False))
        self.deeper = stage(nn.Conv2d(32, 32, 3, padding=1, bias=False))
        self.up = stage(nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1, bias=False), axis=1)
        self.top = stage(nn.ConvTranspose2d(40, 16, 2, stride=2, bias=False), axis=1)
        self.scores = quantised(nn.Conv2d(16, 11, 1), EightBit())

    def forward(self, x):
        """Return the scores of 11 classes for each pixel of `x`."""
        halved = self.down(self.first(x))
        up = self.up(self.deeper(self.deep(halved)))
        return self.scores(self.top(torch.cat([halved, up], 1)))


class Labelled(nn.Module):
    """The best class of each pixel.

    Parameters
    ----------
    model : nn.Module
    """

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        """Return a class for each pixel of `x`."""
        return self.model(x).argmax(1)


def loss(scores, labels):
    """Return the cross entropy of all pixels, the background's with less weight."""
    return functional.cross_entropy(scores, labels, weight=CLASS_WEIGHTS)


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="16C3 (8-bit weights) - 24C3/2 - 32C3/2 - 32C3 - 16T4/2, + the 24 - 16T2/2 - 11C1 (8-bit weights) - argmax",
    network=Segmentation,
    data="mnist_cluttered",
    input=Input(**PIXELS, frame_shape=(1, 32, 32)),
    frames=2_500,
    tested=500,
    epochs=4,
    batch=20,
    kept=100,
    loss=loss,
    prepare=Labelled,
)

if __name__ == "__main__":
    train(RECIPE)
