"""Train a wearable-sized convolutional network over time on watch exercises and export it.

Run as ``OMP_NUM_THREADS=1 python -m examples.watch_motion.train``; it takes a minute.
"""

from pathlib import Path

import torch
from torch import nn

from examples.training.binary import BinaryConv1d, BinaryLinear, Sign, freeze, start
from examples.training.data import watch
from examples.training.export import export_onnx
from examples.training.recipe import accuracy, fit
from examples.training.record import Input, record

FOLDER = Path(__file__).parent
INPUT = Input(type="int8", scale=1.0, offset=0.0, frame_shape=(6, 128))


def network():
    """Return the untrained network: six axes of int8, 128 samples, to seven exercises."""
    layers = []
    for inputs, outputs in ((6, 16), (16, 24), (24, 32), (32, 32)):
        layers += [
            BinaryConv1d(inputs, outputs, kernel_size=5),
            nn.MaxPool1d(2),
            nn.BatchNorm1d(outputs),
            Sign(),
        ]
    layers += [nn.Flatten(), nn.Dropout(0.2), BinaryLinear(32 * 4, 64), nn.BatchNorm1d(64), Sign()]
    return nn.Sequential(*layers, nn.Dropout(0.2), BinaryLinear(64, 7), nn.BatchNorm1d(7))


def shift_and_scale(frames):
    """Return `frames` with small random gains and offsets: another wearer, another strap."""
    gain = 1 + 0.2 * torch.randn(len(frames), frames.shape[1], 1)
    offset = 2.0 * torch.randn(len(frames), frames.shape[1], 1)
    return (frames * gain + offset).round().clamp(-128, 127)


def main():
    """Train, export, and record what the exported file does."""
    parts = {
        name: (torch.tensor(INPUT.frames(windows)), torch.tensor(labels, dtype=torch.int64))
        for name, (windows, labels) in watch().items()
    }
    model = network()
    start(model, seed=1)
    fit(model, *parts["train"], epochs=80, augment=shift_and_scale, batch=128)
    freeze(model)
    print(f"accuracy in torch {accuracy(model, *parts['test']):.4f}")
    export_onnx(model, parts["test"][0][:2], FOLDER / "model.onnx")
    record(FOLDER, INPUT, "watch_test")


if __name__ == "__main__":
    main()
