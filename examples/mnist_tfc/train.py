"""Train TFC (784-64-64-64-10, one bit everywhere) on MNIST and export it through Brevitas.

Run as ``OMP_NUM_THREADS=1 python -m examples.mnist_tfc.train``; it takes two minutes.
"""

from pathlib import Path

import torch
from torch import nn

from examples.training.binary import Affine, BinaryLinear, Sign, TensorNorm, freeze, start
from examples.training.brevitas_twin import export_qonnx
from examples.training.data import mnist
from examples.training.recipe import accuracy, fit
from examples.training.record import Input, record

FOLDER = Path(__file__).parent
INPUT = Input(type="uint8", scale=1 / 255, offset=0.0, frame_shape=(1, 28, 28))


def network():
    """Return the untrained network: pixels 0..1, binarized at a half."""
    layers = [nn.Flatten(), Affine(2.0, -1.0), Sign()]
    for inputs in (784, 64, 64):
        layers += [BinaryLinear(inputs, 64), nn.BatchNorm1d(64), Sign()]
    return nn.Sequential(*layers, BinaryLinear(64, 10), TensorNorm())


def main():
    """Train, export, and record what the exported file does."""
    parts = {
        name: (torch.tensor(INPUT.frames(images)), torch.tensor(labels, dtype=torch.int64))
        for name, (images, labels) in mnist().items()
    }
    model = network()
    start(model, seed=1)
    fit(model, *parts["train"], epochs=100)
    freeze(model)
    print(f"accuracy in torch {accuracy(model, *parts['test']):.4f}")
    export_qonnx(model, parts["test"][0][:2], FOLDER / "model.onnx")
    record(FOLDER, INPUT, "mnist_test")


if __name__ == "__main__":
    main()
