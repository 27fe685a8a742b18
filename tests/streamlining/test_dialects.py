"""The same trained weights in every dialect give the same integer network, and that says what the file's executor says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwgen.arrays import codec
from hwgen.frontend import read_onnx
from hwgen.network import Network
from hwgen.passes import run
from hwgen.streamlining.options import Options
from hwgen.streamlining.streamline import streamline

FOLDER = Path(__file__).parent.parent / "fixtures" / "dialects"


def integers(network: Network) -> list[dict[str, object]]:
    """Give all that the network's layers compute with, without their names."""
    found = []
    for layer in network.layers:
        facts: dict[str, object] = {"kind": type(layer).__name__, "types": (layer.in_type, layer.out_type)}
        for name in ("window", "pad_value", "minimum", "negate", "value"):
            facts[name] = getattr(layer, name, None)
        thresholds = getattr(layer, "thresholds", None)
        facts["weights"] = getattr(layer, "weights", np.zeros(0)).tolist()
        facts["levels"] = None if thresholds is None else (thresholds.levels.tolist(), thresholds.positions)
        found.append(facts)
    return found


@pytest.mark.parametrize("name", ["dense", "conv", "pool"])
def test_every_dialect_gives_the_same_network(name: str) -> None:
    io = np.load(FOLDER / name / "io.npz")
    files = sorted((FOLDER / name).glob("*.onnx"))
    assert len(files) >= 30
    first = None
    for file in files:
        network = streamline(run(read_onnx(file)), Options(input_type="uint5"))
        first = first or integers(network)
        assert integers(network) == first, file.stem
        assert network.notes == tuple(note for note in network.notes if "Softmax" in note), file.stem
        x = io["x"].reshape(-1, *network.input.onnx_shape)  # one channel: channels first or last is the same
        codes = network.golden(codec.to_codes(network.input, x))
        scores, expected = codec.from_codes(network, codes), io[f"y_{file.stem}"].reshape(len(x), -1)
        np.testing.assert_array_equal(scores.argmax(axis=1), expected.argmax(axis=1))
        if not network.output.dropped:
            read_back = np.rint((expected - network.output.offset) / network.output.scale)
            np.testing.assert_array_equal(read_back, codes[:, 0, 0], err_msg=file.stem)


def test_binary_layers_have_the_trained_weights() -> None:
    truth = np.load(FOLDER / "dense" / "parameters.npz")
    trained = [truth[key] for key in sorted(truth.files) if key.endswith(".weight") and truth[key].ndim == 2]
    network = streamline(run(read_onnx(FOLDER / "dense" / "qonnx_legacy.onnx")), Options(input_type="uint5"))
    assert len(trained) == len(network.layers)
    for layer, weights in zip(network.layers, trained, strict=True):
        signs = np.sign((layer.weights * weights).sum(axis=1))  # a row with gamma < 0 is negated
        constant = np.all(layer.weights == 1, axis=1)
        assert np.all(constant | np.all(layer.weights == weights * signs[:, None], axis=1))
