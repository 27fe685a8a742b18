"""How weights are quantised: each rule is a parametrisation of a layer's latent weight.

`quantised(layer, Rule())` makes ``layer.weight`` the rule's value of the latent weight; `bake(model)` replaces each by
that value for good. The algorithms whose rule no other shares keep it in their own file.
"""

import torch
from torch import nn
from torch.nn.utils import parametrize

from examples.training.binary import binarize


def straight_through(latent, value):
    """Return `value`, with the gradient of `latent` while gradients are recorded."""
    return latent + (value - latent).detach() if torch.is_grad_enabled() else value


def per_filter(latent, statistic, axis=0):
    """Return a statistic of each filter, broadcastable against `latent`; `axis` counts the filters."""
    others = [number for number in range(latent.dim()) if number != axis]
    return statistic(latent, others)


def mean(latent, axes):
    """Return the mean over `axes`, which stay with length 1."""
    return latent.mean(axes, keepdim=True)


class Rule(nn.Module):
    """What all rules share: whether training keeps the latent weight in [-1, 1]."""

    clamped = False


class Sign(Rule):
    """``w_b = Sign(w)``; the latent weight is clipped to [-1, 1] (BinaryConnect, BinaryNet)."""

    clamped = True

    def forward(self, latent):
        """Return -1 and +1."""
        return binarize(latent)


class ScaledSign(Rule):
    """``alpha * Sign(W)`` with ``alpha = ||W||_1 / n`` of each filter (XNOR-Net, equation 6).

    Parameters
    ----------
    axis : int
        Which axis of the weight counts the filters: 1 for transposed convolutions.
    """

    def __init__(self, axis=0):
        super().__init__()
        self.axis = axis

    def forward(self, latent):
        """Return -alpha and +alpha."""
        return per_filter(latent.abs(), mean, self.axis) * binarize(latent)


class EightBit(Rule):
    """Round to 8 bits: ``s * round(w / s)`` with ``s = max|w| / 127`` of each filter.

    For first and last layers, which most papers leave in floating point.
    """

    def forward(self, latent):
        """Return multiples of the filter's step, -127 to 127 of them."""
        step = per_filter(latent.abs(), lambda values, axes: values.amax(axes, keepdim=True)) / 127
        return straight_through(latent, torch.round(latent / step) * step)


def quantised(layer, rule):
    """Return `layer` with its weight under `rule`."""
    parametrize.register_parametrization(layer, "weight", rule)
    return layer


def bake(model):
    """Replace every parametrised weight by its value and switch to inference, in place."""
    model.eval()
    with torch.no_grad():
        for module in model.modules():
            if parametrize.is_parametrized(module, "weight"):
                parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
