"""Layers with weights of -1 and +1 and the sign activation between them.

A layer keeps a float "latent" weight that the optimiser moves and uses only its sign (Courbariaux
et al., "Binarized Neural Networks", 2016). How the sign is spelled in an exported graph is the
attribute `binarize` of each layer, so that one trained network can be exported in many spellings.
"""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrize


class _StraightThroughSign(torch.autograd.Function):
    """Sign with +1 at zero; the gradient passes where ``|x| <= 1``."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return hard_sign(x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (x.abs() <= 1)


def hard_sign(x):
    """Return +1 where `x >= 0` and -1 elsewhere; there is no third value."""
    return torch.where(x >= 0, 1.0, -1.0)


def binarize(x):
    """Return `hard_sign(x)`, differentiable while gradients are recorded."""
    return _StraightThroughSign.apply(x) if torch.is_grad_enabled() else hard_sign(x)


class Sign(nn.Module):
    """The activation: -1 or +1."""

    def __init__(self):
        super().__init__()
        self.binarize = binarize

    def forward(self, x):
        """Return the sign of `x`."""
        return self.binarize(x)


class BinaryLinear(nn.Linear):
    """Dense layer with weights of -1 and +1 and no bias."""

    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features, bias=False)
        self.binarize = binarize

    def forward(self, x):
        """Return the scores of `x`, [n, in_features]."""
        return functional.linear(x, self.binarize(self.weight))


class BinaryConv1d(nn.Conv1d):
    """Convolution over time with weights of -1 and +1, stride 1 and no bias."""

    def __init__(self, in_channels, out_channels, kernel_size, padding=0):
        super().__init__(in_channels, out_channels, kernel_size, padding=padding, bias=False)
        self.binarize = binarize

    def forward(self, x):
        """Return the maps of `x`, [n, in_channels, time]."""
        return functional.conv1d(x, self.binarize(self.weight), padding=self.padding)


class BinaryConv2d(nn.Conv2d):
    """Convolution over an image with weights of -1 and +1, stride 1 and no bias."""

    def __init__(self, in_channels, out_channels, kernel_size, padding=0):
        super().__init__(in_channels, out_channels, kernel_size, padding=padding, bias=False)
        self.binarize = binarize

    def forward(self, x):
        """Return the maps of `x`, [n, in_channels, height, width]."""
        return functional.conv2d(x, self.binarize(self.weight), padding=self.padding)


class Affine(nn.Module):
    """`scale * x + offset` with constants."""

    def __init__(self, scale, offset):
        super().__init__()
        self.scale = scale
        self.offset = offset

    def forward(self, x):
        """Return `x` scaled and shifted."""
        return self.scale * x + self.offset


class TensorNorm(nn.Module):
    """Batch normalisation with one mean and one variance for the whole tensor.

    After the last layer it keeps the order of the classes: its gain is positive by construction.
    """

    def __init__(self, epsilon=1e-4, momentum=0.1):
        super().__init__()
        self.epsilon = epsilon
        self.momentum = momentum
        self.log_gain = nn.Parameter(torch.zeros(()))
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("variance", torch.ones(()))

    def forward(self, x):
        """Return `x` normalised."""
        if self.training:
            variance, mean = torch.var_mean(x, correction=0)
            self.mean.lerp_(mean.detach(), self.momentum)
            self.variance.lerp_(variance.detach(), self.momentum)
        else:
            variance, mean = self.variance, self.mean
        return (x - mean) / torch.sqrt(variance + self.epsilon) * torch.exp(self.log_gain)


BINARY_LAYERS = (BinaryLinear, BinaryConv1d, BinaryConv2d)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def binary_layers(model):
    """Return the layers of `model` whose weights are binary, in order."""
    return [module for module in model.modules() if isinstance(module, BINARY_LAYERS)]


def clamped_weights(model):
    """Return the latent weights of `model` that training keeps in [-1, 1].

    They are those of the binary layers, and those of every parametrisation that says so (`clamped = True`).
    """
    weights = [layer.weight for layer in binary_layers(model)]
    for module in model.modules():
        if parametrize.is_parametrized(module, "weight") and module.parametrizations.weight[0].clamped:
            weights.append(module.parametrizations.weight.original)
    return weights


def start(model, *, seed, negative=0.25):
    """Draw the latent weights and make some batch normalisations start with a negative scale.

    Parameters
    ----------
    model : nn.Module
        Changed in place.
    seed : int
        Of every random choice, here and in the training that follows.
    negative : float
        Share of the channels whose scale starts at -1 instead of +1.
    """
    torch.manual_seed(seed)
    for weight in clamped_weights(model):
        nn.init.uniform_(weight, -1, 1)
    for module in model.modules():
        if isinstance(module, BATCH_NORMS):
            flip = torch.rand(module.num_features) < negative
            with torch.no_grad():
                module.weight[flip] = -1.0


def freeze(model):
    """Replace every latent weight by its sign and switch to inference, in place."""
    model.eval()
    for layer in binary_layers(model):
        layer.weight.data = hard_sign(layer.weight.data)
