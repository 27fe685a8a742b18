"""Read the kept test data; needs NumPy only."""

import functools
import lzma
from pathlib import Path

import numpy as np

from examples.data.derive import VIEWS
from examples.data.shapes import pairs, solids

FOLDER = Path(__file__).parent


MADE = {"solids": (solids, 2000), "solid_pairs": (pairs, 1000)}
"""Name of each set that comes from no other: the function that makes it of a count and a seed, and how many frames test."""


@functools.cache
def load(name):
    """Return the kept data set `name`, or one that is made of it or of nothing, as (codes, labels), which cannot be written.

    Parameters
    ----------
    name : str
        "mnist_test": uint8 [10000, 28, 28]; "watch_test": int8 [n, 6, 128]; "phishing_test": uint8 [250, 9];
        "sentiment_test": uint16 [1000, 32].
        Labels are uint8. Derived: a key of `examples.data.derive.VIEWS`. Made: a key of `MADE`.
    """
    if name in VIEWS:
        kept, derive = VIEWS[name]
        data = derive(*load(kept))
    elif name in MADE:
        make, count = MADE[name]
        data = make(count, seed=1)
    else:
        with lzma.open(FOLDER / f"{name}.npz.xz") as file, np.load(file) as arrays:
            data = arrays["codes"], arrays["labels"]
    for array in data:
        array.flags.writeable = False
    return data
