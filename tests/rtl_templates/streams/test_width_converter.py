"""Width converters: order of the parts, the schedules of the pipeline's stages, stalls and reset."""

import random

import numpy as np
import pytest

from hwgen.rtl_templates.streams.stream_check import pack, run, unpack
from hwgen.rtl_templates.streams.width_converter import DownConverter, UpConverter
from hwgen.timing.predict import predict
from hwgen.timing.schedule import Schedule

SHAPES = [(1, 2), (3, 2), (4, 3), (8, 5), (1, 16)]
BEATS = 4


def ref_up(beats, width, ratio):
    return [pack(beats[first : first + ratio], width) for first in range(0, len(beats), ratio)]


def ref_down(beats, width, ratio):
    return [part for beat in beats for part in unpack(beat, ratio, width)]


def words(count, width):
    rng = random.Random(width)
    return [rng.getrandbits(width) for _ in range(count)]


def up_schedule(ratio):
    every = np.arange(BEATS * ratio)
    return Schedule.through(
        len(every), events=every, accept=every, emit=every[ratio - 1 :: ratio], latency=1, slots=1, slot_return=0
    )


def down_schedule(ratio):
    every = np.arange(BEATS * ratio)
    return Schedule.through(
        len(every), events=every, accept=every[::ratio], emit=every, latency=1, slots=1, slot_return=0
    )


@pytest.mark.parametrize(("width", "ratio"), SHAPES)
def test_up_converter_gathers_on_schedule(width, ratio):
    sent = words(3 * BEATS * ratio, width)
    result = run(UpConverter(width, ratio), sent, 3 * BEATS)
    prediction = predict([up_schedule(ratio)], 3)
    assert result.payloads == ref_up(sent, width, ratio)
    assert (result.taken, result.given) == (prediction.transfers[0].tolist(), prediction.transfers[1].tolist())


@pytest.mark.parametrize(("width", "ratio"), SHAPES)
def test_down_converter_splits_on_schedule(width, ratio):
    sent = words(3 * BEATS, width * ratio)
    result = run(DownConverter(width, ratio), sent, 3 * BEATS * ratio)
    prediction = predict([down_schedule(ratio)], 3)
    assert result.payloads == ref_down(sent, width, ratio)
    assert (result.taken, result.given) == (prediction.transfers[0].tolist(), prediction.transfers[1].tolist())


@pytest.mark.parametrize(("width", "ratio"), SHAPES)
@pytest.mark.parametrize("stalls", [(0.0, 0.5), (0.5, 0.0), (0.4, 0.4)])
def test_stalls_and_reset_lose_nothing(width, ratio, stalls):
    source_stall, sink_stall = stalls
    options = {"source_stall": source_stall, "sink_stall": sink_stall, "reset_at": 2 * ratio + 1}
    narrow, wide = words(8 * ratio, width), words(8, width * ratio)
    assert run(UpConverter(width, ratio), narrow, 8, **options).payloads == ref_up(narrow, width, ratio)
    assert run(DownConverter(width, ratio), wide, 8 * ratio, **options).payloads == ref_down(wide, width, ratio)


def test_parts_of_the_next_beat_come_in_while_the_last_waits():
    result = run(UpConverter(4, 3), words(9, 4), 3, sink_opens_at=30)
    assert sum(cycle < 30 for cycle in result.taken) == 5


@pytest.mark.usefixtures("refused_components")
@pytest.mark.parametrize(
    ("converter", "message"), [(UpConverter, "at least 2 beats, not 1"), (DownConverter, "at least 2 parts, not 1")]
)
def test_a_ratio_of_one_is_refused(converter, message):
    with pytest.raises(ValueError, match=message):
        converter(8, 1)
