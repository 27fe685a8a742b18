"""Arrays in files."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.arrays.files import load_array, load_arrays, save_array, save_arrays
from hwgen.errors import DataError, OptionError


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    x = np.arange(6, dtype=np.int8).reshape(2, 3)
    save_array(tmp_path / "x.npy", x)
    assert np.array_equal(load_array(tmp_path / "x.npy"), x)
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"x\.npy' is not a \.npy file of numbers"):
        load_array(tmp_path / "x.npy")


def test_an_archive_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros(3))
    with pytest.raises(DataError, match="archive of arrays"):
        load_array(tmp_path / "x.npz")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x93NUMPY", b"PK\x03\x04broken"])
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(DataError, match="is not a"):
        load_array(tmp_path / "x.npy")


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(100))
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-8])
    with pytest.raises(DataError, match="is not a"):
        load_array(tmp_path / "x.npy")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Cannot read '.*x\.npy': no such file"):
        load_array(tmp_path / "x.npy")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match=r"Cannot write '.*y\.npy': not a directory"):
        save_array(tmp_path / "file" / "y.npy", np.zeros(1))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_several_arrays_keep_their_names(tmp_path: Path) -> None:
    arrays = {"file": np.arange(3), "a.b/c": np.ones((2, 2), dtype=np.float32)}
    save_arrays(tmp_path / "y.npz", arrays)
    again = load_arrays(tmp_path / "y.npz")
    assert list(again) == list(arrays)
    assert all(np.array_equal(again[name], array) for name, array in arrays.items())
    with pytest.raises(OptionError, match=r"The outputs 'file', 'a\.b/c' need a \.npz file, .*not '.*y\.npy'"):
        save_arrays(tmp_path / "y.npy", arrays)
    assert [path.name for path in tmp_path.iterdir()] == ["y.npz"]


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    with open(tmp_path / "x.npz", "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match=r"'.*x\.npz' is not a \.npz file of numbers"):
        load_arrays(tmp_path / "x.npz")
