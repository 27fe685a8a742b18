"""Ten small networks, one for each family of layers, whose Verilog the mutants are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["NETWORKS", "Recipe"]

QONNX = "qonnx.custom_op.general"
CLOCK_HZ = 100_000_000
UINT8 = {"input_type": "uint8", "input_scale": 1.0}


@dataclass(frozen=True)
class Recipe:
    """How a network is made and compiled.

    Parameters
    ----------
    draw : callable
        Adds inputs, nodes and outputs to a `_Model`.
    options, goal : dict
        Further arguments of `hwgen.read` and of `hwgen.plan`.
    """

    draw: Callable[[_Model], None]
    options: dict[str, object]
    goal: dict[str, object]

    def write(self, path: Path) -> None:
        """Write the ONNX file; its name seeds the weights."""
        model = _Model(path.stem)
        self.draw(model)
        onnx.save(model.proto(), path)


class _Model:
    """An ONNX graph that grows node by node; arrays among a node's inputs become constants."""

    def __init__(self, name: str) -> None:
        self.name, self.random = name, np.random.default_rng([ord(letter) for letter in name])
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def proto(self) -> onnx.ModelProto:
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.constants)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(QONNX, 2)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def input(self, name: str, *shape: int) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *shape]))
        return name

    def output(self, source: str, *shape: int, kind: int = TensorProto.FLOAT) -> None:
        self.outputs.append(helper.make_tensor_value_info(source, kind, [1, *shape]))

    def node(self, kind: str, *inputs: str | np.ndarray | np.generic, outputs: int = 1, **attributes: object) -> str:
        """Give the name of the last output."""
        number, names = len(self.nodes), []
        for at, one in enumerate(inputs):
            if not isinstance(one, str):
                self.constants.append(numpy_helper.from_array(np.asarray(one), f"c{number}_{at}"))
            names.append(one if isinstance(one, str) else f"c{number}_{at}")
        results = [f"v{number}_{at}" for at in range(outputs)]
        domain = QONNX if kind in ("Quant", "BipolarQuant") else ""
        self.nodes.append(helper.make_node(kind, names, results, f"n{number}", domain=domain, **attributes))
        return results[-1]

    def sign(self, source: str) -> str:
        return self.node("BipolarQuant", source, np.float32(1))

    def quant(self, source: str, scale: float, bits: int, *, signed: bool) -> str:
        numbers = np.float32(scale), np.float32(0), np.float32(bits)
        return self.node("Quant", source, *numbers, signed=int(signed), narrow=0, rounding_mode="ROUND")

    def norm(self, source: str, channels: int, spread: float) -> str:
        random = self.random
        numbers = (
            random.uniform(0.5, 1.5, channels) * random.choice([-1, 1], channels),
            random.standard_normal(channels) * 0.5,
            random.standard_normal(channels) * spread,
            random.uniform(0.5, 2, channels) * spread**2,
        )
        return self.node("BatchNormalization", source, *(one.astype(np.float32) for one in numbers))

    def weights(self, values: str, *shape: int) -> np.ndarray:
        """Give weights: "bipolar", "ternary", or the bits of a signed number."""
        if values == "bipolar":
            return self.random.choice(np.float32([-1, 1]), shape)
        if values == "ternary":
            return self.random.choice(np.float32([-1, 0, 0, 1]), shape)
        half = 1 << int(values) - 1
        return self.random.integers(-half, half, shape).astype(np.float32)

    def dense(self, source: str, columns: int, rows: int, values: str = "bipolar") -> str:
        return self.node("MatMul", source, self.weights(values, columns, rows))

    def conv(self, source: str, shape: tuple[int, ...], values: str = "bipolar", **attributes: object) -> str:
        return self.node("Conv", source, self.weights(values, *shape), **attributes)

    def flatten(self, source: str) -> str:
        return self.node("Flatten", source)


def _mlp(g: _Model) -> None:
    x = g.sign(g.input("x", 32))
    x = g.sign(g.norm(g.dense(x, 32, 24), 24, 5))
    x = g.sign(g.norm(g.dense(x, 24, 16), 16, 4))
    g.output(g.dense(x, 16, 4), 4)


def _image(g: _Model) -> None:
    x = g.conv(g.input("x", 2, 6, 6), (4, 2, 3, 3), pads=[1] * 4)
    x = g.node("MaxPool", g.sign(g.norm(x, 4, 300)), kernel_shape=[2, 2], strides=[2, 2])
    g.output(g.dense(g.flatten(x), 36, 4), 4)


def _depthwise(g: _Model) -> None:
    x = g.sign(g.norm(g.conv(g.input("x", 2, 6, 6), (4, 2, 3, 3), pads=[1] * 4), 4, 300))
    x = g.sign(g.norm(g.conv(x, (4, 1, 3, 3), group=4), 4, 2))
    x = g.sign(g.norm(g.conv(x, (6, 4, 1, 1)), 6, 1))
    g.output(g.flatten(g.node("GlobalAveragePool", x)), 6)


def _residual(g: _Model) -> None:
    x = g.norm(g.conv(g.input("x", 2, 5, 5), (4, 2, 3, 3), "3", pads=[1] * 4), 4, 200)
    shortcut = g.quant(x, 0.125, 5, signed=True)
    y = g.conv(g.sign(shortcut), (4, 4, 3, 3), pads=[1] * 4)
    y = g.node("Add", g.node("Mul", y, np.float32(0.25)), shortcut)
    y = g.sign(g.node("Add", y, (g.random.standard_normal((1, 4, 1, 1)) * 0.5).astype(np.float32)))
    g.output(g.dense(g.flatten(y), 100, 3), 3)


def _ternary(g: _Model) -> None:
    x = g.sign(g.norm(g.conv(g.input("x", 3, 5, 5), (6, 3, 3, 3), "ternary"), 6, 200))
    x = g.quant(g.norm(g.conv(x, (4, 6, 2, 2), "ternary"), 4, 2), 1.0, 2, signed=True)
    g.output(g.dense(g.flatten(x), 16, 5, "ternary"), 5)


def _fewbit(g: _Model) -> None:
    x = g.norm(g.conv(g.input("x", 2, 5, 5), (4, 2, 3, 3), "3"), 4, 300)
    x = g.quant(g.node("Relu", x), 0.5, 2, signed=False)
    x = g.norm(g.conv(x, (6, 4, 2, 2), "2"), 6, 3)
    x = g.quant(g.node("Relu", x), 0.4, 3, signed=False)
    g.output(g.dense(g.flatten(x), 24, 4, "2"), 4)


def _table(g: _Model) -> None:
    x = g.node("Add", g.node("Mul", g.input("x", 4, 4, 4), np.float32(1 / 16)), np.float32(-8))
    x = g.quant(g.node("HardSwish", x), 0.5, 4, signed=True)
    x = g.quant(g.conv(x, (4, 4, 2, 2), "2"), 2.0, 4, signed=True)
    x = g.quant(g.node("Tanh", g.node("Mul", x, np.float32(0.1))), 0.125, 4, signed=True)
    g.output(g.dense(g.flatten(x), 36, 3, "2"), 3)


def _topk(g: _Model) -> None:
    x = g.sign(g.norm(g.dense(g.sign(g.input("x", 24)), 24, 16), 16, 4))
    x = g.node("TopK", g.dense(x, 16, 8), np.int64([3]), outputs=2)
    g.output(x, 3, kind=TensorProto.INT64)


def _onedim(g: _Model) -> None:
    x = g.sign(g.norm(g.conv(g.input("x", 3, 16), (6, 3, 3), pads=[2, 0]), 6, 200))
    x = g.sign(g.norm(g.conv(x, (6, 6, 3), dilations=[2], pads=[4, 0]), 6, 3))
    x = g.node("MaxPool", x, kernel_shape=[2], strides=[2])
    g.output(g.dense(g.flatten(x), 48, 4), 4)


def _several(g: _Model) -> None:
    a = g.sign(g.norm(g.conv(g.input("a", 2, 5, 5), (3, 2, 3, 3)), 3, 200))
    b = g.sign(g.norm(g.conv(g.input("b", 2, 5, 5), (4, 2, 3, 3)), 4, 200))
    x = g.node("Concat", a, b, axis=1)
    y = g.flatten(g.sign(g.norm(g.conv(x, (4, 7, 2, 2)), 4, 4)))
    g.output(g.dense(y, 16, 3), 3)
    g.output(g.conv(x, (2, 7, 1, 1)), 2, 3, 3)


def _a_frame_in(cycles: int) -> dict[str, object]:
    return {"target_fps": CLOCK_HZ / cycles, "clock_mhz": CLOCK_HZ / 1e6}


NETWORKS: dict[str, Recipe] = {
    "mlp": Recipe(_mlp, {}, {"min_area": True}),
    "image": Recipe(_image, UINT8, {"max_throughput": True}),
    "depthwise": Recipe(_depthwise, UINT8, _a_frame_in(72)),
    "residual": Recipe(_residual, UINT8, _a_frame_in(120)),
    "ternary": Recipe(_ternary, UINT8, _a_frame_in(200)),
    "fewbit": Recipe(_fewbit, UINT8, _a_frame_in(60)),
    "table": Recipe(_table, UINT8, _a_frame_in(40)),
    "topk": Recipe(_topk, {}, _a_frame_in(12)),
    "onedim": Recipe(_onedim, UINT8, _a_frame_in(48)),
    "several": Recipe(_several, UINT8, _a_frame_in(80)),
}
"""By name."""
