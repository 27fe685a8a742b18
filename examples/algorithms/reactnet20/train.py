"""Train a ReActNet (Liu et al., 2020) of the depth of ResNet-20, narrow, on 32 x 32 colour images.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.reactnet20.train``.
"""

from pathlib import Path

from examples.algorithms.reactnet.train import Block
from examples.algorithms.resnet20 import around, recipe
from examples.algorithms.train import train


def network():
    """Return the untrained network: nine blocks of two binary convolutions each."""
    return around(
        [
            *(Block(8, 8), Block(8, 8), Block(8, 16)),
            *(Block(16, 16, stride=2), Block(16, 16), Block(16, 32)),
            *(Block(32, 32, stride=2), Block(32, 32), Block(32, 32)),
        ]
    )


RECIPE = recipe(
    folder=Path(__file__).parent,
    topology="8C3 - blocks of 8, 8, 16, 16/2, 16, 32, 32/2, 32, 32 - global average - 10; first and last 8-bit weights",
    network=network,
)

if __name__ == "__main__":
    train(RECIPE)
