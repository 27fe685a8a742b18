"""Packing codes into beats is exact for any width and number of lanes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.arrays.beats import Beats, BeatSequence, pack, unpack
from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned
from hwgen.errors import DataError


def ref(codes: np.ndarray, type: CodeType, lanes: int) -> list[bytes]:
    """Pack with Python's integers, one beat at a time."""
    size = -(-lanes * type.bits // 8)
    beats = []
    for row in codes.reshape(-1, lanes):
        fields = [(int(c) > 0) if type.bipolar else int(c) % (1 << type.bits) for c in row]
        beats.append(sum(field << (type.bits * lane) for lane, field in enumerate(fields)).to_bytes(size, "little"))
    return beats


types = st.one_of(
    st.sampled_from([BIPOLAR, TERNARY]),
    st.builds(unsigned, st.integers(1, 40)),
    st.builds(signed, st.integers(1, 41)),
    st.builds(lambda low, span: CodeType(low, low + span), st.integers(-5000, 5000), st.integers(0, 9000)),
)


@settings(max_examples=150, deadline=None)
@given(types, st.integers(1, 40) | st.sampled_from([784, 2049]), st.integers(0, 5), st.integers(0, 2**32))
def test_pack_is_the_definition_and_unpack_its_inverse(type, lanes, beats, seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(type.low, type.high, size=(beats, lanes), endpoint=True)
    if type.bipolar:
        codes = np.where(codes >= 0, 1, -1)
    packed = pack(codes, type, lanes)
    assert packed.dtype == np.uint8
    assert [row.tobytes() for row in packed] == ref(codes, type, lanes)
    assert np.array_equal(unpack(packed, type, lanes), codes)


@pytest.mark.parametrize("type", [signed(24), unsigned(40), CodeType(-(2**39), 2**39 - 1), BIPOLAR])
def test_extremes_survive(type):
    codes = np.array([[type.low, type.high, type.high, type.low]])
    assert np.array_equal(unpack(pack(codes, type, 4), type, 4), codes)


def test_frames_keep_their_shape():
    layout = Beats(unsigned(3), 2, (3, 5, 4))
    codes = np.random.default_rng(1).integers(0, 8, size=(7, 3, 5, 4))
    packed = layout.pack(codes)
    assert packed.shape == (7 * layout.count, layout.bytes) == (210, 1)
    assert np.array_equal(layout.unpack(packed), codes)


def test_wrong_data_is_refused():
    with pytest.raises(DataError, match="must be uint3; they span 0 to 8"):
        pack(np.array([0, 8]), unsigned(3), 1)
    with pytest.raises(DataError, match="5 codes do not fill beats of 2 lanes"):
        pack(np.zeros(5, np.int64), unsigned(3), 2)
    with pytest.raises(DataError, match="have 2 bytes"):
        unpack(np.zeros((4, 3), np.uint8), unsigned(3), 4)
    with pytest.raises(DataError, match=r"A frame has shape \(4,\), not \(5,\)"):
        Beats(unsigned(3), 2, (4,)).pack(np.zeros((1, 5), np.int64))
    with pytest.raises(ValueError, match="3 lanes do not divide a frame of 4 codes"):
        Beats(unsigned(3), 3, (4,))


def test_maps_one_after_the_other_have_beats_of_the_widest():
    parts = (Beats(BIPOLAR, 2, (4,)), Beats(signed(12), 1, (2, 3)), Beats(unsigned(3), 3, (3,)))
    sequence = BeatSequence(parts)
    assert (sequence.count, sequence.bits, sequence.bytes) == (2 + 6 + 1, 12, 2)
    random = np.random.default_rng(0)
    maps = (
        random.choice(np.array([-1, 1]), (5, 4)),
        random.integers(-2048, 2048, (5, 2, 3)),
        random.integers(0, 8, (5, 3)),
    )
    beats = sequence.pack(maps)
    assert beats.shape == (5 * 9, 2)
    for frame, rows in enumerate(beats.reshape(5, 9, 2)):
        own = [part.pack(codes[frame : frame + 1]) for part, codes in zip(parts, maps, strict=True)]
        assert [row.tobytes() for row in rows] == [row.tobytes().ljust(2, b"\0") for part in own for row in part]
    for again, codes in zip(sequence.unpack(beats), maps, strict=True):
        assert np.array_equal(again, codes)
    with pytest.raises(DataError, match="Beats of 12 bits have 2 bytes"):
        sequence.unpack(beats[:, :1])


def test_a_single_frame_may_be_a_transposed_view() -> None:
    codes = np.arange(12).reshape(1, 3, 2, 2).transpose(0, 2, 3, 1)
    assert np.array_equal(pack(codes, unsigned(4), 3), pack(codes.copy(), unsigned(4), 3))
