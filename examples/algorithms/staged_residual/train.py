"""Train a network with staged residual binarization: ``X = H + beta``, and layers that are binary only in part.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.staged_residual.train``.
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from examples.algorithms.activations import approx_sign
from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, Rule, ScaledSign, quantised, straight_through

STAGES = (0.25, 0.5, 0.75)
"""Share of the channels that are binary in each third of the training; the last one stays."""


class PartlyScaledSign(Rule):
    """The first filters are ``alpha * Sign(W)``, the rest are rounded to 8 bits.

    Parameters
    ----------
    filters : int
    """

    def __init__(self, filters):
        super().__init__()
        self.filters = filters
        self.share = STAGES[-1]
        self.binary, self.rest = ScaledSign(), EightBit()

    def forward(self, latent):
        """Return the weights, filter by filter."""
        first = int(self.share * self.filters)
        return torch.cat([self.binary(latent[:first]), self.rest(latent[first:])])


class PartlyBinaryConv(nn.Module):
    """Convolution whose first input channels are ``sign(x) + beta`` with binary weights, the rest 8 bits with 8-bit weights.

    The residue ``x - sign(x)`` of a channel is replaced by its learned mean beta; where the kernel reaches over the
    border, the padded taps contribute neither sign nor beta.

    Parameters
    ----------
    inputs, outputs : int
    """

    def __init__(self, inputs, outputs):
        super().__init__()
        self.inputs = inputs
        self.share = STAGES[-1]
        self.beta = nn.Parameter(torch.zeros(1, inputs, 1, 1))
        self.binary = quantised(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), ScaledSign())
        self.rest = quantised(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), EightBit())

    def forward(self, x):
        """Return the maps of real maps `x`."""
        first = int(self.share * self.inputs)
        signs = approx_sign(x[:, :first]) + self.beta[:, :first]
        others = x[:, first:].clamp(-2.0, 1.984375)
        others = straight_through(others, torch.round(others * 64) / 64)
        of_signs = functional.conv2d(signs, self.binary.weight[:, :first], padding=1)
        return of_signs + functional.conv2d(others, self.rest.weight[:, first:], padding=1)


def advance(model, progress):
    """Binarize more channels, stage by stage."""
    share = STAGES[min(int(progress * len(STAGES)), len(STAGES) - 1)]
    for module in model.modules():
        if isinstance(module, PartlyBinaryConv | PartlyScaledSign):
            module.share = share


class BiasedSign(nn.Module):
    """``sign(x) + beta``, beta learned for each channel.

    Parameters
    ----------
    channels : int
    """

    def __init__(self, channels):
        super().__init__()
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x):
        """Return two levels a channel."""
        return approx_sign(x) + self.beta


def network():
    """Return the untrained network: one layer split by input channels, one by filters."""
    return nn.Sequential(
        *(quantised(nn.Conv2d(1, 16, 3, bias=False), EightBit()), nn.BatchNorm2d(16)),
        *(PartlyBinaryConv(16, 16), nn.MaxPool2d(2), nn.BatchNorm2d(16), BiasedSign(16)),
        *(quantised(nn.Conv2d(16, 32, 3, padding=1, bias=False), PartlyScaledSign(32)), nn.MaxPool2d(2)),
        *(nn.BatchNorm2d(32), BiasedSign(32), nn.Flatten(), quantised(nn.Linear(32 * 3 * 3, 10), ScaledSign())),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="16C3 (8-bit weights) - 16C3 (12 channels binary, 4 of 8 bits) - MP2 - 32C3 (24 filters binary, 8 of 8 bits) - MP2 - 10",
    network=network,
    epochs=3,
    dynamo=False,
    batch=50,
    tested=2000,
    frames=10_000,
    before_step=advance,
)

if __name__ == "__main__":
    train(RECIPE)
