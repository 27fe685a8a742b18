"""Train a network with HORQ of order 2 (Li et al., 2017), its scales fixed after training.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.horq.train``.
"""

from pathlib import Path

import torch
from torch import nn

from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, ScaledSign, quantised
from examples.training.binary import binarize


class Residuals(nn.Module):
    """``X = beta_1 H_1 + beta_2 H_2``: ``H_i = sign(R_i)``, ``beta_i = mean|R_i|``, ``R_1 = X``, ``R_(i+1) = R_i - beta_i H_i``.

    While training the scales are the batch's and a running mean of them is kept, which inference uses.

    Parameters
    ----------
    order : int
        Number of signs.
    """

    momentum = 0.1

    def __init__(self, order=2):
        super().__init__()
        self.order = order
        self.register_buffer("beta", torch.ones(order))

    def forward(self, x):
        """Return `x` in ``2**order`` levels."""
        value, residue = 0.0, x
        for index in range(self.order):
            if self.training:
                beta = residue.detach().abs().mean()
                self.beta[index].lerp_(beta, self.momentum)
            else:
                beta = self.beta[index]
            level = beta * binarize(residue)
            value, residue = value + level, residue - level
        return value


def network(order=2):
    """Return the untrained network."""
    return nn.Sequential(
        *(quantised(nn.Conv2d(1, 12, 3, bias=False), EightBit()), nn.BatchNorm2d(12), Residuals(order)),
        *(quantised(nn.Conv2d(12, 16, 3, padding=1, bias=False), ScaledSign()), nn.MaxPool2d(2), nn.BatchNorm2d(16)),
        *(Residuals(order), quantised(nn.Conv2d(16, 24, 3, bias=False), ScaledSign()), nn.BatchNorm2d(24)),
        *(Residuals(order), nn.Flatten(), quantised(nn.Linear(24 * 4 * 4, 10), EightBit())),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="12C3 (8-bit weights) - 16C3 (zero padding) - MP2 - 24C3 - 10 (8-bit weights), two signs an activation",
    network=network,
    epochs=3,
    batch=50,
    tested=2000,
    frames=10_000,
)

if __name__ == "__main__":
    train(RECIPE)
