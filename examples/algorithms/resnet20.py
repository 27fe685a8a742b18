"""What the two networks of ResNet-20's shape share: the images, the first and last layers, and how they are trained."""

import functools

import torch
from torch import nn

from examples.algorithms.activations import ApproxSign
from examples.algorithms.bireal.train import MagnitudeAwareSign
from examples.algorithms.train import PIXELS, Recipe
from examples.algorithms.weights import EightBit, quantised
from examples.training.record import Input

COLOUR = Input(**PIXELS, frame_shape=(3, 32, 32))
"""MNIST's digits painted in random colours: no set of natural 32 x 32 images comes inside a package."""

WIDTHS = (8, 16, 32)
"""Channels of the three stages, half of ResNet-20's."""

REAL_SHARE = 0.25
"""Share of the training in which the network is still real."""


def around(layers):
    """Return the network of binary `layers` with its first and last layer, of 8-bit weights.

    The batch norms start with random biases: a network of signs, or clips, all at zero is an odd function of the image, and
    what two colours have in common is even.
    """
    network = nn.Sequential(
        *(quantised(nn.Conv2d(3, WIDTHS[0], 3, padding=1, bias=False), EightBit()), nn.BatchNorm2d(WIDTHS[0])),
        *layers,
        *(nn.AvgPool2d(8), nn.Flatten(), quantised(nn.Linear(WIDTHS[-1], 10), EightBit())),
    )
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.bias, -1, 1)
    return network.to(memory_format=torch.channels_last)  # a third faster with so few channels


def real_at_first(model, progress, share=REAL_SHARE):
    """Binarize weights and activations when the share of the training that is real is over, as both papers pre-train."""
    for module in model.modules():
        if isinstance(module, ApproxSign | MagnitudeAwareSign):
            module.real = progress < share


recipe = functools.partial(
    Recipe,
    data="mnist_coloured",
    input=COLOUR,
    frames=8_000,
    tested=1000,
    epochs=2,
    batch=20,
    learning_rate=0.005,
    negative=0.0,
    before_step=real_at_first,
    kept=50,
)
"""A `Recipe` with the choices that both networks share."""
