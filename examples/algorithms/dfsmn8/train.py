"""Train a binary DFSMN of eight memory blocks (Zhang et al., 2018; BiFSMN, Qin et al., 2022) on watch exercises.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.dfsmn8.train``.
"""

from pathlib import Path

from torch import nn

from examples.algorithms.activations import Steps, approx_sign
from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import EightBit, quantised
from examples.algorithms.weights import Sign as SignWeight
from examples.training.record import Input
from examples.watch_motion.train import shift_and_scale

BLOCKS, HIDDEN, MEMORY, AXES = 8, 32, 16, 6
LOOK_BACK, LOOK_AHEAD = 4, 2


def pointwise(inputs, outputs):
    """Return a dense layer of signs for each step of time."""
    return quantised(nn.Conv1d(inputs, outputs, 1, bias=False), SignWeight())


class Block(nn.Module):
    """``h = sign(BN(W m'))``, ``p = V h``, ``m = m' + p + taps(sign(BN(p)))``: all sums are whole numbers.

    W widens the memory m' of the block before, V projects; the taps look `LOOK_BACK` steps back and `LOOK_AHEAD` ahead, channel by channel.
    """

    def __init__(self):
        super().__init__()
        self.enter, self.hidden, self.seen = (nn.BatchNorm1d(width) for width in (MEMORY, HIDDEN, MEMORY))
        self.widen, self.project = pointwise(MEMORY, HIDDEN), pointwise(HIDDEN, MEMORY)
        self.surround = nn.ConstantPad1d((LOOK_BACK, LOOK_AHEAD), 0.0)
        steps = LOOK_BACK + 1 + LOOK_AHEAD
        self.taps = quantised(nn.Conv1d(MEMORY, MEMORY, steps, groups=MEMORY, bias=False), SignWeight())

    def forward(self, memory):
        """Return the next memory of `memory`, whole numbers [n, channels, time]."""
        projected = self.project(approx_sign(self.hidden(self.widen(approx_sign(self.enter(memory))))))
        return memory + projected + self.taps(self.surround(approx_sign(self.seen(projected))))


def network():
    """Return the untrained network: 128 samples of six axes become 31 steps, then eight memory blocks, then the mean over time."""
    norm = nn.BatchNorm1d(MEMORY)
    nn.init.constant_(norm.weight, 4.0)  # what the blocks add are sums of dozens of signs
    return nn.Sequential(
        *(quantised(nn.Conv1d(AXES, MEMORY, 8, stride=4, bias=False), EightBit()), norm, Steps(1, 5)),
        *(Block() for _ in range(BLOCKS)),
        *(nn.AvgPool1d(31), nn.Flatten(), nn.BatchNorm1d(MEMORY), Steps(32, 8), nn.Dropout(0.1)),
        quantised(nn.Linear(MEMORY, 7), EightBit()),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="16C8/4 (8-bit weights) - 8 memory blocks of 16, 32 inside, 4 steps back and 2 ahead, whole-number skips - average over time - 7",
    network=network,
    epochs=12,
    data="watch_test",
    input=Input(type="int8", scale=1 / 64, offset=0.0, frame_shape=(AXES, 128)),
    kept=500,
    batch=50,
    augment=lambda frames: shift_and_scale(frames * 64) / 64,
    negative=0.0,
)

if __name__ == "__main__":
    train(RECIPE)
