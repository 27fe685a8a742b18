"""Train a binary PointNet with both T-Nets (Qi et al., 2017, section 4.2) on clouds of solids turned at random.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.pointnet_tnet.train``.
"""

from pathlib import Path

import torch
from torch import nn

from examples.algorithms.activations import Steps, approx_sign
from examples.algorithms.pointnet.train import LayerScaledSign, ShiftedMax, shared
from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, quantised
from examples.training.binary import Sign
from examples.training.record import Input

FEATURES, POINTS = 16, 64


class TNet(nn.Module):
    """A small PointNet that answers a matrix for each cloud: the identity at first, as published.

    Parameters
    ----------
    channels : int
        Of the points, which the matrix has as rows and columns.
    first : Rule
        Of the first layer's weights; the last layer's have 8 bits.
    bits : int
        Of the matrix; its range is -4 to 4.
    """

    def __init__(self, channels, first, bits):
        super().__init__()
        self.channels = channels
        self.narrow = Steps(2 ** (bits - 3), bits)
        self.points = nn.Sequential(
            *(*shared(channels, 32, first), Sign()),
            *(*shared(32, 64, LayerScaledSign(32)), ShiftedMax(64), Sign()),
            *(quantised(nn.Linear(64, 32, bias=False), LayerScaledSign(64)), nn.BatchNorm1d(32), Sign()),
        )
        matrix = nn.Linear(32, channels * channels)
        with torch.no_grad():
            matrix.weight.mul_(0.1)
            matrix.bias.zero_()
        self.matrix = quantised(matrix, EightBit())

    def forward(self, x):
        """Return the matrices of the clouds `x`, [n, channels, points]."""
        matrix = self.matrix(self.points(x)).reshape(-1, self.channels, self.channels)
        return self.narrow(matrix + torch.eye(self.channels))


def times(x, matrix):
    """Return the points of `x`, [n, channels, points], times a matrix each."""
    return torch.matmul(x.transpose(1, 2), matrix).transpose(1, 2)


class PointNet(nn.Module):
    """PointNet as published: the points are turned by a matrix, then their features by another.

    The points are of 8 bits before and after their matrix, which has 8 bits too; the features are signs and theirs has 4 bits.
    """

    def __init__(self):
        super().__init__()
        self.turn, self.narrow = TNet(3, EightBit(), 8), Steps(32, 8)
        self.near = nn.Sequential(
            *shared(3, 32, EightBit()), Sign(), *shared(32, FEATURES, LayerScaledSign(32)), Sign()
        )
        self.mix = TNet(FEATURES, LayerScaledSign(FEATURES), 4)
        self.mixed = nn.BatchNorm1d(FEATURES)
        self.rest = nn.Sequential(
            *(*shared(FEATURES, 64, LayerScaledSign(FEATURES)), Sign()),
            *(*shared(64, 128, LayerScaledSign(64)), ShiftedMax(128), Sign()),
            *(quantised(nn.Linear(128, 48, bias=False), LayerScaledSign(128)), nn.BatchNorm1d(48), Sign()),
            quantised(nn.Linear(48, 5), EightBit()),
        )

    def forward(self, x):
        """Return the scores of clouds `x`, [n, 3, points]."""
        turned = self.narrow(times(x, self.turn(x)))
        near = self.near(turned)
        return self.rest(approx_sign(self.mixed(times(near, self.mix(near)))))


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="64 points - T-Net 3 x 3 (8 bits) - shared 32 - 16 - T-Net 16 x 16 (4 bits) - 64 - 128 - global maximum - 48 - 5",
    network=PointNet,
    epochs=12,
    learning_rate=0.01,
    batch=50,
    frames=6000,
    tested=2000,
    kept=500,
    data="solids",
    input=Input(type="int8", scale=1 / 32, offset=0.0, frame_shape=(3, POINTS)),
)

if __name__ == "__main__":
    train(RECIPE)
