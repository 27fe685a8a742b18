"""Train a network with ternary weights (TWN, Li et al., 2016) and ternary activations.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.ternary.train``.
"""

from pathlib import Path

import torch
from torch import nn

from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, Rule, mean, per_filter, quantised, straight_through


class Ternary(Rule):
    """``alpha * t``: ``t = sign(w)`` where ``|w| > delta = 0.7 mean|w|``, else 0; alpha is the mean of the ``|w|`` above delta."""

    def forward(self, latent):
        """Return -alpha, 0 and +alpha, alpha of each filter."""
        magnitude = latent.detach().abs()
        above = (magnitude > 0.7 * per_filter(magnitude, mean)).to(latent.dtype)
        alpha = per_filter(magnitude * above, mean) / per_filter(above, mean).clamp(min=1e-9)
        return straight_through(latent, alpha * torch.sign(latent) * above)


class TernaryActivation(nn.Module):
    """-1 below -1/2, +1 above 1/2, else 0; the gradient passes where ``|x| <= 1``."""

    def forward(self, x):
        """Return -1, 0 and +1."""
        return straight_through(x.clamp(-1, 1), torch.where(x > 0.5, 1.0, torch.where(x < -0.5, -1.0, 0.0)))


def network():
    """Return the untrained network."""
    return nn.Sequential(
        *(quantised(nn.Conv2d(1, 16, 3, bias=False), EightBit()), nn.BatchNorm2d(16), TernaryActivation()),
        *(quantised(nn.Conv2d(16, 16, 3, padding=1, bias=False), Ternary()), nn.MaxPool2d(2), nn.BatchNorm2d(16)),
        *(TernaryActivation(), quantised(nn.Conv2d(16, 32, 3, bias=False), Ternary()), nn.BatchNorm2d(32)),
        *(TernaryActivation(), nn.Flatten(), quantised(nn.Linear(32 * 4 * 4, 10, bias=False), Ternary())),
        *(nn.BatchNorm1d(10),),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="16C3 (8-bit weights) - 16C3 (zero padding) - MP2 - 32C3 - 10, ternary weights and activations",
    network=network,
    epochs=5,
)

if __name__ == "__main__":
    train(RECIPE)
