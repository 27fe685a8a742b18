"""Train a ReActNet (Liu et al., 2020) of the depth of ResNet-20, narrow, on 32 x 32 colour images.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.reactnet20.train``. The images are those of `bireal20`.
"""

from pathlib import Path

from torch import nn

from examples.algorithms.bireal20.train import COLOUR
from examples.algorithms.reactnet.train import Block
from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, quantised


def network():
    """Return the untrained network: nine blocks of two binary convolutions each."""
    return nn.Sequential(
        *(quantised(nn.Conv2d(3, 8, 3, padding=1, bias=False), EightBit()), nn.BatchNorm2d(8)),
        *(Block(8, 8), Block(8, 8), Block(8, 16)),
        *(Block(16, 16, stride=2), Block(16, 16), Block(16, 32)),
        *(Block(32, 32, stride=2), Block(32, 32), Block(32, 32)),
        *(nn.AvgPool2d(8), nn.Flatten(), quantised(nn.Linear(32, 10), EightBit())),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="8C3 - blocks of 8, 8, 16, 16/2, 16, 32, 32/2, 32, 32 - global average - 10; first and last 8-bit weights",
    network=network,
    data="mnist_coloured",
    input=COLOUR,
    frames=2_000,
    tested=500,
    epochs=4,
    batch=25,
    negative=0.0,
    kept=100,
)

if __name__ == "__main__":
    train(RECIPE)
