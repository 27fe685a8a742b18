"""Activations that more than one algorithm uses; in inference mode they are the papers' plain formulas."""

import torch
from torch import nn

from examples.algorithms.weights import straight_through
from examples.training.binary import hard_sign


class _PiecewisePolynomialSign(torch.autograd.Function):
    """Sign with +1 at zero; the gradient is ``2 - 2|x|`` where ``|x| < 1`` (Bi-Real Net, equation 5)."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return hard_sign(x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (2 - 2 * x.abs()).clamp(min=0)


def approx_sign(x):
    """Return the sign of `x`; while gradients are recorded, with the derivative of a piecewise polynomial."""
    return _PiecewisePolynomialSign.apply(x) if torch.is_grad_enabled() else hard_sign(x)


class ApproxSign(nn.Module):
    """The activation of Bi-Real Net: -1 or +1; while `real` is set, the clip of which the sign is the limit (its section 3.3)."""

    real = False

    def forward(self, x):
        """Return the sign of `x`."""
        return x.clamp(-1, 1) if self.real else approx_sign(x)


def quantize(x, bits):
    """Round `x`, 0..1, to ``2**bits`` levels (DoReFa-Net, equation 5)."""
    steps = 2**bits - 1
    return straight_through(x, torch.round(x * steps) / steps)


class Uniform(nn.Module):
    """``upper * quantize_k(clip(x / upper, 0, 1))``: DoReFa-Net's activation, equation 12, over a chosen range.

    Parameters
    ----------
    bits : int
    upper : float
        Largest value.
    """

    def __init__(self, bits, upper=1.0):
        super().__init__()
        self.bits = bits
        self.upper = upper

    def forward(self, x):
        """Return one of ``2**bits`` levels, 0 to `upper`."""
        if self.upper == 1.0:
            return quantize(x.clamp(0, 1), self.bits)
        return self.upper * quantize((x / self.upper).clamp(0, 1), self.bits)


class Steps(nn.Module):
    """Round to multiples of ``1 / per_unit``: two's complement of so many bits.

    Parameters
    ----------
    per_unit, bits : int
    """

    def __init__(self, per_unit, bits):
        super().__init__()
        self.per_unit = per_unit
        self.high = 2 ** (bits - 1) - 1

    def forward(self, x):
        """Return `x` rounded and clipped."""
        codes = (x * self.per_unit).round().clamp(-self.high - 1, self.high)
        return straight_through(x, codes / self.per_unit)
