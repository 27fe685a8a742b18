"""Recurrent operators as integer networks: exact where all states are integers, else as announced."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.arrays import codec
from hwgen.frontend import read_onnx
from hwgen.layers.recurrent import Recurrent
from hwgen.passes import run
from hwgen.streamlining.options import Options
from hwgen.streamlining.streamline import streamline
from tests.operators.test_recurrent import CELLS, model, session


def outputs(op: str, folder: Path, *, scale: float, size: int = 3, steps: int = 2, **attributes):
    """Give what the network yields, and ONNX Runtime, for frames of integers."""
    rng = np.random.default_rng(5)
    rows = CELLS[op].gates * size
    directions = 1 + (attributes.get("direction") == "bidirectional")
    arrays = {
        "W": scale * rng.integers(-1, 2, (directions, rows, 4)),
        "R": scale * rng.integers(-1, 2, (directions, rows, size)),
        "B": scale * rng.integers(-2, 3, (directions, 2 * rows)),
    }
    file = model(op, steps, {name: array.astype(np.float32) for name, array in arrays.items()}, **attributes)
    onnx.save(file, folder / "net.onnx")
    network = streamline(run(read_onnx(folder / "net.onnx")), Options(input_type="int3"))
    x = rng.integers(-4, 4, (16, steps, 4)).astype(np.float32)
    maps = network.golden_maps(*codec.input_codes(network, x))
    found = [codec.from_codes(network, codes, port) for codes, port in zip(maps, network.outputs, strict=True)]
    expected = [session(file).run(None, {"frames": frame[None]}) for frame in x]
    return network, found, [np.concatenate(each) for each in zip(*expected, strict=True)]


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
def test_integer_states_are_exact(direction: str, tmp_path: Path) -> None:
    _, found, expected = outputs("RNN", tmp_path, scale=1, direction=direction, activations=["Relu"] * 2)
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one, other)


def test_real_states_are_within_what_is_announced(tmp_path: Path) -> None:
    network, found, expected = outputs("LSTM", tmp_path, scale=0.25, size=1)
    assert network.announced
    for one, other in zip(found, expected, strict=True):
        assert np.abs(one - other).max() < 2e-3


def test_steps_whose_roundings_are_announced_stay_apart(tmp_path: Path) -> None:
    network, *_ = outputs("RNN", tmp_path, scale=1, size=2, steps=4)
    assert {one.layer for one in network.announced} <= {layer.name for layer in network.layers}
    assert not any(isinstance(layer, Recurrent) for layer in network.layers)
