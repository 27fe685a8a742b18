"""Accumulators become codes: by thresholds or as they are, by the row of the table that is due."""

import random

import numpy as np
import pytest

from hwgen.rtl_templates.compute.activation import Activation, Levels, Scores
from hwgen.rtl_templates.cost import CarryChain, Part
from hwgen.rtl_templates.streams.stream_check import pack, unpack
from tests.rtl_templates.playing import play

BOUNDS, LANES, CHANNELS = (-9, 14), 2, 4
ROWS, COLUMNS = (0, 1), (0, 1, 0)
"""Classes of a map of 2 x 3 positions: four in all."""


def table(entries: int, low: int, high: int, classes: int) -> np.ndarray:
    return np.sort(np.random.default_rng(entries).integers(low, high + 1, (classes, CHANNELS, entries)))


def codes(unit: Activation, totals: list[list[int]]) -> list[list[int]]:
    """Give the codes of totals, a group a cycle, each announced as early as the table needs."""
    ahead, late, found = unit.ahead, unit.output.latency, []

    async def bench(ctx):
        for cycle in range(len(totals) + ahead + late):
            ctx.set(unit.step, cycle < len(totals))
            ctx.set(
                unit.totals,
                pack(totals[cycle - ahead] if 0 <= cycle - ahead < len(totals) else [0, 0], unit.total.width),
            )
            await ctx.delay(1e-8)
            if cycle >= ahead + late:
                found.append(unpack(ctx.get(unit.codes), LANES, unit.output.bits))
            await ctx.tick()

    play(unit, bench)
    return found


def groups(frames: int = 2) -> list[tuple[int, int]]:
    """Give class and first channel of each group of channels, position after position."""
    positions = [row * 2 + column for row in ROWS for column in COLUMNS]
    return [(each, first) for _ in range(frames) for each in positions for first in range(0, CHANNELS, LANES)]


def totals_for(count: int) -> list[list[int]]:
    rng = random.Random(count)
    return [[rng.choice([*BOUNDS, rng.randint(*BOUNDS)]) for _ in range(LANES)] for _ in range(count)]


@pytest.mark.parametrize("ahead", [1, 2])
@pytest.mark.parametrize("steps", [1, 2, 3, 6])
def test_codes_count_the_levels_of_their_class_and_channel(steps: int, ahead: int) -> None:
    levels = table(steps, BOUNDS[0], BOUNDS[1] + 1, 4)
    output = Levels(levels, low=-2, bits=3)
    assert output.latency == (steps > 1)
    unit = Activation(lanes=LANES, bounds=BOUNDS, output=output, rows=ROWS, columns=COLUMNS, ahead=ahead)
    turns = groups()
    totals = totals_for(len(turns))
    expected = [
        [int(-2 + np.sum(total >= levels[where, first + lane])) % 8 for lane, total in enumerate(row)]
        for (where, first), row in zip(turns, totals, strict=True)
    ]
    assert codes(unit, totals) == expected


@pytest.mark.parametrize("scale", [1, 2])
def test_scores_are_the_total_and_an_offset(scale: int) -> None:
    offsets = table(1, -20, 20, 4)
    unit = Activation(
        lanes=LANES, bounds=BOUNDS, output=Scores(offsets, scale=scale, bits=6), rows=ROWS, columns=COLUMNS
    )
    turns = groups()
    totals = totals_for(len(turns))
    assert codes(unit, totals) == [
        [int(scale * total + offsets[where, first + lane, 0]) % 64 for lane, total in enumerate(row)]
        for (where, first), row in zip(turns, totals, strict=True)
    ]


@pytest.mark.parametrize(
    ("output", "width"),
    [(Levels(table(3, -9, 15, 1), low=0, bits=2), 30), (Scores(table(1, 0, 7, 1), scale=1, bits=7), 14)],
    ids=lambda value: type(value).__name__,
)
def test_a_word_holds_the_entries_of_its_lanes(output: Levels | Scores, width: int) -> None:
    unit = Activation(lanes=LANES, bounds=BOUNDS, output=output)
    assert unit.memories["table"].width == width
    assert len(unit.memories["table"].words) == CHANNELS // LANES
    codes(unit, totals_for(2))


def test_a_bill_has_adders_for_scores_and_comparisons_for_levels():
    """An offset of 12 leaves the lowest two bits of seven alone; the scale of 2 has a bit that is always zero."""
    offsets = np.array([[[12], [0], [12], [0]]])
    bill = Activation.bill("scores", lanes=LANES, bounds=BOUNDS, output=Scores(offsets, 1, 7))
    assert bill.chains == {CarryChain(Part.ADDER_BIT, 5, False): 1}
    bill = Activation.bill("scores", lanes=LANES, bounds=BOUNDS, output=Scores(offsets + 1, 2, 7))
    assert bill.chains == {CarryChain(Part.ADDER_BIT, 6, False): LANES}
    bill = Activation.bill("levels", lanes=LANES, bounds=BOUNDS, output=Levels(table(3, *BOUNDS, 1), 0, 2))
    assert Part.ADDER_BIT not in {chain.part for chain in bill.chains}
    assert bill.parts[Part.OTHER] >= LANES
