"""Train a DoReFa-Net (Zhou et al., 2016) with 2-bit weights and 4-bit activations.

Run as ``OMP_NUM_THREADS=1 python -m examples.algorithms.dorefa_2w4a.train``.
"""

from pathlib import Path

from examples.algorithms.dorefa_1w2a.train import DoReFa, network
from examples.algorithms.train import Recipe, train

RECIPE = Recipe(
    folder=Path(__file__).parent,
    topology="16C3 (8-bit weights) - 16C3 - MP2 - 24C3 - 10 (DoReFa's 8-bit weights), 4-bit activations",
    network=lambda: network(2, 4, last=lambda: DoReFa(8)),
    epochs=5,
    dynamo=False,
    baked=False,
)

if __name__ == "__main__":
    train(RECIPE)
