"""Packed bits, against bits one by one."""

import numpy as np
import pytest

from hwgen.golden.bits import TABLE_ROWS, as_words, count_type, difference_count, pack_bits, unpack_bits


@pytest.mark.parametrize("channels", [1, 7, 8, 9, 24])
def test_the_first_bit_is_the_lowest_and_the_rest_of_a_byte_is_zero(channels):
    ones = np.random.default_rng(channels).integers(0, 2, (3, 2, channels)).astype(bool)
    packed = pack_bits(ones)
    assert packed.shape == (3, 2, -(-channels // 8))
    for place in np.ndindex(3, 2):
        number = sum(int(bit) << at for at, bit in enumerate(ones[place]))
        assert int.from_bytes(packed[place].tobytes(), "little") == number
    assert unpack_bits(packed, channels).tolist() == np.where(ones, 1, -1).tolist()


@pytest.mark.parametrize(("length", "size"), [(1, 1), (2, 2), (3, 1), (4, 4), (6, 2), (12, 4), (16, 8)])
def test_words_are_the_widest_that_divide_a_row(length, size):
    words = as_words(np.zeros((2, length), np.uint8))
    assert (words.dtype.itemsize, words.shape) == (size, (2, length // size))


@pytest.mark.parametrize(("length", "kind"), [(31, np.uint8), (32, np.uint16), (8191, np.uint16), (8192, np.uint32)])
def test_counts_hold_one_more_than_all_bits(length, kind):
    assert count_type(length) is kind
    assert 8 * length + 1 <= np.iinfo(kind).max


@pytest.mark.parametrize("rows", [1, TABLE_ROWS, TABLE_ROWS + 1, TABLE_ROWS + 2])
@pytest.mark.parametrize("length", [1, 31, 32, 63, 511, 512])
def test_differences_of_few_and_of_many_rows(rows, length):
    random = np.random.default_rng(rows + length)
    weights, x = (random.integers(0, 256, (count, length), dtype=np.uint8) for count in (rows, 5))
    weights[0], x[0], x[1] = 0, 255, weights[-1]
    counts = difference_count(weights)(x)
    assert counts.dtype == count_type(length)
    assert counts.tolist() == np.bitwise_count(x[:, None] ^ weights).sum(axis=2).tolist()
