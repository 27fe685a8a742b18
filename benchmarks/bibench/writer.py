"""An ONNX file that is written node by node; each node runs at once on a few frames, so that norms have statistics that suit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

__all__ = ["Counts", "Tensor", "Writer"]

IR_VERSION, OPSET = 10, 20


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the file, with its values on the sample frames (frames first), or a constant's."""

    name: str
    value: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape


@dataclass
class Counts:
    """What BiBench's theoretical complexity is computed from.

    Parameters
    ----------
    binary_weights, real_weights : int
        Parameters of one bit, and all others: first and last layers, norms, scales, shifts.
    binary_macs, real_macs : int
        Products a frame with both factors of one bit, and all others.
    """

    binary_weights: int = 0
    real_weights: int = 0
    binary_macs: int = 0
    real_macs: int = 0


class Writer:
    """Appends nodes to a graph.

    Parameters
    ----------
    samples : ndarray
        Frames of the input, as the model means them.
    typical : int
        How many of them, the first ones, norms take their statistics from.
    seed : int
        Of all weights.
    """

    def __init__(self, samples: np.ndarray, typical: int, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.counts = Counts()
        self.typical = typical
        self.input = Tensor("x", samples)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, np.ndarray] = {}
        self._outputs: list[Tensor] = []

    def constant(self, value: Any, dtype: Any = np.float32) -> Tensor:
        """Add an initializer."""
        array = np.asarray(value, dtype=dtype)
        name = f"c{len(self._constants)}"
        self._constants[name] = array
        return Tensor(name, array)

    def parameter(self, value: Any) -> Tensor:
        """Add an initializer that training would find, and count it."""
        tensor = self.constant(value)
        self.counts.real_weights += tensor.value.size
        return tensor

    def op(self, kind: str, *inputs: Tensor, **attributes: Any) -> Tensor:
        """Add a node of one output, and run it."""
        number = len(self._nodes)
        node = helper.make_node(kind, [each.name for each in inputs], [f"v{number}"], f"{kind}_{number}", **attributes)
        self._nodes.append(node)
        return Tensor(f"v{number}", self._run(node, inputs))

    def _run(self, node: onnx.NodeProto, inputs: tuple[Tensor, ...]) -> np.ndarray:
        given = {each.name: each.value for each in inputs if each.name not in self._constants}
        infos = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in given.items()
        ]
        constants = [
            numpy_helper.from_array(self._constants[each.name], each.name)
            for each in inputs
            if each.name in self._constants
        ]
        output = helper.make_empty_tensor_value_info(node.output[0])
        graph = helper.make_graph([node], "one", infos, [output], constants)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(_model(graph).SerializeToString(), options)
        return session.run(None, given)[0]

    # What all algorithms and architectures share

    def add(self, left: Tensor, right: Tensor) -> Tensor:
        return self.op("Add", left, right)

    def flatten(self, x: Tensor) -> Tensor:
        return self.op("Flatten", x, axis=1)

    def reshape(self, x: Tensor, *shape: int) -> Tensor:
        """Give each frame another shape."""
        return self.op("Reshape", x, self.constant([-1, *shape], np.int64))

    def sign(self, x: Tensor) -> Tensor:
        """Add x >= 0 ? 1 : -1."""
        condition = self.op("GreaterOrEqual", x, self.constant(0))
        return self.op("Where", condition, self.constant(1), self.constant(-1))

    def hardtanh(self, x: Tensor) -> Tensor:
        return self.op("Clip", x, self.constant(-1), self.constant(1))

    def norm(self, x: Tensor, spread: float = 1.0) -> Tensor:
        """Add a batch norm with the statistics of the typical frames, scales and biases round a spread."""
        axes = (0, *range(2, x.value.ndim))
        seen = x.value[: self.typical]
        mean, variance = seen.mean(axes), seen.var(axes) + 1e-3
        scale = spread * (1 + 0.2 * self.random.standard_normal(len(mean)))
        bias = 0.2 * spread * self.random.standard_normal(len(mean))
        return self.op("BatchNormalization", x, *(self.parameter(each) for each in (scale, bias, mean, variance)))

    def eight_bit(self, *shape: int) -> Tensor:
        """Add weights of 8 bits, -127 to 127 times one step a filter (first axis)."""
        codes = self.random.integers(-127, 128, size=shape)
        return self.parameter(codes / (73 * np.prod(shape[1:]) ** 0.5))

    def real_conv(self, x: Tensor, channels: int, kernel: int, *, stride: int = 1) -> Tensor:
        """Add a convolution with 8-bit weights and its norm: papers leave the first one and those of shortcuts real."""
        places = x.value.ndim - 2
        y = self.op(
            "Conv",
            x,
            self.eight_bit(channels, x.shape[1], *[kernel] * places),
            kernel_shape=[kernel] * places,
            strides=[stride] * places,
            pads=[kernel // 2] * 2 * places,
        )
        self.counts.real_macs += y.value[0].size * x.shape[1] * kernel**places
        return self.norm(y)

    def head(self, x: Tensor, channels: int) -> Tensor:
        """Add a convolution with 8-bit weights and a bias: a detector's last one."""
        weights, bias = (
            self.eight_bit(channels, x.shape[1], 3, 3),
            self.parameter(self.random.standard_normal(channels)),
        )
        y = self.op("Conv", x, weights, bias, kernel_shape=[3, 3], pads=[1] * 4)
        self.counts.real_macs += y.value[0].size * x.shape[1] * 9
        return y

    def layer_norm(self, x: Tensor) -> Tensor:
        """Add a norm over the channels, the last axis."""
        scale, bias = (self.random.standard_normal(x.shape[-1]) for _ in range(2))
        return self.op("LayerNormalization", x, self.parameter(1 + 0.2 * scale), self.parameter(0.2 * bias), axis=-1)

    def shifted(self, x: Tensor) -> Tensor:
        """Add a bias of each channel, the last axis."""
        spread = float(x.value.std())
        return self.add(x, self.parameter(0.2 * spread * self.random.standard_normal(x.shape[-1])))

    def centred(self, x: Tensor) -> Tensor:
        """Add a bias of each channel, the last axis, that leaves the typical frames about zero."""
        return self.op("Sub", x, self.parameter(x.value[: self.typical].mean(tuple(range(x.value.ndim - 1)))))

    def real_dense(self, x: Tensor, features: int) -> Tensor:
        """Add a dense layer with 8-bit weights: the last one."""
        weights, bias = self.eight_bit(features, x.shape[-1]), self.parameter(self.random.standard_normal(features))
        self.counts.real_macs += features * x.shape[-1]
        return self.op("Gemm", x, weights, bias, transB=1)

    def output(self, tensor: Tensor) -> None:
        self._outputs.append(tensor)

    def save(self, path: Path) -> None:
        """Write the file, batch axis symbolic."""
        source = helper.make_tensor_value_info(
            "x", helper.np_dtype_to_tensor_dtype(self.input.value.dtype), ("N", *self.input.shape[1:])
        )
        sinks = [
            helper.make_tensor_value_info(each.name, TensorProto.FLOAT, ("N", *each.shape[1:]))
            for each in self._outputs
        ]
        constants = [numpy_helper.from_array(value, name) for name, value in self._constants.items()]
        onnx.save(_model(helper.make_graph(self._nodes, path.stem, [source], sinks, constants)), path)


def _model(graph: onnx.GraphProto) -> onnx.ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
