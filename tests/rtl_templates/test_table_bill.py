"""Constant tables in logic, held to truth tables counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.rtl_templates.cost import MemoryKind, TableLogic
from hwgen.rtl_templates.memory import MemoryStyle
from hwgen.rtl_templates.table_bill import _different, _digests, table_logic, table_shape

A, B, C, D, E = np.arange(32) >> np.arange(5)[:, None] & 1


def logic(*columns: np.ndarray, words: int = 32) -> TableLogic:
    return table_logic(np.array(columns, dtype=np.uint8).T[:words])


@pytest.mark.parametrize("column", [A, B, E, A & E, A | E, A & B & E, A & (1 - E)])
def test_address_bits_are_wires_and_halves_that_stay_the_same_are_resets(column: np.ndarray) -> None:
    assert logic(column) == TableLogic(1, 0, 0)


def test_the_complement_of_an_address_bit_is_one_inverter() -> None:
    assert logic(1 - A) == TableLogic(1, 1, 0)
    assert logic(A, 1 - A) == TableLogic(2, 1, 0)
    assert logic(1 - E) == TableLogic(1, 1, 0)


def test_a_function_of_four_bits_is_one_lut_wherever_they_stand_below_the_top_one() -> None:
    assert logic(A ^ B) == TableLogic(1, 1, 0)
    assert logic(A ^ B ^ C ^ D, words=16) == TableLogic(1, 1, 0)


def test_a_function_beside_its_complement_is_an_inverter_more_and_beside_itself_nothing() -> None:
    assert logic(A ^ B, 1 - (A ^ B)) == TableLogic(2, 2, 0)
    assert logic(A ^ B, A ^ B) == TableLogic(1, 1, 0)


def test_a_fifth_bit_chooses_between_two_leaves() -> None:
    assert logic(np.where(E, A ^ B, C & D)) == TableLogic(1, 2, 1)
    assert logic(A ^ B ^ E) == TableLogic(1, 1, 1)
    assert logic(np.where(E, A ^ B, C & D), np.where(E, C & D, A ^ B)) == TableLogic(2, 2, 2)


def test_the_two_top_bits_of_six_are_a_choice_between_constants() -> None:
    e, f = np.arange(64) >> np.array([[4], [5]]) & 1
    assert logic(e, f, e & f, words=64) == TableLogic(3, 0, 0)
    assert logic(e ^ f, words=64) == TableLogic(1, 0, 1)


def test_constants_are_nothing() -> None:
    assert logic(0 * A, 0 * A + 1) == TableLogic(0, 0, 0)
    assert table_shape("t", np.zeros((8, 3), dtype=np.int64), 4, MemoryStyle.DISTRIBUTED, MemoryKind.ROM) is None


def test_words_beyond_the_last_need_no_choice() -> None:
    random = np.random.default_rng(0)
    words = random.integers(0, 2, 18)
    # Of 18 words the upper 16 addresses are two words again and again: a leaf of one address bit.
    words[16:] = (0, 1)
    words[:16] = (A ^ B ^ C ^ D)[:16]
    assert table_logic(words[:, None].astype(np.uint8)) == TableLogic(1, 1, 1)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 70), st.integers(1, 12), st.integers(0, 1 << 16))
def test_repeated_and_constant_bits_change_nothing(words: int, bits: int, seed: int) -> None:
    table = np.random.default_rng(seed).integers(0, 2, (words, bits)).astype(np.uint8)
    found = table_logic(table)
    more = np.hstack([table, table[:, :1], np.zeros((words, 1), np.uint8), np.ones((words, 1), np.uint8)])
    assert table_logic(more) == found
    assert found.columns <= bits
    leaves = -(-words // 16)
    assert found.leaves <= bits * (leaves + 1)
    assert found.stacks <= bits * (2 * leaves - 1)


def test_a_table_in_block_ram_has_its_varying_bits_alone() -> None:
    fields = np.arange(32)[:, None]
    shape = table_shape("t", fields, 8, MemoryStyle.BLOCK, MemoryKind.TABLE)
    assert shape is not None
    assert (shape.width, shape.logic) == (5, None)


def test_a_table_is_remembered_by_the_number_of_its_words_too() -> None:
    """Of 5 and of 6 words the packed bits can be the same; beyond 5 words nothing is asked, so bit 2 of the address is the table."""
    five = np.array([0, 0, 0, 0, 1], dtype=np.uint8)[:, None]
    six = np.vstack([five, np.zeros((1, 1), np.uint8)])
    for _ in range(2):
        assert table_logic(five) == TableLogic(1, 0, 0)
        assert table_logic(six) == TableLogic(1, 1, 0)


@pytest.mark.parametrize("bits", [1, 8, 9, 20])
def test_fields_are_their_lowest_bits_in_twos_complement(bits: int) -> None:
    fields = np.random.default_rng(bits).integers(-(1 << bits), 1 << bits, (40, 3))
    planes = np.concatenate([(fields >> bit & 1).astype(np.uint8) for bit in range(bits)], axis=1)
    shape = table_shape("t", fields, bits, MemoryStyle.DISTRIBUTED, MemoryKind.ROM)
    assert shape is not None and shape.logic == table_logic(planes)


@pytest.mark.parametrize("width", [1, 7, 8, 9, 24])
def test_rows_that_differ_in_any_bit_have_different_digests(width: int) -> None:
    """Also where the differences in two words are the same, or undo each other in a sum."""
    rows = [np.zeros(width, dtype=np.uint8)]
    for first in range(8 * width):
        for second in range(first, 8 * width):
            row = np.zeros(8 * width, dtype=np.uint8)
            row[[first, second]] = 1
            rows.append(np.packbits(row))
    assert len(set(_digests(np.array(rows)).tolist())) == len(rows)
    assert _different(np.array([*rows, *rows[::-1]])).tolist() == [row.tolist() for row in rows]
