"""Train a binary FSMN (BiFSMN, Qin et al., 2022; DFSMN, Zhang et al., 2018) on watch exercises.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.fsmn.train``.
"""

from pathlib import Path

from torch import nn

from examples.algorithms.activations import approx_sign
from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, ScaledSign, quantised
from examples.training.record import Input
from examples.watch_motion.train import shift_and_scale

LOOK_BACK, LOOK_AHEAD = 6, 3


class Memory(nn.Module):
    """A memory block: ``m_t = p_t + sum_i a_i . p_(t-i) + sum_j c_j . p_(t+j)``, the taps and what they see binarized.

    The projection p is ``BN(sign(x) * sign(W) alpha)``; the taps are one depthwise convolution over time that looks
    `LOOK_BACK` steps back and `LOOK_AHEAD` ahead; the memory before it is added (the skip of DFSMN).

    Parameters
    ----------
    channels : int
    """

    def __init__(self, channels):
        super().__init__()
        self.project = quantised(nn.Conv1d(channels, channels, 1, bias=False), ScaledSign())
        self.project_norm = nn.BatchNorm1d(channels)
        taps = nn.Conv1d(channels, channels, LOOK_BACK + 1 + LOOK_AHEAD, groups=channels, bias=False)
        self.surround = nn.ConstantPad1d((LOOK_BACK, LOOK_AHEAD), 0.0)
        self.taps = quantised(taps, ScaledSign())
        self.taps_norm = nn.BatchNorm1d(channels)

    def forward(self, memory):
        """Return the next memory of `memory`, real numbers [n, channels, time]."""
        projection = self.project_norm(self.project(approx_sign(memory)))
        seen = self.taps_norm(self.taps(self.surround(approx_sign(projection))))
        return memory + projection + seen


def network():
    """Return the untrained network: 128 samples of six axes become 31 steps of 24 channels, then three memory blocks."""
    return nn.Sequential(
        *(quantised(nn.Conv1d(6, 24, 8, stride=4, bias=False), EightBit()), nn.BatchNorm1d(24)),
        *(Memory(24), Memory(24), Memory(24)),
        *(nn.Hardtanh(), nn.AvgPool1d(31), nn.Flatten(), nn.Dropout(0.2), quantised(nn.Linear(24, 7), EightBit())),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="24C8/4 (8-bit weights) - 3 memory blocks of 24, 6 steps back and 3 ahead - average over time - 7",
    network=network,
    epochs=12,
    data="watch_test",
    input=Input(type="int8", scale=1 / 64, offset=0.0, frame_shape=(6, 128)),
    kept=500,
    augment=lambda frames: shift_and_scale(frames * 64) / 64,
    negative=0.0,
)

if __name__ == "__main__":
    train(RECIPE)
