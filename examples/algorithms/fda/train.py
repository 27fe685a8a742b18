"""Train a network with FDA (Xu et al., 2021): the sign's gradient is that of its Fourier series.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.fda.train``.
"""

import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, Rule, mean, per_filter, quantised
from examples.training.binary import hard_sign

OMEGA = 0.1
TERMS_FIRST, TERMS_LAST = (
    9,
    15,
)  # the sum of n cosines is positive where |t| < pi / (2 n omega): with 15 of them just on [-1, 1]
NOISY = 0.7  # share of the training with noise adaptation


class _FourierSign(torch.autograd.Function):
    """Sign with +1 at zero; gradient ``4 omega / pi * sum of cos((2 i + 1) omega t), i < n`` where ``|t| <= 1``."""

    @staticmethod
    def forward(ctx, t, terms):
        ctx.save_for_backward(t)
        ctx.terms = terms
        return hard_sign(t)

    @staticmethod
    def backward(ctx, gradient):
        (t,) = ctx.saved_tensors
        slope = sum(torch.cos((2 * term + 1) * OMEGA * t) for term in range(ctx.terms))
        return gradient * (4 * OMEGA / math.pi) * slope * (t.abs() <= 1), None


class FourierWeight(Rule):
    """``alpha * sign(w)`` of each filter, with the Fourier gradient."""

    clamped = True
    terms = TERMS_FIRST

    def forward(self, latent):
        """Return -alpha and +alpha."""
        sign = _FourierSign.apply(latent, self.terms) if torch.is_grad_enabled() else hard_sign(latent)
        return per_filter(latent.abs(), mean).detach() * sign


class FourierSign(nn.Module):
    """The sign with the Fourier gradient and, while training, the noise adaptation module beside it.

    The module ``eta(x) = W2 ReLU(W1 x)`` learns what the truncated series gets wrong. It adds ``weight * eta(x)``, whose
    weight falls to zero before the training ends, so that it can be left out. (Added to the gradient only it has no
    bound: nothing that it learns changes the loss.)

    Parameters
    ----------
    channels : int
    """

    terms = TERMS_FIRST
    weight = 0.1

    def __init__(self, channels):
        super().__init__()
        hidden = max(channels // 4, 1)
        self.noise = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, channels, 1))

    def forward(self, x):
        """Return the sign of `x`, [n, channels, height, width]."""
        if not torch.is_grad_enabled():
            return hard_sign(x)
        sign = _FourierSign.apply(x, self.terms)
        return sign + self.weight * self.noise(x) if self.weight else sign


def anneal(model, progress):
    """Let the number of terms grow and the weight of the noise adaptation fall."""
    for module in model.modules():
        if isinstance(module, FourierSign | FourierWeight):
            module.terms = TERMS_FIRST + int(progress * (TERMS_LAST - TERMS_FIRST + 1))
        if isinstance(module, FourierSign):
            module.weight = 0.1 * max(1 - progress / NOISY, 0)


class FourierConv(nn.Sequential):
    """Sign, then convolution: the pair to which the paper's method applies."""

    def __init__(self, in_channels, out_channels, padding=0):
        convolution = nn.Conv2d(in_channels, out_channels, 3, padding=padding, bias=False)
        super().__init__(FourierSign(in_channels), quantised(convolution, FourierWeight()))


class Pooled(nn.Module):
    """Mean over the map, then a dense layer, written as the paper's ResNets end."""

    def __init__(self, channels, classes):
        super().__init__()
        self.dense = quantised(nn.Linear(channels, classes), EightBit())

    def forward(self, x):
        """Return the scores of `x`, [n, channels, height, width]."""
        return self.dense(functional.adaptive_avg_pool2d(x, 1).flatten(1))


def network():
    """Return the untrained network; the last map is binarized, then averaged."""
    return nn.Sequential(
        *(quantised(nn.Conv2d(1, 16, 3, bias=False), EightBit()), nn.BatchNorm2d(16)),
        *(FourierConv(16, 24, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(24)),
        *(FourierConv(24, 32), nn.BatchNorm2d(32), FourierSign(32), Pooled(32, 10)),
    )


def deployed(model):
    """Return `model` without its noise adaptation modules, which inference does not use."""
    for module in model.modules():
        if isinstance(module, FourierSign):
            module.noise = None
    return model


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="16C3 (8-bit weights) - 24C3 (zero padding) - MP2 - 32C3 - global average - 10 (8-bit weights)",
    network=network,
    epochs=5,
    batch=50,
    tested=2000,
    frames=20_000,
    learning_rate=0.005,
    before_step=anneal,
    prepare=deployed,
    dynamo=False,
)

if __name__ == "__main__":
    train(RECIPE)
