"""Train a binary PointNet that tells which of five solids each point is on (segmentation; Qi et al., 2017).

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.pointnet_parts.train``.
"""

from pathlib import Path

import torch
from torch import nn

from examples.algorithms.pointnet.train import LayerScaledSign, ShiftedMax, shared
from examples.algorithms.segmentation.train import Labelled
from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, quantised
from examples.training.binary import Sign
from examples.training.record import Input

POINTS, LOCAL, SHARED, CLASSES = 64, 64, 128, 5


class Parts(nn.Module):
    """The global vector of a cloud is put beside the features of each point; a shared perceptron judges both."""

    def __init__(self):
        super().__init__()
        self.local = nn.Sequential(*shared(3, 64, EightBit()), Sign(), *shared(64, LOCAL, LayerScaledSign(64)), Sign())
        self.cloud = nn.Sequential(*shared(LOCAL, SHARED, LayerScaledSign(LOCAL)), ShiftedMax(SHARED), Sign())
        self.judge = nn.Sequential(
            *(*shared(LOCAL + SHARED, 96, LayerScaledSign(LOCAL + SHARED)), Sign()),
            *(*shared(96, 64, LayerScaledSign(96)), Sign()),
            quantised(nn.Conv1d(64, CLASSES, 1), EightBit()),
        )

    def forward(self, x):
        """Return the scores of each point of `x`, [n, 3, points]."""
        local = self.local(x)
        cloud = self.cloud(local).unsqueeze(2).expand(-1, -1, POINTS)
        return self.judge(torch.cat([local, cloud], 1))


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="64 points: shared 64 (8-bit weights) - 64 - 128 - global maximum, beside the 64 - 96 - 64 - 5 (8-bit weights) - argmax",
    network=Parts,
    epochs=8,
    batch=50,
    frames=4000,
    tested=1000,
    kept=300,
    data="solid_pairs",
    input=Input(type="int8", scale=1 / 32, offset=0.0, frame_shape=(3, POINTS)),
    prepare=Labelled,
)

if __name__ == "__main__":
    train(RECIPE)
