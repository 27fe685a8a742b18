"""Arrays in files: .npy and .npz in and out."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hwgen.errors import DataError, OptionError

__all__ = ["Frames", "check_arrays_path", "load_array", "load_arrays", "load_frames", "save_array", "save_arrays"]


Frames = str | Path | np.ndarray
"""Frames of one input, or their file."""


def load_array(path: Path) -> np.ndarray:
    """Read a .npy file; pickled objects are refused.

    Raises
    ------
    DataError
        If the file is missing, or is no array of numbers.
    """
    try:
        with open(path, "rb") as file:
            array = np.load(file, allow_pickle=False)
    except OSError as error:
        raise DataError(f"Cannot read '{path}': {(error.strerror or str(error)).lower()}") from None
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise DataError(f"'{path}' is not a .npy file of numbers; write it with numpy.save") from None
    if not isinstance(array, np.ndarray):
        raise DataError(f"'{path}' is an archive of arrays (.npz); save the one array with numpy.save as .npy")
    return array


def load_arrays(path: Path) -> np.ndarray | dict[str, np.ndarray]:
    """Read a .npy file, or a .npz file of arrays by their names.

    Raises
    ------
    DataError
        If the file is missing, or holds no arrays of numbers.
    """
    if path.suffix != ".npz":
        return load_array(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive)
    except OSError as error:
        raise DataError(f"Cannot read '{path}': {(error.strerror or str(error)).lower()}") from None
    except (ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile):
        raise DataError(f"'{path}' is not a .npz file of numbers; write it with numpy.savez") from None


def load_frames(given: Frames | Mapping[str, Frames]) -> np.ndarray | dict[str, np.ndarray]:
    """Read the frames of inputs as far as they are in files: one file, see `load_arrays`, or a .npy file for each input by its name.

    Raises
    ------
    DataError
        If a file is missing, or holds no arrays of numbers.
    """
    if isinstance(given, Mapping):
        return {name: one if isinstance(one, np.ndarray) else load_array(Path(one)) for name, one in given.items()}
    return given if isinstance(given, np.ndarray) else load_arrays(Path(given))


def save_array(path: Path, array: np.ndarray) -> None:
    """Write a .npy file, whole or not at all.

    Raises
    ------
    OptionError
        If the file cannot be written.
    """
    _save(path, lambda file: np.save(file, array, allow_pickle=False))


def check_arrays_path(path: Path, names: Sequence[str]) -> None:
    """Refuse a file whose ending does not suit the number of arrays.

    Raises
    ------
    OptionError
        Naming the file.
    """
    if len(names) > 1 and path.suffix != ".npz":
        listed = ", ".join(f"'{name}'" for name in names)
        raise OptionError(f"The outputs {listed} need a .npz file, which holds them by name, not '{path}'")
    if len(names) == 1 and path.suffix != ".npy":
        raise OptionError(f"Output '{names[0]}' is written as a .npy file, not as '{path}'; name it {path.stem}.npy")


def save_arrays(path: Path, arrays: np.ndarray | dict[str, np.ndarray]) -> None:
    """Write one array as .npy, or several by name as .npz, whole or not at all.

    Raises
    ------
    OptionError
        If the file cannot be written, or does not end in .npz where there are several.
    """
    if not isinstance(arrays, dict):
        save_array(path, arrays)
        return
    check_arrays_path(path, list(arrays))
    _save(path, lambda file: _write_archive(file, arrays))


def _write_archive(file: BinaryIO, arrays: dict[str, np.ndarray]) -> None:
    """Write what numpy.savez would; its own arguments would clash with an array named 'file'."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)


def _save(path: Path, write: Callable[[BinaryIO], None]) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            write(file)
        partial.replace(path)
    except OSError as error:
        raise OptionError(f"Cannot write '{path}': {(error.strerror or str(error)).lower()}") from None
    finally:
        with suppress(OSError):
            partial.unlink()
