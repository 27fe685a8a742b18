"""Sums with factors and products of several streams, on the schedule of the pipeline that is stated."""

import random

import numpy as np
import pytest

from hwgen.rtl_templates.compute.combine import CombineUnit
from hwgen.rtl_templates.compute.number import Coding
from hwgen.rtl_templates.streams.elastic import ElasticPipeline
from hwgen.rtl_templates.streams.stream_check import pack, run_ports, unpack

LANES, CHANNELS, BEATS = 2, 4, 24
OUT = Coding(12, signed=True)
CODINGS = [Coding(3), Coding(4, signed=True), Coding(1, bipolar=True)]
ONES = np.ones((3, CHANNELS), dtype=np.int64)
FACTORS = {
    "ones": (ONES, 0),
    "signs": (ONES * [[1], [-1], [1]], 0),
    "shifts": (ONES * [[4], [-2], [1]], 0),
    "numbers": (ONES * [[3], [-5], [1]], 1),
    "by lane": (np.tile([[1, 3], [2, -1], [7, 1]], 2), 1),
    "by channel": (np.array([[1, 2, 3, 4], [-1, 5, 0, 7], [2, 2, 2, 2]]), 2),
}


def inputs() -> list[list[list[int]]]:
    """Give the numbers of each stream, beat and lane, extremes among them."""
    rng = random.Random(4)
    numbers = []
    for coding in CODINGS:
        every = [-1, 1] if coding.bipolar else [coding.low, coding.high, *range(coding.low, coding.high + 1)]
        numbers.append([rng.choices(every, k=LANES) for _ in range(BEATS)])
    return numbers


def patterns(numbers: list[int], coding: Coding) -> int:
    return pack([(number + 1) // 2 if coding.bipolar else number for number in numbers], coding.bits)


def results(
    unit: CombineUnit, numbers: list[list[list[int]]], **stalls
) -> tuple[list[list[int]], list[int], list[int]]:
    sent = {
        f"i_{k}": [patterns(beat, coding) for beat in stream]
        for k, (coding, stream) in enumerate(zip(unit.codings, numbers, strict=True))
    }
    found = run_ports(unit, sent, {"o": BEATS}, **stalls)
    values = [
        [v - (v >> OUT.bits - 1 << OUT.bits) for v in unpack(beat, LANES, OUT.bits)] for beat in found.payloads["o"]
    ]
    return values, found.taken["i_0"], found.given["o"]


@pytest.mark.parametrize(("factors", "scaling"), FACTORS.values(), ids=FACTORS)
@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_sums_are_exact_and_on_schedule(factors: np.ndarray, scaling: int, stall: float) -> None:
    numbers = inputs()
    unit = CombineUnit(lanes=LANES, codings=CODINGS, factors=factors, out_coding=OUT)
    values, taken, given = results(unit, numbers, source_stall=stall, sink_stall=stall, seed=2)
    assert values == [
        [
            sum(int(factors[k, beat * LANES % CHANNELS + lane]) * numbers[k][beat][lane] for k in range(3))
            for lane in range(LANES)
        ]
        for beat in range(BEATS)
    ]
    stages = CombineUnit.pipeline(LANES, 3, factors)
    assert stages == scaling + 2
    if not stall:
        latency, _ = ElasticPipeline.timing(stages, unit.width_out)
        assert taken == list(range(BEATS))
        assert given == list(range(latency, latency + BEATS))


@pytest.mark.parametrize("codings", [CODINGS, CODINGS[2:] * 2], ids=len)
def test_products_are_exact(codings: list[Coding]) -> None:
    numbers = [inputs()[CODINGS.index(coding)] for coding in codings]
    numbers = [stream[k:] + stream[:k] for k, stream in enumerate(numbers)]
    unit = CombineUnit(lanes=LANES, codings=codings, factors=None, out_coding=OUT)
    assert CombineUnit.pipeline(LANES, len(codings), None) == (len(codings) - 1).bit_length()
    values, *_ = results(unit, numbers)
    products = [
        [int(np.prod([stream[beat][lane] for stream in numbers])) for lane in range(LANES)] for beat in range(BEATS)
    ]
    assert values == products
