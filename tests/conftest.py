"""Networks and build folders that many tests share; each is made once a process."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

IR_VERSION = 10
OPSET = 20


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """Keep thousands of tests and their modules out of the garbage collection: looking through them was a seventh of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


class OnnxWriter:
    """Appends nodes to a model one after another."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.value = "x"
        self.input = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *shape])

    def add(self, op: str, *constants: np.ndarray, **attributes: object) -> OnnxWriter:
        names = [self.value]
        for values in constants:
            names.append(f"c{len(self.constants)}")
            self.constants.append(numpy_helper.from_array(np.asarray(values), names[-1]))
        self.value = f"v{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(op, names, [self.value], name=f"{op.lower()}{len(self.nodes)}", **attributes)
        )
        return self

    def sign(self) -> OnnxWriter:
        """Append x >= 0 ? 1 : -1 in QONNX's spelling."""
        self.add("BipolarQuant", np.float32(1))
        self.nodes[-1].domain = "qonnx.custom_op.general"
        return self

    def batch_norm(self, random: np.random.Generator, channels: int, spread: float) -> OnnxWriter:
        gamma, beta = random.standard_normal(channels), random.standard_normal(channels)
        mean, variance = random.standard_normal(channels) * spread, random.uniform(0.5, 2, channels) * spread**2
        return self.add("BatchNormalization", *(part.astype(np.float32) for part in (gamma, beta, mean, variance)))

    def save(self, path: Path, outputs: int) -> Path:
        output = helper.make_tensor_value_info(self.value, TensorProto.FLOAT, ["N", outputs])
        graph = helper.make_graph(self.nodes, path.stem, [self.input], [output], self.constants)
        domains = [helper.make_opsetid("", OPSET), helper.make_opsetid("qonnx.custom_op.general", 2)]
        onnx.save(helper.make_model(graph, opset_imports=domains, ir_version=IR_VERSION), path)
        return path


def signs(random: np.random.Generator, *shape: int) -> np.ndarray:
    return random.choice(np.array([-1, 1], dtype=np.float32), size=shape)


def write_dense(path: Path) -> Path:
    """24 values, binarized at zero -> 12 -> 8 -> 5 scores."""
    random = np.random.default_rng(1)
    model = OnnxWriter((24,)).sign()
    model.add("MatMul", signs(random, 24, 12)).batch_norm(random, 12, 4).sign()
    model.add("MatMul", signs(random, 12, 8)).batch_norm(random, 8, 3).sign()
    return model.add("MatMul", signs(random, 8, 5)).save(path, 5)


def write_image(path: Path, seed: int = 2) -> Path:
    """8-bit image 2x6x6 -> 3x3 convolution with zero padding, 2x2 pool -> 4 scores."""
    random = np.random.default_rng(seed)
    model = OnnxWriter((2, 6, 6))
    model.add("Conv", signs(random, 4, 2, 3, 3), pads=[1, 1, 1, 1]).batch_norm(random, 4, 300).sign()
    model.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2]).add("Flatten")
    return model.add("MatMul", signs(random, 36, 4)).save(path, 4)


@pytest.fixture(scope="session")
def dense_onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dense(tmp_path_factory.mktemp("models") / "dense.onnx")


@pytest.fixture(scope="session")
def image_onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image(tmp_path_factory.mktemp("models") / "image.onnx")


@pytest.fixture(scope="session")
def dense_build(dense_onnx: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the dense network's build folder; tests must not change it."""
    import hwgen

    folder = tmp_path_factory.mktemp("builds") / "dense"
    hwgen.build(hwgen.plan(hwgen.read(dense_onnx), min_area=True), folder)
    return folder


@pytest.fixture(scope="session")
def image_build(image_onnx: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the image network's build folder; tests must not change it."""
    import hwgen

    folder = tmp_path_factory.mktemp("builds") / "image"
    network = hwgen.read(image_onnx, input_type="uint8", input_scale=1.0)
    hwgen.build(hwgen.plan(network, max_throughput=True), folder)
    return folder
