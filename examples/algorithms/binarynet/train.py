"""Train a BinaryNet (Courbariaux et al., 2016): weights and activations are signs.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.binarynet.train``.
"""

from pathlib import Path

import torch
from torch import nn

from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import Sign as SignWeight
from examples.algorithms.weights import quantised
from examples.training.binary import Sign


def square_hinge(scores, labels):
    """Return the L2-SVM loss ``max(0, 1 - t * y)**2`` with targets t of -1 and +1, as BinaryNet and BinaryConnect use it."""
    targets = torch.full_like(scores, -1.0).scatter(1, labels[:, None], 1.0)
    return (1 - targets * scores).clamp(min=0).square().mean()


def network(norm2d=nn.BatchNorm2d, norm1d=nn.BatchNorm1d):
    """Return the untrained network; the norms follow each convolution and the dense layer."""
    return nn.Sequential(
        *(quantised(nn.Conv2d(1, 16, 3, bias=False), SignWeight()), norm2d(16), Sign()),
        *(quantised(nn.Conv2d(16, 16, 3, padding=1, bias=False), SignWeight()), nn.MaxPool2d(2), norm2d(16), Sign()),
        *(quantised(nn.Conv2d(16, 32, 3, bias=False), SignWeight()), norm2d(32), Sign()),
        *(nn.Flatten(), quantised(nn.Linear(32 * 4 * 4, 10, bias=False), SignWeight()), norm1d(10)),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="16C3 - 16C3 (zero padding) - MP2 - 32C3 - 10",
    network=network,
    epochs=10,
    frames=60_000,
    batch=256,
    loss=square_hinge,
)

if __name__ == "__main__":
    train(RECIPE)
