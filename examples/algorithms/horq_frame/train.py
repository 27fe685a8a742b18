"""Train a network with HORQ of order 2 (Li et al., 2017), its scales computed in each frame.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.horq_frame.train``.
"""

from pathlib import Path

from torch import nn
from torch.nn import functional

from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, ScaledSign, quantised
from examples.training.binary import binarize


class HorqConv(nn.Conv2d):
    """``Y = sum of beta_i (H_i * alpha B)``, equation 11 of the paper, one convolution of signs for each order.

    ``H_i = sign(R_i)``, ``beta_i = mean|R_i|`` over the frame, ``R_1 = X``, ``R_(i+1) = R_i - beta_i H_i``.
    """

    order = 2

    def __init__(self, in_channels, out_channels, kernel_size, padding=0):
        super().__init__(in_channels, out_channels, kernel_size, padding=padding, bias=False)
        quantised(self, ScaledSign())

    def forward(self, x):
        """Return the maps of `x`, real numbers [n, in_channels, height, width]."""
        weight, result = self.weight, 0.0
        for _ in range(self.order):
            beta = x.abs().mean((1, 2, 3), keepdim=True)
            sign = binarize(x)
            result = result + beta * functional.conv2d(sign, weight, padding=self.padding)
            x = x - beta * sign
        return result


def network():
    """Return the untrained network."""
    return nn.Sequential(
        *(quantised(nn.Conv2d(1, 12, 3, bias=False), EightBit()), nn.BatchNorm2d(12)),
        *(HorqConv(12, 16, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(16)),
        *(HorqConv(16, 24, 3), nn.BatchNorm2d(24), nn.Hardtanh()),
        *(nn.Flatten(), quantised(nn.Linear(24 * 4 * 4, 10), EightBit())),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="12C3 (8-bit weights) - 16C3, order 2 - MP2 - 24C3, order 2 - HardTanh - 10 (8-bit weights)",
    network=network,
    epochs=3,
    batch=50,
    tested=2000,
    frames=10_000,
)

if __name__ == "__main__":
    train(RECIPE)
