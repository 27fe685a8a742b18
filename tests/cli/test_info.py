"""What `hwgen info` tells of a model."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hwgen.cli.info import describe, ratios
from hwgen.cli.views.model import render_description
from hwgen.codes import unsigned
from hwgen.conversion import Conversion
from hwgen.streamlining.options import Options
from tests.cli.shown import shown
from tests.small_networks import mlp


def test_layers_weights_and_operations(image_onnx: Path) -> None:
    facts = describe(image_onnx, Options(input_type="uint8", input_scale=1.0))
    assert facts["unsupported"] == []
    conv = facts["layers"][0]
    assert (conv["kind"], conv["weights"], conv["weight_bits"], conv["operations"]) == ("Conv", 72, 72, 72 * 36)
    assert facts["weights"] == 72 + 36 * 4
    assert facts["operators"]["Conv"] == 1
    assert all(layer["name"] in shown(render_description(facts)) for layer in facts["layers"])


def test_what_a_compile_takes_is_said_before_it_starts(image_onnx: Path) -> None:
    facts = describe(image_onnx, Options(input_type="uint8", input_scale=1.0))
    assert facts["compile"]["seconds"] > 0 < facts["compile"]["megabytes"]
    large = {**facts, "compile": {"seconds": 316.4, "megabytes": 1868.2}}
    assert "Compiling takes about 5 minutes of one processor and 1,900 MB of memory" in shown(render_description(large))
    small = {**facts, "compile": {"seconds": 3.16, "megabytes": 131.0}}
    assert "Compiling takes about 3 s of one processor and 130 MB of memory" in shown(render_description(small))


def test_every_unsupported_node_is_listed(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Frobnicate", ["x"], ["a"], name="first"),
        helper.make_node("Transmogrify", ["a"], ["y"], name="second"),
    ]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 4]) for name in "xy")
    graph = helper.make_graph(nodes, "odd", [x], [y])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), tmp_path / "odd.onnx"
    )
    facts = describe(tmp_path / "odd.onnx", Options())
    assert [(entry["node"], entry["op"]) for entry in facts["unsupported"]] == [
        ("first", "Frobnicate"),
        ("second", "Transmogrify"),
    ]
    assert "'second' (Transmogrify)" in shown(render_description(facts))


def test_ratios_of_a_binary_network_are_32_and_64() -> None:
    both = {"compression_ratio": 32, "speedup_ratio": 64}
    assert ratios(mlp(24, 12, 5)) == {"compression_ratio": 32, "bit_operations": 24 * 12 + 12 * 5, "bibench": both}


def test_wider_weights_and_inputs_count_their_bits_and_in_full_by_bibench() -> None:
    network = mlp(8, 8, 8)
    object.__setattr__(network.layers[0], "in_type", unsigned(8))
    found = ratios(network)
    assert (found["compression_ratio"], found["bit_operations"]) == (32, 64 * 8 + 64)
    assert found["bibench"] == {"compression_ratio": 32, "speedup_ratio": pytest.approx(2 / (1 / 64 + 1))}
    network.layers[0].weights[0, 0] = 0
    found = ratios(network)
    assert (found["compression_ratio"], found["bit_operations"]) == (32 * 2 / 3, 64 * 8 * 2 + 64)
    assert found["bibench"]["compression_ratio"] == pytest.approx(2 / (1 / 32 + 1))


def test_a_network_of_few_bits_is_smaller_by_its_bits() -> None:
    network = mlp(8, 8, 8)
    for layer in network.layers:
        layer.weights[:] = 7
        layer.weights[0, 0] = -8
    found = ratios(network)
    assert found["compression_ratio"] == 8
    assert found["bibench"] == {"compression_ratio": 1, "speedup_ratio": 1}


def test_a_network_without_weights_gains_nothing() -> None:
    network = dataclasses.replace(mlp(4, 3), layers=())
    none = {"compression_ratio": 1.0, "speedup_ratio": 1.0}
    assert ratios(network) == {"compression_ratio": 1.0, "bit_operations": 0, "bibench": none}


def test_all_nodes_that_streamlining_refuses_are_listed(tmp_path):
    text = (
        '<ir_version: 10, opset_import: ["" : 17]> net (float[N,2,4,4] x) => (float y) '
        "{ a = Conv (x, w) b = Conv (x, v) p = Pow (a, b) t = ReduceProd <axes = [1]> (a) y = Add (p, t) }"
    )
    model = onnx.parser.parse_model(text)
    for name in "wv":
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.ones((3, 2, 1, 1), np.float32), name))
    onnx.save(model, tmp_path / "net.onnx")
    facts = describe(tmp_path / "net.onnx", Options("bipolar"))
    assert [(obstacle["op"], obstacle["reason"].split()[0]) for obstacle in facts["unsupported"]] == [
        ("Pow", "joins"),
        ("ReduceProd", "has"),
    ]


def test_precision_is_declared_as_the_input_is(tmp_path):
    text = '<ir_version: 10, opset_import: ["" : 17]> net (float[N,6] x) => (float y) { y = MatMul (x, w) }'
    model = onnx.parser.parse_model(text)
    weights = np.random.default_rng(1).standard_normal((6, 3)).astype(np.float32)
    model.graph.initializer.append(onnx.numpy_helper.from_array(weights, "w"))
    onnx.save(model, tmp_path / "net.onnx")
    facts = describe(tmp_path / "net.onnx", Options("bipolar", conversion=Conversion(weight_bits=4)))
    assert "rounded to 4 bits" in facts["notes"][0]
    exact = Options("bipolar", conversion=Conversion(exact=True))
    refused = describe(tmp_path / "net.onnx", exact)["unsupported"]
    assert "without --exact" in refused[0]["reason"]
    frames = tmp_path / "x.npy"
    np.save(frames, np.random.default_rng(2).standard_normal((20, 6)).astype(np.float32))
    calibrated = describe(tmp_path / "net.onnx", Options(calibrate=frames))
    assert any(note.startswith("Calibrated on 20 frames") for note in calibrated["notes"])
