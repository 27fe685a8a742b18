"""What a compile is said to take, held to what it took."""

from __future__ import annotations

import json

import pytest

from benchmarks import real_sizes
from hwgen.estimation.compile_cost import Sizes, cost_of, sizes_of
from tests.small_networks import mlp

MEASURED = json.loads(real_sizes.RECORD.read_text(encoding="utf-8"))
WHOLE = {name: facts for name, facts in MEASURED.items() if "build" in facts["phases"]}


def test_sizes_are_layers_weights_and_positions() -> None:
    assert sizes_of(mlp(24, 12, 5)) == Sizes(2, 24 * 12 + 12 * 5, 3)


@pytest.mark.parametrize("name", WHOLE)
def test_the_estimate_is_within_a_factor_of_two_of_what_was_measured(name: str) -> None:
    took = WHOLE[name]["phases"]
    found = cost_of(Sizes(**WHOLE[name]["sizes"]))
    assert 0.5 < found.seconds / sum(phase["processor"] for phase in took.values()) < 2
    assert 0.5 < found.megabytes / max(phase["peak_mb"] for phase in took.values()) < 2
