"""Train a BinaryConnect network (Courbariaux et al., 2015): binary weights, real ReLU activations.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.binaryconnect.train``.
"""

from pathlib import Path

from torch import nn

from examples.algorithms.binarynet.train import square_hinge
from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import Sign, quantised


def network():
    """Return the untrained network, the paper's MNIST one (hidden layers, ReLU, L2-SVM) made narrow."""
    layers = [nn.Flatten()]
    for inputs in (196, 48, 48):
        layers += [quantised(nn.Linear(inputs, 48, bias=False), Sign()), nn.BatchNorm1d(48), nn.ReLU()]
    return nn.Sequential(*layers, quantised(nn.Linear(48, 10, bias=False), Sign()), nn.BatchNorm1d(10))


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="196 - 48 - 48 - 48 - 10, real ReLU activations",
    network=network,
    epochs=3,
    tested=2000,
    frames=20_000,
    loss=square_hinge,
)

if __name__ == "__main__":
    train(RECIPE)
