"""Train a small convolutional network with 8-bit input on MNIST and export it.

Run as ``OMP_NUM_THREADS=1 python -m examples.mnist_cnv.train``; it takes eleven minutes.
"""

from pathlib import Path

import torch
from torch import nn

from examples.training.binary import BinaryConv2d, BinaryLinear, Sign, freeze, start
from examples.training.data import mnist
from examples.training.export import export_onnx
from examples.training.recipe import accuracy, fit
from examples.training.record import Input, record

FOLDER = Path(__file__).parent
INPUT = Input(type="uint8", scale=1 / 255, offset=0.0, frame_shape=(1, 28, 28))


def network():
    """Return the untrained network.

    The second convolution pads its map of -1 and +1 with zeros and is pooled before batch
    normalisation; the last one is pooled after the sign; the others neither pad nor pool.
    """
    return nn.Sequential(
        *(BinaryConv2d(1, 16, 3), nn.BatchNorm2d(16), Sign()),
        *(BinaryConv2d(16, 16, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(16), Sign()),
        *(BinaryConv2d(16, 32, 3), nn.BatchNorm2d(32), Sign()),
        *(BinaryConv2d(32, 32, 3), nn.BatchNorm2d(32), Sign(), nn.MaxPool2d(2)),
        *(nn.Flatten(), BinaryLinear(32 * 4 * 4, 64), nn.BatchNorm1d(64), Sign()),
        *(BinaryLinear(64, 10), nn.BatchNorm1d(10)),
    )


def main():
    """Train, export, and record what the exported file does."""
    parts = {
        name: (torch.tensor(INPUT.frames(images)), torch.tensor(labels, dtype=torch.int64))
        for name, (images, labels) in mnist().items()
    }
    model = network()
    start(model, seed=1)
    fit(model, *parts["train"], epochs=20)
    freeze(model)
    print(f"accuracy in torch {accuracy(model, *parts['test']):.4f}")
    export_onnx(model, parts["test"][0][:2], FOLDER / "model.onnx")
    record(FOLDER, INPUT, "mnist_test")


if __name__ == "__main__":
    main()
