"""Embedding: golden by definition, hardware equal to golden on the predicted cycles."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import BIPOLAR, CodeType, signed, unsigned
from hwgen.devices.boards import find_device
from hwgen.errors import OptionError
from hwgen.estimation.estimate import estimate
from hwgen.fold import Fold, MemoryStyle
from hwgen.layers.embedding import Embedding
from tests.layers.channelwise_cases import assert_hardware_is_golden, folds, random_codes, seeds, types

EMBEDDING = Embedding("words", "x", (1, 4, 1), unsigned(2), np.arange(24).reshape(4, 6), unsigned(5))


@st.composite
def layers(draw: st.DrawFn) -> Embedding:
    entries, dimensions, out_type = draw(st.integers(1, 9)), draw(st.integers(1, 6)), draw(types)
    low = draw(st.integers(0, entries - 1))
    table = random_codes(np.random.default_rng(draw(seeds)), out_type, (entries, dimensions))
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 4)), 1)
    return Embedding("words", "x", shape, CodeType(low, draw(st.integers(low, entries - 1))), table, out_type)


def test_golden_reads_the_row_of_each_symbol():
    layer = replace(EMBEDDING, in_shape=(2, 1, 1))
    assert layer.golden(np.array([[[[3]], [[0]]]])).tolist() == [[[[18, 19, 20, 21, 22, 23]], [[0, 1, 2, 3, 4, 5]]]]
    assert layer.out_shape == (2, 1, 6)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data(), layer=layers(), seed=seeds)
def test_hardware_is_golden(data: st.DataObject, layer: Embedding, seed: int):
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


@pytest.mark.parametrize("pe", [1, 4, 16])
def test_a_large_table_lies_in_block_ram(pe: int):
    table = random_codes(np.random.default_rng(pe), signed(3), (300, 16))
    layer = Embedding("words", "x", (1, 7, 1), CodeType(0, 299), table, signed(3))
    *_, memory = layer.resources(Fold(pe=pe)).memories
    assert (memory.depth, memory.width, memory.style) == (300 * 16 // pe, 3 * pe, MemoryStyle.BLOCK)
    assert_hardware_is_golden(layer, Fold(pe=pe), pe)


@pytest.mark.parametrize(
    ("shape", "kind", "fold", "luts", "ffs", "brams"),
    [
        ((40, 16), unsigned(4), Fold(pe=4), 68, 56, 1),
        ((300, 32), BIPOLAR, Fold(pe=8), 75, 58, 1),
        ((20, 8), signed(8), Fold(pe=8, memory=MemoryStyle.DISTRIBUTED), 251, 92, 0),
        ((27, 12), unsigned(3), Fold(pe=2, memory=MemoryStyle.DISTRIBUTED), 224, 56, 0),
        ((64, 64), BIPOLAR, Fold(pe=16, memory=MemoryStyle.BLOCK), 59, 53, 1),
    ],
)
def test_its_bill_is_near_what_yosys_maps(
    shape: tuple[int, int], kind: CodeType, fold: Fold, luts: int, ffs: int, brams: int
):
    """Counts are those of `synth_ecp5` as `benchmarks.resources.measure` calls it, tables drawn as there."""
    random = np.random.default_rng([*shape, fold.pe])
    table = random.choice([-1, 1], shape) if kind.bipolar else random.integers(kind.low, kind.high + 1, shape)
    layer = Embedding("layer", "x", (1, 8, 1), CodeType(0, shape[0] - 1), table, kind)
    found = estimate(layer.resources(fold), find_device("ecp5-25"))
    assert found.brams == brams
    assert found.luts == pytest.approx(luts, rel=0.1)
    assert found.ffs == pytest.approx(ffs, rel=0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"in_shape": (1, 4, 2)}, "Layer 'words' takes one symbol at each position, not 2"),
        ({"table": np.arange(4)}, r"Layer 'words' needs a table of shape \(entries, dimensions\), not \(4,\)"),
        ({"table": np.zeros((4, 0), int)}, r"needs a table of shape \(entries, dimensions\), not \(4, 0\)"),
        ({"in_type": unsigned(3)}, r"Layer 'words' has a table of 4 entries, but symbols are 0\.\.7"),
        ({"in_type": signed(2)}, r"Layer 'words' has a table of 4 entries, but symbols are -2\.\.1"),
        ({"out_type": BIPOLAR}, "Layer 'words': the table holds values that are no bipolar codes"),
    ],
)
def test_an_inconsistent_record_is_refused(change: dict, message: str):
    EMBEDDING.check()
    with pytest.raises(ValueError, match=message):
        replace(EMBEDDING, **change).check()


def test_an_illegal_folding_is_refused():
    with pytest.raises(OptionError, match=r"PE must divide 6 channels, not 4 \(layer 'words'\): use 3 or 6"):
        EMBEDDING.folding.check(Fold(pe=4))
