"""Train a DoReFa-Net (Zhou et al., 2016) with 1-bit weights and 2-bit activations.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.dorefa_1w2a.train``.
"""

from pathlib import Path

import torch
from torch import nn

from examples.algorithms.activations import Uniform, quantize
from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, Rule, quantised, straight_through
from examples.training.binary import hard_sign


class DoReFa(Rule):
    """Weights of k bits with one scale a layer.

    One bit: ``sign(w) * mean|w|`` (equation 8). More: ``2 quantize_k(tanh(w) / (2 max|tanh(w)|) + 1/2) - 1`` (equation 9).

    Parameters
    ----------
    bits : int
    """

    def __init__(self, bits):
        super().__init__()
        self.bits = bits

    def forward(self, latent):
        """Return one of ``2**bits`` levels."""
        if self.bits == 1:
            return straight_through(latent, hard_sign(latent) * latent.abs().mean())
        bounded = torch.tanh(latent)
        return 2 * quantize(bounded / (2 * bounded.abs().max().detach()) + 0.5, self.bits) - 1


def network(weight_bits, activation_bits, last=EightBit):
    """Return the untrained network; `last` is the rule of the last layer's weights."""
    activation = Uniform(activation_bits)
    return nn.Sequential(
        *(quantised(nn.Conv2d(1, 16, 3, bias=False), EightBit()), nn.BatchNorm2d(16), activation),
        *(quantised(nn.Conv2d(16, 16, 3, padding=1, bias=False), DoReFa(weight_bits)), nn.BatchNorm2d(16)),
        *(activation, nn.MaxPool2d(2)),
        *(quantised(nn.Conv2d(16, 24, 3, bias=False), DoReFa(weight_bits)), nn.BatchNorm2d(24), activation),
        *(nn.Flatten(), quantised(nn.Linear(24 * 4 * 4, 10), last())),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="16C3 (8-bit weights) - 16C3 - MP2 - 24C3 - 10 (8-bit weights), 2-bit activations",
    network=lambda: network(1, 2),
    epochs=5,
)

if __name__ == "__main__":
    train(RECIPE)
