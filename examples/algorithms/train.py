"""The one way in which all networks of this folder are trained, exported and recorded.

``OMP_NUM_THREADS=1 python -m examples.algorithms.train NAME ...`` trains the networks of those names, without names all.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from examples.algorithms.weights import bake
from examples.training.binary import start
from examples.training.data import parts
from examples.training.export import export_onnx
from examples.training.recipe import fit, smoothed_cross_entropy
from examples.training.record import Input, hits, record

PIXELS = {"type": "uint8", "scale": 1 / 255, "offset": 0.0}
HALF = Input(**PIXELS, frame_shape=(1, 14, 14))
"""MNIST at half its resolution."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network comes about.

    Parameters
    ----------
    folder : Path
        Where its files go; its name is the network's.
    topology : str
        One line for the table of results.
    network : callable
        Makes the untrained network.
    epochs : int
    data : str
        Name for `examples.data.load`.
    input : Input
        Meaning of the data's codes.
    kept, tested : int
        How many test frames the project's tests go through, and how many the accuracy is taken of.
    frames : int
        How many training frames are used, from the first on.
    batch, learning_rate, loss, before_step, augment
        As `examples.training.recipe.fit` takes them.
    negative : float
        Share of batch normalisations that start with a negative scale.
    dynamo : bool
        Which exporter.
    prepare : callable, optional
        Makes the network that is exported of the trained one.
    baked : bool
        Export the quantised weights; otherwise the latent ones and the operators that quantise them.
    """

    folder: Path
    topology: str
    network: Callable[[], nn.Module]
    epochs: int
    data: str = "mnist_half"
    input: Input = HALF
    kept: int = 1000
    tested: int = 10_000
    frames: int = 20_000
    batch: int = 100
    learning_rate: float = 0.01
    loss: Callable = smoothed_cross_entropy
    before_step: Callable | None = None
    augment: Callable | None = None
    negative: float = 0.25
    dynamo: bool = True
    prepare: Callable[[nn.Module], nn.Module] | None = None
    baked: bool = True


def train(recipe):
    """Train, export, and record what the exported file does."""
    sets = parts(recipe.data, recipe.frames)
    sets["test"] = tuple(array[: recipe.tested] for array in sets["test"])
    frames, labels = {}, {}
    for part, (codes, classes) in sets.items():
        frames[part] = torch.tensor(recipe.input.frames(codes))
        labels[part] = torch.tensor(classes, dtype=torch.int64)
    torch.manual_seed(1)
    model = recipe.network()
    start(model, seed=1, negative=recipe.negative)
    fit(
        model,
        frames["train"],
        labels["train"],
        epochs=recipe.epochs,
        batch=recipe.batch,
        learning_rate=recipe.learning_rate,
        loss=recipe.loss,
        before_step=recipe.before_step,
        augment=recipe.augment,
    )
    if recipe.baked:
        bake(model)
    model.eval()
    with torch.no_grad():
        answers = torch.cat([model(part) for part in frames["test"].split(1000)])
    print(f"accuracy in torch {hits(answers.numpy(), sets['test'][1]):.4f}")
    exported = model if recipe.prepare is None else recipe.prepare(model)
    export_onnx(exported, frames["test"][:2], recipe.folder / "model.onnx", dynamo=recipe.dynamo)
    facts = {
        "topology": recipe.topology,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "training_frames": len(frames["train"]),
        "epochs": recipe.epochs,
        "exporter": "dynamo" if recipe.dynamo else "legacy",
    }
    record(recipe.folder, recipe.input, recipe.data, frames=recipe.kept, tested=recipe.tested, facts=facts)


def main(names):
    """Train the networks of `names`, or all."""
    for name in names or sorted(path.parent.name for path in Path(__file__).parent.glob("*/train.py")):
        print(f"{name} ...", flush=True)
        train(importlib.import_module(f"examples.algorithms.{name}.train").RECIPE)


if __name__ == "__main__":
    main(sys.argv[1:])
