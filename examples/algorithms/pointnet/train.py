"""Train a binary PointNet (Qi et al., 2017; BiPointNet, Qin et al., 2021) on clouds of MNIST's ink.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.pointnet.train``.
"""

from pathlib import Path

import torch
from torch import nn

from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, Rule, quantised
from examples.training.binary import Sign, binarize
from examples.training.record import Input


class LayerScaledSign(Rule):
    """``alpha * Sign(W)`` with one learned alpha a layer: BiPointNet's layer-wise scale recovery, equation 14.

    Parameters
    ----------
    fan_in : int
        Of the layer; the scale starts at one over its root.
    """

    clamped = True

    def __init__(self, fan_in):
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(fan_in**-0.5))

    def forward(self, latent):
        """Return -alpha and +alpha."""
        return self.alpha * binarize(latent)


class ShiftedMax(nn.Module):
    """The largest value over all points less a shift, ``max(Y) - delta``: BiPointNet's EMA-max.

    The sign that follows would be +1 nearly always without it. Delta is a running mean of what halves each channel's
    maxima; it stays fixed in inference.

    Parameters
    ----------
    channels : int
    """

    momentum = 0.1

    def __init__(self, channels):
        super().__init__()
        self.register_buffer("delta", torch.zeros(channels))

    def forward(self, x):
        """Return one value a channel of `x`, [n, channels, points]."""
        largest = x.amax(2)
        if self.training:
            self.delta.lerp_(largest.detach().median(0).values, self.momentum)
        return largest - self.delta


def shared(inputs, outputs, rule):
    """Return a dense layer shared by all points."""
    return quantised(nn.Conv1d(inputs, outputs, 1, bias=False), rule), nn.BatchNorm1d(outputs)


def network():
    """Return the untrained network: a shared perceptron, the maximum over the points, a perceptron."""
    return nn.Sequential(
        *(*shared(2, 32, EightBit()), Sign()),
        *(*shared(32, 64, LayerScaledSign(32)), Sign()),
        *(*shared(64, 96, LayerScaledSign(64)), ShiftedMax(96), Sign()),
        *(quantised(nn.Linear(96, 48, bias=False), LayerScaledSign(96)), nn.BatchNorm1d(48), Sign()),
        quantised(nn.Linear(48, 10), EightBit()),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="64 points of x, y: shared 32 (8-bit weights) - 64 - 96 - global maximum - 48 - 10 (8-bit weights)",
    network=network,
    epochs=4,
    batch=50,
    frames=10_000,
    tested=2000,
    data="mnist_points",
    input=Input(type="int8", scale=1 / 32, offset=0.0, frame_shape=(2, 64)),
    kept=500,
)

if __name__ == "__main__":
    train(RECIPE)
