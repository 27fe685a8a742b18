"""Models of a few nodes, and the property that streamlining must have: the integers say what ONNX Runtime says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from hwgen.arrays import codec
from hwgen.frontend import read_onnx
from hwgen.graph import Graph
from hwgen.network import Network
from hwgen.passes import run
from hwgen.streamlining.options import Options
from hwgen.streamlining.streamline import streamline
from tests.qonnx_executor import run_in_qonnx

DOMAINS = [
    helper.make_opsetid(domain, version)
    for domain, version in (
        ("", 17),
        ("qonnx.custom_op.general", 2),
        ("qonnx.custom_op.channels_last", 17),
        ("finn.custom_op.general", 1),
        ("com.microsoft", 1),
    )
]


class Model:
    """Appends nodes to a model; a node reads the last value and constants unless told otherwise."""

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: int = TensorProto.FLOAT) -> None:
        self.path, self.nodes, self.constants, self.value = path, [], [], "x"
        self.kinds: dict[str, str] = {}
        self.opset = 17
        self.input = helper.make_tensor_value_info("x", dtype, ["N", *shape])

    def constant(self, value) -> str:
        array = np.asarray(value)
        array = array.astype(np.float32) if array.dtype == np.float64 else array
        self.constants.append(numpy_helper.from_array(array, f"c{len(self.constants)}"))
        return self.constants[-1].name

    def add(self, op: str, *operands, reads: str | None = None, outputs: int = 1, **attributes) -> Model:
        names = [each if isinstance(each, str) else self.constant(each) for each in operands]
        first = [] if reads == "" else [self.value if reads is None else reads]
        values = [f"v{len(self.nodes)}_{number}" if number else f"v{len(self.nodes)}" for number in range(outputs)]
        name = attributes.pop("name", f"the_{op.lower()}_{len(self.nodes)}")
        self.nodes.append(helper.make_node(op, [*first, *names], values, name=name, **attributes))
        self.value = values[0]
        return self

    def sign(self) -> Model:
        """Append where(x >= 0, 1, -1)."""
        before = self.value
        self.add("GreaterOrEqual", np.float32(0))
        return self.add("Where", np.float32(1), np.float32(-1)) if before else self

    def norm(self, gamma, beta, mean, variance, epsilon: float = 0.0) -> Model:
        parts = (np.asarray(part, dtype=np.float32) for part in (gamma, beta, mean, variance))
        return self.add("BatchNormalization", *parts, epsilon=epsilon)

    def save(self, outputs: tuple[str, ...] | None = None) -> Path:
        names = outputs or (self.value,)
        infos = [onnx.ValueInfoProto(name=name) for name in names]
        graph = helper.make_graph(self.nodes, "net", [self.input], infos, self.constants)
        for name, kind in self.kinds.items():
            entry = graph.quantization_annotation.add(tensor_name=name)
            entry.quant_parameter_tensor_names.add(key="finn_datatype", value=kind)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", self.opset), *DOMAINS[1:]], ir_version=10
        )
        onnx.save(onnx.shape_inference.infer_shapes(model), self.path)
        return self.path

    def graph(self) -> Graph:
        return run(read_onnx(self.save()))

    def network(self, **declared) -> Network:
        return streamline(self.graph(), Options(**declared))

    def reference(self, x: np.ndarray) -> np.ndarray:
        """Run the nodes as they are: fused scales make sums of zero that are not quite zero, and signs of them.

        What ONNX Runtime does not know, the executor of QONNX runs.
        """
        if any("custom_op" in node.domain for node in self.nodes):
            return run_in_qonnx(onnx.load(self.save()), x)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(self.save(), options, providers=["CPUExecutionProvider"])
        return session.run(None, {"x": x})[0]

    def agrees(self, x: np.ndarray, **declared) -> Network:
        """Hold that the network gives exactly ONNX Runtime's output for x; its numbers must be exact in float32."""
        network = self.network(**declared)
        codes = network.golden(codec.to_codes(network.input, x))
        assert network.layer(network.output.source).out_type.contains(codes)
        np.testing.assert_array_equal(codec.from_codes(network, codes), self.reference(x))
        return network

    def agrees_nearly(self, x: np.ndarray, **declared) -> Network:
        """Hold that the network gives ONNX Runtime's output up to the rounding of float32 sums."""
        network = self.network(**declared)
        found = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
        np.testing.assert_allclose(found, self.reference(x), rtol=1e-5, atol=1e-5)
        return network


@pytest.fixture
def model(tmp_path: Path):
    """Start a model whose input x has this shape without batch."""
    return lambda *shape, dtype=TensorProto.FLOAT: Model(tmp_path / "net.onnx", shape, dtype)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


def bipolar(random: np.random.Generator, *shape: int) -> np.ndarray:
    return random.choice(np.array([-1, 1], dtype=np.float32), size=shape)


def frames(random, *shape, kind="bipolar", count=24):
    if kind == "bipolar":
        return bipolar(random, count, *shape)
    return random.integers(0, 256, (count, *shape)).astype(np.float32)
