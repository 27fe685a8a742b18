"""Train a ReActNet (Liu et al., 2020) of the depth of ResNet-20, narrow, on 32 x 32 colour images.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.reactnet20.train``.
"""

import functools
from pathlib import Path

from torch import nn

from examples.algorithms.reactnet.train import Block
from examples.algorithms.resnet20 import around, real_at_first, recipe
from examples.algorithms.train import train

BRANCH = 0.3
"""Standard deviation of a branch at first, of the image's 1."""


def network():
    """Return the untrained network: nine blocks of two binary convolutions each.

    Every RPReLU starts as the identity: with a slope of a quarter below zero eighteen of them in a row leave next to no
    negative number, and the signs behind them are all +1. Every batch norm of a block starts with a small scale: nothing
    else keeps the sum of eighteen branches where a sign passes a gradient.
    """
    model = around(
        [
            *(Block(8, 8), Block(8, 8), Block(8, 16)),
            *(Block(16, 16, stride=2), Block(16, 16), Block(16, 32)),
            *(Block(32, 32, stride=2), Block(32, 32), Block(32, 32)),
        ]
    )
    for block in model.children():
        for module in block.modules() if isinstance(block, Block) else ():
            if isinstance(module, nn.PReLU):
                nn.init.ones_(module.weight)
            if isinstance(module, nn.BatchNorm2d):
                nn.init.constant_(module.weight, BRANCH)
                nn.init.uniform_(module.bias, -BRANCH, BRANCH)
    return model


RECIPE = recipe(
    folder=Path(__file__).parent,
    topology="8C3 - blocks of 8, 8, 16, 16/2, 16, 32, 32/2, 32, 32 - global average - 10; first and last 8-bit weights",
    network=network,
    learning_rate=0.008,
    before_step=functools.partial(real_at_first, share=0.35),
)

if __name__ == "__main__":
    train(RECIPE)
