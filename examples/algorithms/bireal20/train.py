"""Train a Bi-Real Net (Liu et al., 2018) of the shape of ResNet-20, narrow, on 32 x 32 colour images.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.bireal20.train``.
"""

from pathlib import Path

from examples.algorithms.bireal.train import Block
from examples.algorithms.resnet20 import WIDTHS, around, recipe
from examples.algorithms.train import train
from examples.algorithms.weights import EightBit


def network():
    """Return the untrained network: three stages of six binary convolutions, a shortcut round each."""
    layers, inputs = [], WIDTHS[0]
    for outputs in WIDTHS:
        stride = outputs // inputs
        layers.append(Block(inputs, outputs, stride, EightBit() if stride == 2 else None))
        layers += [Block(outputs, outputs) for _ in range(5)]
        inputs = outputs
    return around(layers)


RECIPE = recipe(
    folder=Path(__file__).parent,
    topology="8C3 - 6 x 8C3 - 6 x 16C3 - 6 x 32C3, a real shortcut round each - global average - 10; first, last and 1x1 8-bit weights",
    network=network,
)

if __name__ == "__main__":
    train(RECIPE)
