"""Read the kept test data; needs NumPy only."""

import functools
import lzma
from pathlib import Path

import numpy as np

from examples.data.derive import VIEWS

FOLDER = Path(__file__).parent


@functools.cache
def load(name):
    """Return the kept data set `name`, or one that `examples.data.derive` makes of it, as (codes, labels), which cannot be written.

    Parameters
    ----------
    name : str
        "mnist_test": uint8 [10000, 28, 28]; "watch_test": int8 [n, 6, 128]; "phishing_test": uint8 [250, 9].
        Labels are uint8. Derived: a key of `examples.data.derive.VIEWS`.
    """
    if name in VIEWS:
        kept, derive = VIEWS[name]
        data = derive(*load(kept))
    else:
        with lzma.open(FOLDER / f"{name}.npz.xz") as file, np.load(file) as arrays:
            data = arrays["codes"], arrays["labels"]
    for array in data:
        array.flags.writeable = False
    return data
