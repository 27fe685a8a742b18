"""Folding options in any combination: each layer kind builds them, or refuses them in a sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from amaranth.hdl import Fragment
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import BIPOLAR, CodeType
from hwgen.errors import OptionError
from hwgen.fold import Fold, LaneStyle, MemoryStyle, WindowStyle
from hwgen.layers.protocol import Layer, Writable, interval_of
from hwgen.layers.select import Select
from hwgen.layers.topk import TopK
from hwgen.network import Network
from tests.random_networks import graphs
from tests.small_networks import mlp

OPTIONS: dict[str, tuple[Any, ...]] = {
    "window": tuple(WindowStyle),
    "fetch_registers": (0, 1, 4),
    "lanes": tuple(LaneStyle),
    "memory": tuple(MemoryStyle),
    "slots": (None, 1, 2, 4096),
    "buffer_beats": (None, 1, 2, 5, 4096),
    "weights": (None, BIPOLAR, CodeType(-8, 7), CodeType(0, 1)),
    "pe": (1, 2, 3),
    "simd": (1, 2, 3, 36),
}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(network=graphs(), data=st.data())
def test_options_in_any_combination_are_built_or_refused(network: Network, data: st.DataObject) -> None:
    layer = data.draw(st.sampled_from(network.layers))
    fold = data.draw(st.sampled_from(list(layer.folding.folds())))
    chosen = data.draw(st.lists(st.sampled_from(sorted(OPTIONS)), min_size=1, max_size=3, unique=True))
    fold = replace(fold, **{name: data.draw(st.sampled_from(OPTIONS[name])) for name in chosen})
    if isinstance(layer, Writable) and data.draw(st.booleans()):
        fold = layer.writable(fold)
    try:
        layer.folding.check(fold)
    except OptionError as error:
        assert layer.name in str(error)
        return
    assert interval_of(layer, fold) == layer.timing(fold).interval > 0
    layer.resources(fold)
    Fragment.get(layer.component(fold), None)


WITHOUT_WINDOW: tuple[Layer, ...] = (
    mlp(12, 8).layers[0],
    TopK("best", "x", (1, 1, 8), BIPOLAR, 2, True),
    Select("some", "x", (1, 1, 8), BIPOLAR, (0, 1, 2, 3)),
)


@pytest.mark.parametrize("layer", WITHOUT_WINDOW, ids=lambda layer: type(layer).__name__)
def test_a_parallel_window_is_for_layers_that_have_one(layer: Layer) -> None:
    fold = next(iter(layer.folding.folds()))
    with pytest.raises(OptionError, match=f"Layer '{layer.name}' has no window to hand over in parallel"):
        layer.folding.check(replace(fold, window=WindowStyle.PARALLEL, fetch_registers=1))


@pytest.mark.parametrize("layer", WITHOUT_WINDOW[1:], ids=lambda layer: type(layer).__name__)
def test_spram_is_for_layers_that_have_weights(layer: Layer) -> None:
    fold: Fold = next(iter(layer.folding.folds()))
    with pytest.raises(OptionError, match=f"Layer '{layer.name}' has no weights for SPRAM"):
        layer.folding.check(replace(fold, memory=MemoryStyle.SPRAM))
