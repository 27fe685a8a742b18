"""Train a binary MLP-Mixer (Tolstikhin et al., 2021) on MNIST at 14 x 14: 49 patches of four pixels.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.mixer.train``.
"""

from pathlib import Path

from torch import nn

from examples.algorithms.activations import Steps, approx_sign
from examples.algorithms.bibert.train import dense
from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, quantised

PATCHES, WIDTH, BETWEEN, WITHIN, BLOCKS = 49, 24, 32, 48, 3


class Mix(nn.Module):
    """``W_2 sign(BN(W_1 sign(BN(x))))`` with weights of signs, over the patches of each channel or the channels of each patch.

    Parameters
    ----------
    length, inner : int
        How many there are, and how many in the middle.
    over_patches : bool
    """

    def __init__(self, length, inner, over_patches):
        super().__init__()
        self.over_patches = over_patches
        self.enter, self.norm = nn.BatchNorm1d(WIDTH), nn.BatchNorm1d(WIDTH if over_patches else inner)
        self.wide, self.out = dense(length, inner), dense(inner, length)

    def forward(self, x):
        """Return what the layer adds to `x`, [n, channels, patches]."""
        signs = approx_sign(self.enter(x))
        if self.over_patches:
            return self.out(approx_sign(self.norm(self.wide(signs))))
        wide = self.wide(signs.transpose(1, 2)).transpose(1, 2)
        return self.out(approx_sign(self.norm(wide)).transpose(1, 2)).transpose(1, 2)


class Mixer(nn.Module):
    """Each block mixes all patches of a channel, then all channels of a patch; the mean over the patches is judged."""

    def __init__(self):
        super().__init__()
        patches = quantised(nn.Conv2d(1, WIDTH, 2, stride=2, bias=False), EightBit())
        norm = nn.BatchNorm2d(WIDTH)
        nn.init.constant_(norm.weight, 4.0)  # what the blocks add are sums of dozens of signs
        self.patches = nn.Sequential(patches, norm, Steps(1, 5))
        shapes = ((PATCHES, BETWEEN, True), (WIDTH, WITHIN, False)) * BLOCKS
        self.blocks = nn.ModuleList(Mix(*shape) for shape in shapes)
        judge = quantised(nn.Linear(WIDTH, 10), EightBit())
        self.judge = nn.Sequential(nn.BatchNorm1d(WIDTH), Steps(64, 8), judge)

    def forward(self, x):
        """Return the scores of images `x`."""
        x = self.patches(x).flatten(2)
        for block in self.blocks:
            x = x + block(x)
        return self.judge(x.mean(2))


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="49 patches of 2 x 2 (8-bit weights) - 3 x (49 - 32 - 49 over patches, 24 - 48 - 24 over channels), whole-number shortcuts - mean - 10",
    network=Mixer,
    epochs=4,
    frames=8000,
    batch=50,
    kept=500,
    negative=0.0,
)

if __name__ == "__main__":
    train(RECIPE)
