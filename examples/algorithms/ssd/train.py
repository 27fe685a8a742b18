"""Train a binary detector with heads of two scales (SSD, Liu et al., 2016) on scenes of MNIST's digits.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.ssd.train``.
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from examples.algorithms.activations import ApproxSign, Steps
from examples.algorithms.train import PIXELS, Recipe, train
from examples.algorithms.weights import EightBit, ScaledSign, quantised
from examples.data.boxes import CLASSES, encode
from examples.data.derive import SCENE
from examples.training.record import Input

OUTPUTS = 1 + CLASSES + 4
BACKGROUND = 0.15
"""Weight of a cell without a box in the loss."""


def stage(inputs, outputs, stride, rule):
    """Return a convolution, its batch norm and sign."""
    layer = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(quantised(layer, rule), nn.BatchNorm2d(outputs), ApproxSign())


class Detector(nn.Module):
    """Two maps of features, each with a head that tells of each cell a class and how a box lies about it."""

    def __init__(self):
        super().__init__()
        first = nn.Sequential(stage(1, 12, 2, EightBit()), stage(12, 24, 2, ScaledSign()))
        self.near = nn.Sequential(first, stage(24, 32, 1, ScaledSign()), stage(32, 32, 1, ScaledSign()))
        self.far = nn.Sequential(stage(32, 48, 2, ScaledSign()), stage(48, 48, 1, ScaledSign()))
        heads = (nn.Conv2d(32, OUTPUTS, 3, padding=1), nn.Conv2d(48, OUTPUTS, 3, padding=1))
        self.heads = nn.ModuleList(quantised(head, EightBit()) for head in heads)
        self.narrow = Steps(16, 8)

    def forward(self, x):
        """Return the scores of 11 classes and four offsets of each cell of both maps, in sixteenths: [n, 15, cells]."""
        near = self.near(x)
        maps = (near, self.far(near))
        told = [self.narrow(head(each)).flatten(2) for head, each in zip(self.heads, maps, strict=True)]
        return torch.cat(told, 2)


def loss(outputs, boxes):
    """Return SSD's loss: cross entropy of all cells, background's with less weight, and smooth L1 of the offsets where a box is."""
    classes, offsets = (torch.tensor(part) for part in encode(boxes.numpy()))
    weights = torch.tensor([BACKGROUND, *[1.0] * CLASSES])
    wrong = functional.cross_entropy(outputs[:, : 1 + CLASSES], classes, weight=weights)
    there = (classes > 0)[:, None].expand_as(offsets)
    return wrong + functional.smooth_l1_loss(outputs[:, 1 + CLASSES :][there], offsets[there])


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="12C3/2 (8-bit weights) - 24C3/2 - 32C3 - 32C3, a head of 15C3 - 48C3/2 - 48C3, a head of 15C3 (8-bit weights)",
    network=Detector,
    data="mnist_scenes",
    input=Input(**PIXELS, frame_shape=(1, SCENE, SCENE)),
    frames=4000,
    tested=1000,
    epochs=8,
    batch=20,
    kept=200,
    loss=loss,
)

if __name__ == "__main__":
    train(RECIPE)
