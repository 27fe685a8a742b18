"""The threshold unit in its own terms: counts of levels reached, or not reached."""

import numpy as np
import pytest
from amaranth.hdl import signed, unsigned

from hwgen.rtl_templates.compute.threshold import ThresholdUnit
from hwgen.rtl_templates.memory import MemoryStyle
from hwgen.rtl_templates.streams.stream_check import pack, run, unpack


def ref(numbers, levels, falling):
    """Count for numbers (pixels, channels) and levels (channels, steps)."""
    reached = np.sum(numbers[..., None] >= levels, axis=-1)
    return np.where(falling, levels.shape[-1] - reached, reached)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7, 8, 15, 255])
@pytest.mark.parametrize("shape", [signed(7), unsigned(7)])
@pytest.mark.parametrize("style", [MemoryStyle.AUTO, MemoryStyle.DISTRIBUTED])
def test_every_number_is_counted_at_the_stated_latency(steps, shape, style):
    random = np.random.default_rng(steps)
    low = -64 if shape.signed else 0
    falling = np.array([False, True, True, False])
    levels = np.sort(random.integers(low - 3, low + 132, (4, steps)), axis=-1)
    numbers = np.repeat(np.arange(low, low + 128)[:, None], 4, axis=1)
    bits = max(1, steps.bit_length())
    unit = ThresholdUnit(
        lanes=2, in_shape=shape, levels=levels[None], falling=falling.tolist(), low=0, out_bits=bits, style=style
    )
    result = run(unit, [pack(beat, 7) for beat in numbers.reshape(-1, 2)], 256)
    codes = [unpack(beat, 2, bits) for beat in result.payloads]
    assert np.array_equal(np.reshape(codes, (-1, 4)), ref(numbers, levels, falling))
    assert result.given[0] == ThresholdUnit.pipeline(steps) + 1
    assert result.given == list(range(result.given[0], result.given[0] + 256))


def test_low_moves_the_codes_modulo_their_width():
    unit = ThresholdUnit(
        lanes=1, in_shape=signed(3), levels=np.array([[[-1, 0, 2]]]), falling=[False], low=-2, out_bits=2
    )
    assert run(unit, [pack([number], 3) for number in (-4, -1, 0, 3)], 4).payloads == [2, 3, 0, 1]


def test_levels_that_hold_for_every_beat_take_no_memory():
    levels = np.broadcast_to([[[3, 5, 9]]], (1, 8, 3))
    unit = ThresholdUnit(lanes=2, in_shape=unsigned(4), levels=levels, falling=[False] * 8, low=0, out_bits=2)
    assert len(list(unit.memory_shapes())) == 2
    assert {stage for stage, _, _ in unit.memory_shapes()} == {1}
    assert run(unit, [pack([n, n], 4) for n in range(16)], 16).payloads == [
        pack([c, c], 2) for c in np.searchsorted([3, 5, 9], np.arange(16), side="right").tolist()
    ]
