"""Train an XNOR-Net++ (Bulat and Tzimiropoulos, 2019): learned scales with factors for channel, row and column.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.xnor_net_pp.train``.
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, Sign, quantised
from examples.training.binary import Sign as SignActivation


class FactoredConv(nn.Conv2d):
    """``(Sign(I) * Sign(W)) . Gamma`` with ``Gamma[c, y, x] = alpha[c] beta[y] gamma[x]``, the paper's case 4.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding : int
    size : int
        Height and width of the result.
    """

    def __init__(self, in_channels, out_channels, kernel_size, size, stride=1, padding=0):
        super().__init__(in_channels, out_channels, kernel_size, stride=stride, padding=padding, bias=False)
        self.alpha = nn.Parameter(torch.full((out_channels, 1, 1), 1 / (in_channels * kernel_size**2) ** 0.5))
        self.beta = nn.Parameter(torch.ones(size, 1))
        self.gamma = nn.Parameter(torch.ones(size))
        quantised(self, Sign())

    def forward(self, x):
        """Return the maps of `x`, -1 and +1."""
        maps = functional.conv2d(x, self.weight, stride=self.stride, padding=self.padding)
        return maps * (self.alpha * self.beta * self.gamma)


def network():
    """Return the untrained network; it halves its maps by stride."""
    return nn.Sequential(
        *(quantised(nn.Conv2d(1, 16, 3, bias=False), EightBit()), nn.BatchNorm2d(16), SignActivation()),
        *(FactoredConv(16, 16, 3, size=12, padding=1), nn.BatchNorm2d(16), SignActivation()),
        *(FactoredConv(16, 32, 3, size=5, stride=2), nn.BatchNorm2d(32), SignActivation()),
        *(nn.Flatten(), quantised(nn.Linear(32 * 5 * 5, 10), EightBit())),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="16C3 (8-bit weights) - 16C3 (zero padding) - 32C3/2 - 10 (8-bit weights), scales of channel x row x column",
    network=network,
    epochs=5,
)

if __name__ == "__main__":
    train(RECIPE)
