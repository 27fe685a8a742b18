"""The trained networks, on every frame kept with them: float model == golden == Verilog, at the predicted cycles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import hwgen
from examples.data.load import load
from hwgen.arrays import codec
from hwgen.frontend import read_onnx
from hwgen.operators import evaluate
from tests.lint import lint
from tests.scores import codes_of_scores

EXAMPLES = Path(__file__).parents[2] / "examples"
RATES = {"mnist_tfc": 1_000_000, "mnist_cnv": 25_000, "watch_motion": 50_000}
"""Frames a second at 100 MHz for which each example is folded."""


class Example:
    def __init__(self, name: str) -> None:
        self.rate = RATES[name]
        self.folder = EXAMPLES / name
        self.expected = json.loads((self.folder / "expected.json").read_text())
        meaning = self.expected["input"]
        codes, self.labels = load(self.expected["data"])
        self.codes = codes.reshape(len(codes), *meaning["shape"][1:])
        self.values = self.codes.astype(np.float32) * np.float32(meaning["scale"]) + np.float32(meaning["offset"])
        self.network = hwgen.read(
            self.folder / "model.onnx",
            input_type=meaning["type"],
            input_scale=meaning["scale"],
            input_offset=meaning["offset"],
        )

    def scores(self, frames: int) -> np.ndarray:
        codes = self.network.golden(codec.to_codes(self.network.input, self.codes[:frames]))
        return codec.from_codes(self.network, codes)


@pytest.fixture(scope="module", params=RATES)
def example(request: pytest.FixtureRequest) -> Example:
    return Example(request.param)


def test_golden_equals_the_references_that_onnxruntime_gave(example: Example) -> None:
    reference = np.load(example.folder / "reference.npz")["y"]
    golden = example.scores(len(reference))
    assert np.array_equal(codes_of_scores(example.network, reference), codes_of_scores(example.network, golden))


def float_scores(example: Example) -> np.ndarray:
    """Run the float model on every kept frame: in onnxruntime, or by NumPy where the file has QONNX's operators."""
    model = example.folder / "model.onnx"
    graph = read_onnx(model)
    name = graph.inputs[0]
    if any(node.op == "BipolarQuant" for node in graph.nodes):
        return evaluate.run(graph, {name: example.values})[graph.outputs[0]]
    session = onnxruntime.InferenceSession(model)
    batches = np.array_split(example.values, len(example.values) // 500)
    return np.concatenate([session.run(None, {name: batch})[0] for batch in batches])


def test_golden_equals_the_float_model_on_every_kept_frame(example: Example) -> None:
    scores = float_scores(example)
    assert np.array_equal(
        codes_of_scores(example.network, scores), codes_of_scores(example.network, example.scores(len(scores)))
    )


def test_the_verilog_equals_golden_on_every_kept_frame(example: Example, tmp_path: Path) -> None:
    plan = hwgen.plan(example.network, target_fps=example.rate, clock_mhz=100)
    accelerator = hwgen.build(plan, tmp_path / "build")
    assert "%Warning" not in lint(accelerator.folder, example.network.name)
    result = accelerator.simulate(example.codes, expected=example.labels)
    assert result.frames == example.expected["frames"]
    assert (result.mismatches, result.beats_off_schedule) == (0, 0)
    assert result.ii_measured == result.ii_predicted
    assert result.correct / result.frames == pytest.approx(example.expected["accuracy_float"])
