"""Train the network with real weights and activations that the robustness of the binary ones is held to, and keep its accuracies.

``OMP_NUM_THREADS=1 python -m benchmarks.bibench.float_twin`` needs torch (``examples/requirements-train.txt``) and npm for the training images, and writes the
reference into ``robustness.json``. The network is `examples/algorithms/bireal20` in the state in which its training begins: weights as they are, clips in
the place of signs.
"""

from __future__ import annotations

import functools

import numpy as np
import torch

from benchmarks.bibench.robustness import FRAMES, REFERENCE, accuracies, keep, test_images
from examples.algorithms.bireal20.train import RECIPE
from examples.algorithms.resnet20 import real_at_first
from examples.training.binary import start
from examples.training.data import parts
from examples.training.recipe import fit

ALWAYS = 2.0
"""Share of the training that is real: all of it."""


def main() -> None:
    torch.manual_seed(1)
    model = RECIPE.network()
    start(model, seed=1, negative=RECIPE.negative)
    codes, classes = parts(RECIPE.data, RECIPE.frames)["train"]
    fit(
        model,
        torch.tensor(RECIPE.input.frames(codes)),
        torch.tensor(classes, dtype=torch.int64),
        epochs=RECIPE.epochs,
        batch=RECIPE.batch,
        learning_rate=RECIPE.learning_rate,
        before_step=functools.partial(real_at_first, share=ALWAYS),
    )
    model.eval()

    def scores(images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return model(torch.tensor(RECIPE.input.frames(images))).numpy()

    keep(REFERENCE, accuracies(scores, *test_images(FRAMES)))


if __name__ == "__main__":
    main()
