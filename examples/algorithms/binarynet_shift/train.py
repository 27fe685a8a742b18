"""Train a BinaryNet with shift-based batch normalisation (Courbariaux et al., 2016, algorithm 3).

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.binarynet_shift.train``.
"""

from pathlib import Path

import torch
from torch import nn

from examples.algorithms.binarynet.train import network, square_hinge
from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import straight_through


def nearest_power_of_two(x):
    """Return ``AP2(x) = sign(x) * 2**round(log2|x|)``, with the gradient of `x`."""
    return straight_through(x, torch.sign(x) * torch.exp2(torch.round(torch.log2(x.abs().clamp(min=1e-12)))))


class ShiftNorm(nn.Module):
    """Batch normalisation in which every product is a shift.

    With ``C(x) = x - mean``: ``variance = mean(C(x) * AP2(C(x)))`` and
    ``y = AP2(gamma) * C(x) * AP2(1 / sqrt(variance + epsilon)) + beta``.

    Parameters
    ----------
    channels : int
    """

    momentum = 0.1
    epsilon = 1e-4

    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x):
        """Return `x`, [n, channels, ...], normalised."""
        shape = (1, -1, *(1,) * (x.dim() - 2))
        if self.training:
            axes = [axis for axis in range(x.dim()) if axis != 1]
            mean = x.mean(axes)
            centred = x - mean.view(shape)
            variance = (centred * nearest_power_of_two(centred)).mean(axes)
            self.mean.lerp_(mean.detach(), self.momentum)
            self.variance.lerp_(variance.detach(), self.momentum)
        else:
            variance = self.variance
            centred = x - self.mean.view(shape)
        scale = nearest_power_of_two(self.gamma) * nearest_power_of_two((variance + self.epsilon).rsqrt())
        return centred * scale.view(shape) + self.beta.view(shape)


class BakedShiftNorm(nn.Module):
    """The same in inference, with its scale computed once: ONNX has no ``log2``."""

    def __init__(self, norm):
        super().__init__()
        scale = nearest_power_of_two(norm.gamma) * nearest_power_of_two((norm.variance + norm.epsilon).rsqrt())
        self.register_buffer("scale", scale.detach())
        self.register_buffer("mean", norm.mean)
        self.register_buffer("beta", norm.beta.detach())

    def forward(self, x):
        """Return `x`, [n, channels, ...], normalised."""
        shape = (1, -1, *(1,) * (x.dim() - 2))
        return (x - self.mean.view(shape)) * self.scale.view(shape) + self.beta.view(shape)


def with_baked_norms(model):
    """Return `model` with its norms as they are deployed."""
    return nn.Sequential(
        *(BakedShiftNorm(module) if isinstance(module, ShiftNorm) else module for module in model)
    ).eval()


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="16C3 - 16C3 (zero padding) - MP2 - 32C3 - 10, shift-based batch norms",
    network=lambda: network(ShiftNorm, ShiftNorm),
    epochs=6,
    batch=50,
    tested=2000,
    frames=20_000,
    loss=square_hinge,
    dynamo=False,
    prepare=with_baked_norms,
)

if __name__ == "__main__":
    train(RECIPE)
