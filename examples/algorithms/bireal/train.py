"""Train a Bi-Real Net (Liu et al., 2018): a real shortcut round every binary convolution.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.bireal.train``.
"""

from pathlib import Path

from torch import nn

from examples.algorithms.activations import ApproxSign
from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, Rule, mean, per_filter, quantised, straight_through
from examples.training.binary import hard_sign


class MagnitudeAwareSign(Rule):
    """``||W||_1 / n * sign(W)`` of each filter, its gradient scaled by the magnitude (Bi-Real Net, equations 8 and 9).

    While `real` is set the weights are the latent ones.
    """

    real = False

    def forward(self, latent):
        """Return -alpha and +alpha."""
        if self.real:
            return latent
        alpha = per_filter(latent.abs(), mean).detach()
        return alpha * straight_through(latent.clamp(-1, 1), hard_sign(latent))


class Block(nn.Module):
    """``BN(sign(x) * W) + shortcut(x)``.

    The shortcut is the identity; where the map is halved or widened it is an average pool, a real 1x1 convolution
    and a batch norm.

    Parameters
    ----------
    inputs, outputs, stride : int
    pointwise : Rule or None
        Rule of the weights of the shortcut's convolution; real if there is none.
    """

    def __init__(self, inputs, outputs, stride=1, pointwise=None):
        super().__init__()
        self.sign = ApproxSign()
        convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.convolution = quantised(convolution, MagnitudeAwareSign())
        self.norm = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity()
        if stride > 1 or inputs != outputs:
            narrow = nn.Conv2d(inputs, outputs, 1, bias=False)
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride),
                narrow if pointwise is None else quantised(narrow, pointwise),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, x):
        """Return the real maps of real maps `x`."""
        return self.norm(self.convolution(self.sign(x))) + self.shortcut(x)


def network():
    """Return the untrained network; first convolution 8 bits, shortcut's convolution and last layer real."""
    return nn.Sequential(
        *(quantised(nn.Conv2d(1, 12, 3, padding=1, bias=False), EightBit()), nn.BatchNorm2d(12)),
        *(Block(12, 12), Block(12, 12), Block(12, 24, stride=2), Block(24, 24)),
        *(nn.AvgPool2d(7), nn.Flatten(), nn.Linear(24, 10)),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="12C3 (8-bit weights) - 12C3 - 12C3 - 24C3/2 - 24C3, a real shortcut round each - global average - 10 (real weights)",
    network=network,
    epochs=3,
    dynamo=False,
    batch=50,
    tested=2000,
    frames=10_000,
    negative=0.0,
    kept=300,
)

if __name__ == "__main__":
    train(RECIPE)
