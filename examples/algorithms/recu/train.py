"""Train a network with ReCU (Xu et al., 2021): weights in the tails are pulled in before they are binarized.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.recu.train``.
"""

from pathlib import Path

import torch
from torch import nn

from examples.algorithms.activations import ApproxSign
from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, Rule, mean, per_filter, quantised, straight_through
from examples.training.binary import hard_sign

TAU_FIRST, TAU_LAST = 0.85, 0.99


class Recu(Rule):
    """``alpha * sign(ReCU(w))`` with ``ReCU(w) = max(min(w, Q(tau)), Q(1 - tau))`` (equation 6).

    The weights are first standardised; Q gives their quantiles. The scale is ``alpha = ||ReCU(w)||_1 / n`` of each filter.
    """

    def __init__(self):
        super().__init__()
        self.tau = TAU_FIRST

    def forward(self, latent):
        """Return -alpha and +alpha."""
        standard = (latent - latent.mean()) / latent.std()
        low, high = torch.quantile(standard.detach(), torch.tensor([1 - self.tau, self.tau]))
        bounded = standard.clamp(low, high)
        return per_filter(bounded.abs(), mean).detach() * straight_through(bounded, hard_sign(bounded))


def anneal(model, progress):
    """Let tau grow exponentially from 0.85 to 0.99, as the paper does."""
    for module in model.modules():
        if isinstance(module, Recu):
            module.tau = TAU_FIRST * (TAU_LAST / TAU_FIRST) ** progress


def network():
    """Return the untrained network, the paper's VGG-small made narrow: convolution, pool, norm, HardTanh, sign."""
    return nn.Sequential(
        *(quantised(nn.Conv2d(1, 16, 3, bias=False), EightBit()), nn.BatchNorm2d(16), nn.Hardtanh(), ApproxSign()),
        *(quantised(nn.Conv2d(16, 16, 3, padding=1, bias=False), Recu()), nn.MaxPool2d(2), nn.BatchNorm2d(16)),
        *(nn.Hardtanh(), ApproxSign()),
        *(quantised(nn.Conv2d(16, 32, 3, bias=False), Recu()), nn.BatchNorm2d(32), nn.Hardtanh(), ApproxSign()),
        *(nn.Flatten(), quantised(nn.Linear(32 * 4 * 4, 10), EightBit())),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="16C3 (8-bit weights) - 16C3 (zero padding) - MP2 - 32C3 - 10 (8-bit weights), HardTanh",
    network=network,
    epochs=5,
    before_step=anneal,
)

if __name__ == "__main__":
    train(RECIPE)
