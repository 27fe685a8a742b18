"""Train a binary perceptron on categorical features: an embedding table of signs, then dense layers of signs.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.embedding.train``.
"""

from pathlib import Path

from torch import nn

from examples.algorithms.train import Recipe, train
from examples.algorithms.weights import Sign as SignWeight
from examples.algorithms.weights import quantised
from examples.training.binary import Sign
from examples.training.record import Input

FEATURES, ROWS, WIDTH = 9, 32, 16


def network():
    """Return the untrained network; row ``3 * f + v`` of the table stands for value v of feature f, and five rows for none."""
    return nn.Sequential(
        *(quantised(nn.Embedding(ROWS, WIDTH), SignWeight()), nn.Flatten()),
        *(quantised(nn.Linear(FEATURES * WIDTH, 32, bias=False), SignWeight()), nn.BatchNorm1d(32), Sign()),
        *(nn.Dropout(0.2), quantised(nn.Linear(32, 2, bias=False), SignWeight()), nn.BatchNorm1d(2)),
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="9 codes of 5 bits - table 32 x 16 - 144 - 32 - 2",
    network=network,
    epochs=20,
    batch=50,
    data="phishing_test",
    input=Input(type="uint5", scale=1.0, offset=0.0, frame_shape=(FEATURES,), dtype="int64"),
    kept=250,
)

if __name__ == "__main__":
    train(RECIPE)
