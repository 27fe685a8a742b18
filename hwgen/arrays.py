"""Arrays in files: .npy in and out."""

from __future__ import annotations

import os
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np

from hwgen.errors import DataError, OptionError

__all__ = ["load_array", "save_array"]


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


def save_array(path: Path, array: np.ndarray) -> None:
    """Write a .npy file, whole or not at all.

    Raises
    ------
    OptionError
        If the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            np.save(file, array, allow_pickle=False)
        partial.replace(path)
    except OSError as error:
        raise OptionError(f"Cannot write '{path}': {(error.strerror or str(error)).lower()}") from None
    finally:
        with suppress(OSError):
            partial.unlink()
