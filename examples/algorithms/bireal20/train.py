"""Train a Bi-Real Net (Liu et al., 2018) of the shape of ResNet-20, narrow, on 32 x 32 colour images.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.bireal20.train``. The images are MNIST's digits painted in
random colours: no set of natural 32 x 32 images comes inside a package.
"""

from pathlib import Path

from torch import nn

from examples.algorithms.bireal.train import Block
from examples.algorithms.train import PIXELS, Recipe, train
from examples.algorithms.weights import EightBit, quantised
from examples.training.record import Input

COLOUR = Input(**PIXELS, frame_shape=(3, 32, 32))


def network():
    """Return the untrained network: three stages of six binary convolutions, a shortcut round each."""
    layers, inputs = [], 8
    for outputs in (8, 16, 32):
        stride = outputs // inputs
        layers.append(Block(inputs, outputs, stride, EightBit() if stride == 2 else None))
        layers += [Block(outputs, outputs) for _ in range(5)]
        inputs = outputs
    return nn.Sequential(
        *(quantised(nn.Conv2d(3, 8, 3, padding=1, bias=False), EightBit()), nn.BatchNorm2d(8)),
        *layers,
        *(nn.AvgPool2d(8), nn.Flatten(), quantised(nn.Linear(32, 10), EightBit())),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="8C3 - 6 x 8C3 - 6 x 16C3 - 6 x 32C3, a real shortcut round each - global average - 10; first, last and 1x1 8-bit weights",
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
