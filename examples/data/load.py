"""Read the kept test data; needs NumPy only."""

import lzma
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent


def load(name):
    """Return the kept data set `name` as (codes, labels).

    Parameters
    ----------
    name : str
        "mnist_test": uint8 [10000, 28, 28]; "watch_test": int8 [n, 6, 128]. Labels are uint8.
    """
    with lzma.open(FOLDER / f"{name}.npz.xz") as file, np.load(file) as arrays:
        return arrays["codes"], arrays["labels"]
