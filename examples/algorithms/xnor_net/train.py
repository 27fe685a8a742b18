"""Train an XNOR-Net (Rastegari et al., 2016) with a scale for each filter and no K.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.xnor_net.train``.
"""

from pathlib import Path

from torch import nn

from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, ScaledSign, quantised
from examples.training.binary import Sign


def network():
    """Return the untrained network; its blocks go norm, sign, convolution, ReLU, pool (the paper's figure 3)."""
    return nn.Sequential(
        *(quantised(nn.Conv2d(1, 16, 3, bias=False), EightBit()), nn.ReLU()),
        *(nn.BatchNorm2d(16), Sign(), quantised(nn.Conv2d(16, 16, 3, padding=1, bias=False), ScaledSign())),
        *(nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.BatchNorm2d(16), Sign(), quantised(nn.Conv2d(16, 32, 3, bias=False), ScaledSign()), nn.ReLU()),
        *(nn.BatchNorm2d(32), Sign(), nn.Flatten(), quantised(nn.Linear(32 * 4 * 4, 10), EightBit())),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="16C3 (8-bit weights) - 16C3 (zero padding) - MP2 - 32C3 - 10 (8-bit weights)",
    network=network,
    epochs=5,
    dynamo=False,
    baked=False,
)

if __name__ == "__main__":
    train(RECIPE)
