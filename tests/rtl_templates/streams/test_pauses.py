"""When the sides of a stream pause: for single cycles, and for longer than a frame."""

import itertools

import pytest

from hwgen.rtl_templates.streams.pauses import Pauses

CYCLES = 20_000


def drawn(*options: object, cycles: int = CYCLES, **named: object) -> list[bool]:
    pauses = Pauses(*options, **named)
    return [pauses() for _ in range(cycles)]


def runs(pauses: list[bool]) -> list[tuple[bool, int]]:
    return [(value, len(list(group))) for value, group in itertools.groupby(pauses)]


@pytest.mark.parametrize("held", [False, True])
def test_no_share_is_no_pause(held: bool) -> None:
    assert not any(drawn(3, 0, 100, 5, held))


def test_without_bursts_each_cycle_is_decided_anew() -> None:
    pauses = drawn(3, 300)
    assert abs(sum(pauses) / CYCLES - 0.3) < 0.02
    assert max(length for value, length in runs(pauses) if value) < 12


@pytest.mark.parametrize("seed", range(5))
def test_bursts_reach_the_longest_again_and_again_and_never_pass_it_by_much(seed: int) -> None:
    lengths = [length for value, length in runs(drawn(seed, 300, 200, 20)) if value]
    assert sum(length > 100 for length in lengths) >= 4
    assert sum(length == 1 for length in lengths) > 500
    assert max(lengths) < 800


@pytest.mark.parametrize("seed", range(5))
def test_in_the_beginning_a_sink_is_held_and_slow_and_a_source_free_and_slow(seed: int) -> None:
    sink = drawn(seed, 300, 5000, 20, held=True, cycles=10_000)
    assert sink[:5000] == [True] * 5000
    assert abs(sink[5000:].count(False) - 5000 / 20) < 50
    source = drawn(seed, 300, 5000, 20, cycles=15_000)
    assert source[:10_000] == [False] * 10_000
    assert abs(source[10_000:].count(False) - 5000 / 20) < 50


def test_a_seed_gives_the_same_pauses_again_and_another_one_others() -> None:
    assert drawn(7, 400, 60, 9) == drawn(7, 400, 60, 9)
    assert drawn(7, 400, 60, 9) != drawn(8, 400, 60, 9)
