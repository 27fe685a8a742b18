"""What a stimulus is: whole frames with their ends marked, and shares that make sense."""

import numpy as np
import pytest

from hwgen.arrays.beats import Beats, BeatSequence
from hwgen.codes import unsigned
from hwgen.errors import OptionError
from hwgen.sim.record import Stimulus

IN = BeatSequence((Beats(unsigned(8), 2, (6,)),))
OUT = BeatSequence((Beats(unsigned(16), 1, (5,)),))


def test_frames_become_beats_with_their_last_ones_marked() -> None:
    codes = np.arange(12).reshape(2, 6)
    stimulus = Stimulus.of_frames([codes], IN, OUT, stall=0.25, seed=7, resets=(3, 8), timeout_cycles=99)
    assert stimulus.beats.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11]]
    assert stimulus.last.tolist() == [False, False, True] * 2
    assert (stimulus.out_bytes, stimulus.out_beats) == (2, 10)
    assert (stimulus.stall_in, stimulus.stall_out, stimulus.seed) == (0.25, 0.25, 7)
    assert (stimulus.resets, stimulus.timeout_cycles, stimulus.writes) == ((3, 8), 99, None)


@pytest.mark.parametrize("share", [-0.01, 1.0])
@pytest.mark.parametrize("side", ["stall_in", "stall_out"])
def test_a_side_that_never_moves_is_refused(side: str, share: float) -> None:
    beats = np.zeros((1, 1), np.uint8)
    with pytest.raises(
        OptionError, match=f"^{side} is the share of cycles that pause, from 0 to below 1, not {share}$"
    ):
        Stimulus(beats, np.ones(1, bool), 1, 1, **{side: share})


@pytest.mark.parametrize(
    ("beats", "last"),
    [
        (np.zeros((2, 3), np.int64), np.zeros(2, bool)),
        (np.zeros(6, np.uint8), np.zeros(6, bool)),
        (np.zeros((2, 3), np.uint8), np.zeros(3, bool)),
    ],
)
def test_beats_without_a_tlast_each_are_refused(beats: np.ndarray, last: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"^Beats must be uint8 \(beats, bytes\) with a tlast each, not \("):
        Stimulus(beats, last, 1, 1)
