"""Where registers and writable memories lie."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hwgen.fold import Fold
from hwgen.pipeline.address_map import address_map
from hwgen.pipeline.layout import lay_out
from hwgen.plan import Plan
from hwgen.rtl_templates.registers.registers import Register
from tests.small_networks import mlp


@pytest.fixture(scope="module")
def places():
    """Give a map of three layers, of which the first and the last are writable."""
    folds = {"dense0": Fold(pe=8, simd=8), "dense1": Fold(pe=1, simd=1), "dense2": Fold(pe=1, simd=2)}
    folds = {name: replace(fold, writable=name != "dense1") for name, fold in folds.items()}
    return address_map(lay_out(Plan(mlp(16, 8, 6, 4), folds)), network_id=77)


def test_only_writable_layers_have_memories_in_the_order_of_the_stages(places):
    assert places.stages == ("dense0", "dense1", "dense2")
    layers = [region.layer for region in places.regions]
    assert layers == sorted(layers)
    assert set(layers) == {"dense0", "dense2"}
    assert places.bases("dense1") == {}
    assert places.bases("dense0") == {
        region.memory: region.base for region in places.regions if region.layer == "dense0"
    }


def test_each_memory_is_at_a_multiple_of_its_size_behind_what_is_before_it(places):
    end = Register.BUSY + len(places.stages)
    for region in places.regions:
        size = len(region.contents.words) << region.contents.part_address_bits
        room = 1 << (size - 1).bit_length()
        assert region.base % room == 0
        assert end <= region.base < end + 2 * room
        end = region.base + size


def test_addresses_are_those_of_bytes(places):
    facts = places.facts()
    assert facts["registers"]["status"] == 4 * Register.STATUS
    assert facts["busy_cycles"] == {
        name: 4 * (Register.BUSY + number) for number, name in enumerate(("dense0", "dense1", "dense2"))
    }
    for region, memory in zip(places.regions, facts["memories"], strict=True):
        assert (memory["layer"], memory["memory"], memory["base"]) == (region.layer, region.memory, 4 * region.base)
        assert (memory["words"], memory["width"]) == (len(region.contents.words), region.contents.width)
        parts = -(-region.contents.width // 32)
        assert memory["bytes_per_word"] == 4 << (parts - 1).bit_length()
    assert max(memory["width"] for memory in facts["memories"]) > 32
    assert places.shape.network_id == 77
