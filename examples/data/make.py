"""Write the kept test data: ``python -m examples.data.make``."""

import io
import lzma

import numpy as np

from examples.data.load import FOLDER
from examples.training.data import mnist, phishing, sentiment, watch

FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "pb": 0}]


def keep(name, codes, labels):
    """Write one data set, compressed without loss."""
    plain = io.BytesIO()
    np.savez(plain, codes=codes, labels=labels)
    packed = lzma.compress(plain.getvalue(), filters=FILTERS)
    (FOLDER / f"{name}.npz.xz").write_bytes(packed)
    print(f"{name}: {codes.shape} {codes.dtype}, {len(packed)} bytes")


def main():
    """Write the test parts of MNIST, of the watch, the phishing and the sentiment data."""
    keep("mnist_test", *mnist()["test"])
    keep("watch_test", *watch()["test"])
    keep("phishing_test", *phishing()["test"])
    keep("sentiment_test", *sentiment()["test"])


if __name__ == "__main__":
    main()
