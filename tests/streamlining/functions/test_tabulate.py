"""Runs of one value: searched for, or read off a full table."""

from __future__ import annotations

import numpy as np

from hwgen.streamlining.functions.tabulate import bisect, tabulate


def test_bisection_finds_what_a_full_table_holds(random):
    count = np.array([1, 2, 5000, 300_000, 17])
    edges = np.sort(random.integers(0, 300_000, (5, 40)), axis=1)
    sign = np.array([1, -1, 1, -1, 1])

    def function(k, element):
        return (sign[element] * np.sum(edges[element][None] <= k[..., None], axis=-1)).astype(float)[None]

    full, found = tabulate(function, count), bisect(function, count, 1000)
    for name in ("element", "start", "end", "values"):
        np.testing.assert_array_equal(getattr(full, name), getattr(found, name))
    assert bisect(function, count, 20) is None


def test_tabulation_stops_where_there_are_more_runs_than_a_table_has_entries() -> None:
    def magnitudes(k: np.ndarray, element: np.ndarray) -> np.ndarray:
        return np.abs(k - 500_000)[None].astype(np.float64) + 0 * element

    asked = []

    def counted(k: np.ndarray, element: np.ndarray) -> np.ndarray:
        asked.append(k.size)
        return magnitudes(k, element)

    count = np.full(24, 1_000_000)
    assert tabulate(counted, count, limit=1 << 16) is None
    assert sum(asked) < count.sum() / 4
    full = tabulate(magnitudes, count[:1], limit=1_000_000)
    assert full is not None and len(full.element) == 1_000_000
