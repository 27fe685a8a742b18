"""The command `hwgen reload`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import hwgen
from hwgen.cli import reload as command
from hwgen.errors import ModelError, OptionError
from hwgen.pipeline.memory_image import as_writes
from tests.conftest import write_image


def run(*arguments: object) -> object:
    return command.reload.main([str(argument) for argument in arguments], standalone_mode=False)


def test_the_command_reads_the_model_as_the_build_was_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = hwgen.read(write_image(tmp_path / "image.onnx", 2), input_type="uint8", input_scale=1.0)
    plan = hwgen.plan(network, max_throughput=True, writable="all")
    folder = hwgen.build(plan, tmp_path / "build").folder
    x = np.random.default_rng(0).integers(0, 256, (4, 2, 6, 6))
    before = hwgen.load(folder).golden(x)
    other = write_image(tmp_path / "other.onnx", 7)
    run(folder, other, "--virtual", "-o", tmp_path / "image.bin", "--json")
    facts = json.loads(capsys.readouterr().out)
    assert facts["written"]
    assert not facts["original"]
    assert facts["words"] == len(as_writes((tmp_path / "image.bin").read_bytes(), "it")) - 2
    loaded = hwgen.load(folder)
    expected = hwgen.read(other, input_type="uint8", input_scale=1.0)
    assert not np.array_equal(loaded.golden(x), before)
    assert np.array_equal(loaded.golden(x, codes=True).ravel(), expected.golden(x.transpose(0, 2, 3, 1)).ravel())
    assert loaded.simulate(x).exact
    run(folder, "-q")
    assert np.array_equal(hwgen.load(folder).golden(x), loaded.golden(x))
    with pytest.raises(OptionError, match="not both"):
        run(folder, "--virtual", "--port", "/dev/null")
    with pytest.raises(OptionError, match="give its --port"):
        run(folder, "--baud", "9600")
    with pytest.raises(click.BadParameter, match="0 is not in the range"):
        run(folder, "--port", "/dev/null", "--baud", "0")
    with pytest.raises(ModelError):
        run(folder, tmp_path / "image.bin")


def write_real(path: Path, seed: int) -> Path:
    """Write a network that reads real numbers, whose signs are its own."""
    random = np.random.default_rng(seed)
    weights = {f"w{k}": random.choice(np.float32([-1, 1]), size=shape) for k, shape in enumerate([(6, 8), (8, 3)])}
    constants = {**weights, "zero": np.float32(0), "one": np.float32(1), "minus_one": np.float32(-1)}
    nodes = [
        helper.make_node("MatMul", ["x", "w0"], ["sums"], name="first"),
        helper.make_node("GreaterOrEqual", ["sums", "zero"], ["positive"], name="positive"),
        helper.make_node("Where", ["positive", "one", "minus_one"], ["signs"], name="signs"),
        helper.make_node("MatMul", ["signs", "w1"], ["y"], name="second"),
    ]
    graph = helper.make_graph(
        nodes,
        "real",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)
    return path


def test_the_command_converts_the_model_as_the_build_was_converted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    options = {"calibrate": x, "fixed_bits": 9, "weight_bits": 5, "strict": True, "min_area": True, "writable": "all"}
    options["sign_at_zero"] = "minus"
    build = hwgen.compile(write_real(tmp_path / "real.onnx", 1), tmp_path / "build", **options)
    before = build.network.conversion
    assert before is not None
    assert (before.fixed_bits, before.weight_bits, before.strict, before.exact) == (9, 5, True, False)
    assert before.sign_at_zero == -1
    run(build.folder, tmp_path / "real.onnx", "--json")
    facts = json.loads(capsys.readouterr().out)
    run(build.folder, write_real(tmp_path / "other.onnx", 2), "--json")
    assert facts["words"] == json.loads(capsys.readouterr().out)["words"]
    loaded = hwgen.load(build.folder).network
    assert loaded.conversion == before
    assert loaded.input.rounds
    assert (loaded.input.type, loaded.input.scale) == (build.network.input.type, build.network.input.scale)
    run(build.folder, tmp_path / "other.onnx", "--weight-bits", "6", "-q")
    other = hwgen.load(build.folder).network.conversion
    assert other == replace(before, weight_bits=6)
    np.save(tmp_path / "half.npy", x / 2)
    run(build.folder, tmp_path / "real.onnx", "--calibrate", tmp_path / "half.npy", "-q")
    halved = hwgen.load(build.folder).network.conversion
    assert halved == replace(other, ranges=halved.ranges)
    assert halved.ranges[0] == (before.ranges[0][0], before.ranges[0][1] / 2, before.ranges[0][2] / 2)
