"""Train a binary encoder (BiBERT, Qin et al., 2022) to tell positive from negative sentences.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.bibert.train``.
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from examples.algorithms.activations import Steps, approx_sign
from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, Rule, quantised, straight_through
from examples.algorithms.weights import Sign as SignWeight
from examples.training.record import Input

WORDS, LENGTH, WIDTH, HEADS, LAYERS, CLASSES = 2048, 32, 32, 2, 2, 2
HEAD = WIDTH // HEADS


class Whole(Rule):
    """Whole numbers of 4 bits, -8 to 7; `latent` is a quarter of them, so that the optimiser's steps suit both."""

    def forward(self, latent):
        """Return the rounded weight."""
        return straight_through(4 * latent, (4 * latent).round().clamp(-8, 7))


class ChannelNorm(nn.Module):
    """Batch normalisation of a tensor of channels last: the norm whose sign is a threshold.

    Parameters
    ----------
    channels : int
    """

    epsilon, momentum = 1e-5, 0.1

    def __init__(self, channels):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x):
        """Return `x`, [n, ..., channels], normalised."""
        if self.training:
            variance, mean = torch.var_mean(x, tuple(range(x.dim() - 1)), correction=0)
            self.mean.lerp_(mean.detach(), self.momentum)
            self.variance.lerp_(variance.detach(), self.momentum)
        else:
            variance, mean = self.variance, self.mean
        return (x - mean) / torch.sqrt(variance + self.epsilon) * self.weight + self.bias


class _Bool(torch.autograd.Function):
    """``bool(x)``: 1 where ``x >= 0``, else 0; the gradient passes where ``|x| <= 1`` (BiBERT, equations 9 and 10)."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (x.abs() <= 1)


def attended(scores):
    """Return which keys each query attends to."""
    return _Bool.apply(scores) if torch.is_grad_enabled() else (scores >= 0).to(scores.dtype)


def dense(inputs, outputs):
    """Return a dense layer of signs; its outputs stay whole numbers, which the norm behind them scales."""
    return quantised(nn.Linear(inputs, outputs, bias=False), SignWeight())


class Attention(nn.Module):
    """Bi-Attention: ``bool(B_Q B_K^T / sqrt(d)) B_V`` of each head, the softmax left out."""

    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.out = (dense(WIDTH, WIDTH) for _ in range(4))
        self.norms = nn.ModuleList(ChannelNorm(WIDTH) for _ in range(5))

    def heads(self, x):
        """Return `x`, [n, length, width], as [n, heads, length, width of a head]."""
        return x.reshape(-1, LENGTH, HEADS, HEAD).transpose(1, 2)

    def forward(self, x):
        """Return what attention adds to `x`, [n, length, width]."""
        enter, query, key, value, leave = self.norms
        signs = approx_sign(enter(x))
        parts = ((query, self.query), (key, self.key), (value, self.value))
        q, k, v = (self.heads(approx_sign(norm(layer(signs)))) for norm, layer in parts)
        seen = attended(torch.matmul(q, k.transpose(2, 3)) * HEAD**-0.5)
        context = torch.matmul(seen, v).transpose(1, 2).reshape(-1, LENGTH, WIDTH)
        return self.out(approx_sign(leave(context)))


class FeedForward(nn.Module):
    """Two dense layers of signs, the inner one twice as wide."""

    def __init__(self):
        super().__init__()
        self.inner, self.out = dense(WIDTH, 2 * WIDTH), dense(2 * WIDTH, WIDTH)
        self.enter, self.norm = ChannelNorm(WIDTH), ChannelNorm(2 * WIDTH)

    def forward(self, x):
        """Return what the layer adds to `x`, [n, length, width]."""
        return self.out(approx_sign(self.norm(self.inner(approx_sign(self.enter(x))))))


class Encoder(nn.Module):
    """Word and place are looked up and added; each layer adds attention, then a perceptron; the mean over all words is judged."""

    def __init__(self):
        super().__init__()
        self.words = quantised(nn.Embedding(WORDS, WIDTH), Whole())
        self.places = quantised(nn.Embedding(LENGTH, WIDTH), Whole())
        self.parts = nn.ModuleList(part() for _ in range(LAYERS) for part in (Attention, FeedForward))
        judge = quantised(nn.Linear(WIDTH, CLASSES), EightBit())
        self.judge = nn.Sequential(nn.BatchNorm1d(WIDTH), Steps(64, 8), nn.Dropout(0.2), judge)

    def forward(self, codes):
        """Return the scores of the sentences `codes`, int64 [n, length]."""
        x = functional.dropout(self.words(codes), 0.2, self.training) + self.places.weight
        for part in self.parts:
            x = x + part(x)
        return self.judge(x.mean(1))


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="32 words of 11 bits - tables of 32 (4 bits) - 2 x (2 heads of 16 - 64 - 32), whole-number shortcuts - mean - 2",
    network=Encoder,
    epochs=12,
    batch=50,
    learning_rate=0.01,
    data="sentiment_test",
    input=Input(type="uint11", scale=1.0, offset=0.0, frame_shape=(LENGTH,), dtype="int64"),
    kept=1000,
)

if __name__ == "__main__":
    train(RECIPE)
