"""Train a Binary-Weight-Network (Rastegari et al., 2016, section 3.1) with 4-bit ReLU activations.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.bwn.train``.
"""

from pathlib import Path

from torch import nn

from examples.algorithms.activations import Uniform
from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, ScaledSign, quantised


def network():
    """Return the untrained network: weights ``alpha * Sign(W)``, activations of 16 levels, 0 to 3."""
    return nn.Sequential(
        *(quantised(nn.Conv2d(1, 12, 3, bias=False), EightBit()), nn.BatchNorm2d(12), nn.ReLU(), Uniform(4, 3.0)),
        *(quantised(nn.Conv2d(12, 16, 3, padding=1, bias=False), ScaledSign()), nn.BatchNorm2d(16), nn.ReLU()),
        *(Uniform(4, 3.0), nn.MaxPool2d(2)),
        *(quantised(nn.Conv2d(16, 24, 3, bias=False), ScaledSign()), nn.BatchNorm2d(24), nn.ReLU(), Uniform(4, 3.0)),
        *(nn.Flatten(), quantised(nn.Linear(24 * 4 * 4, 10), EightBit())),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="12C3 (8-bit weights) - 16C3 - MP2 - 24C3 - 10 (8-bit weights), 4-bit ReLU",
    network=network,
    epochs=5,
)

if __name__ == "__main__":
    train(RECIPE)
