"""Networks of the field with random weights, small: what their papers and their exporters make of tokens, points, frames and boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

__all__ = ["NETWORKS", "Field"]

FRAMES, TOKENS, WIDTH, HEADS, POINTS = 24, 4, 6, 2, 8

Operand = str | np.ndarray | np.floating | float


@dataclass(frozen=True)
class Field:
    """A file's model, what its inputs are declared as, and frames for them."""

    model: onnx.ModelProto
    options: Mapping[str, Any]
    frames: Mapping[str, np.ndarray]

    def save(self, path: Path) -> Path:
        onnx.save(self.model, path)
        return path

    def reference(self) -> dict[str, np.ndarray]:
        """Run the nodes as they are."""
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        running = onnxruntime.InferenceSession(self.model.SerializeToString(), options)
        names = [output.name for output in self.model.graph.output]
        return dict(zip(names, running.run(names, dict(self.frames)), strict=True))


class Graph:
    """Appends nodes and the blocks that networks share."""

    def __init__(self, random: np.random.Generator, **frames: np.ndarray) -> None:
        self.random, self.frames = random, frames
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def __call__(self, op: str, *operands: Operand, **attributes: object) -> str:
        names = [operand if isinstance(operand, str) else self._constant(operand) for operand in operands]
        result = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, names, [result], name=f"the_{result}", **attributes))
        return result

    def _constant(self, value: Operand) -> str:
        array = np.asarray(value)
        array = array.astype(np.float32) if array.dtype == np.float64 else array
        self.constants.append(numpy_helper.from_array(array, f"c{len(self.constants)}"))
        return self.constants[-1].name

    def field(self, *outputs: str, **options: object) -> Field:
        inputs = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), ["N", *x.shape[1:]])
            for name, x in self.frames.items()
        ]
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "net", inputs, ends, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
        return Field(onnx.shape_inference.infer_shapes(model), options, self.frames)

    def bipolar(self, *shape: int) -> np.ndarray:
        return self.random.choice(np.array([-1.0, 1.0]), shape)

    def sign(self, x: str) -> str:
        return self("Where", self("GreaterOrEqual", x, 0.0), 1.0, -1.0)

    def reshape(self, x: str, *shape: int) -> str:
        return self("Reshape", x, np.array(shape))

    def linear(self, x: str, columns: int, rows: int) -> str:
        bias = self.random.integers(-3, 4, rows) * 2 + (columns + 1.0) % 2
        return self("Add", self("MatMul", x, self.bipolar(columns, rows)), bias)

    def conv(self, x: str, channels: int, rows: int, kernel: tuple[int, ...] = (1,), **more: object) -> str:
        """Append a convolution and its bias, an odd number."""
        weights, bias = self.bipolar(rows, channels, *kernel), self.random.integers(-3, 4, rows) * 2 + 1.0
        more.setdefault("pads", [size // 2 for size in kernel] * 2)
        return self("Conv", x, weights, bias, **more)

    def binary(self, x: str, channels: int, rows: int, kernel: tuple[int, ...] = (1,), **more: object) -> str:
        return self.sign(self.conv(x, channels, rows, kernel, **more))

    def norm(self, x: str, width: int = WIDTH) -> str:
        gamma, beta = self.random.uniform(0.3, 2, width), self.random.normal(0, 0.5, width)
        return self("LayerNormalization", x, gamma, beta, axis=-1, epsilon=1e-5)

    def heads(self, x: str, order: tuple[int, ...], tokens: int = TOKENS) -> str:
        return self("Transpose", self.reshape(x, 0, tokens, HEADS, WIDTH // HEADS), perm=order)

    def attention(
        self, x: str, weights: Callable[[str], str], *, memory: str | None = None, keys: int = TOKENS, own: int = TOKENS
    ) -> str:
        """Signs of queries, keys and values; what becomes of the scores; the heads in a row."""
        q, k, v = (self.sign(self.linear(each, WIDTH, WIDTH)) for each in (x, memory or x, memory or x))
        scores = self("MatMul", self.heads(q, (0, 2, 1, 3), own), self.heads(k, (0, 2, 3, 1), keys))
        said = self("MatMul", weights(scores), self.heads(v, (0, 2, 1, 3), keys))
        return self.reshape(self("Transpose", said, perm=(0, 2, 1, 3)), 0, own, WIDTH)

    def above(self, x: str, level: float = 0.0) -> str:
        return self("Cast", self("GreaterOrEqual", x, level), to=TensorProto.FLOAT)


def _bipolar(random: np.random.Generator, *shape: int) -> np.ndarray:
    return random.choice(np.array([-1, 1], np.float32), (FRAMES, *shape))


def bibert(random: np.random.Generator) -> Field:
    """Words, places and a segment; bi-attention with a mask as an input; feed-forward; the first token's pooler."""
    words, mask = random.integers(0, 11, (FRAMES, TOKENS)), random.integers(0, 2, (FRAMES, 1, 1, TOKENS))
    net = Graph(random, x=words, mask=mask.astype(np.float32))
    rows = net("Gather", random.integers(-2, 3, (11, WIDTH)).astype(np.float32), "x")
    summed = net(
        "Add", net("Add", rows, random.integers(-2, 3, (TOKENS, WIDTH)) + 0.5), random.integers(-1, 2, WIDTH) + 0.0
    )
    x = net.sign(net.norm(summed))
    far = net("Mul", net("Sub", "mask", 1.0), 512.0)
    said = net.attention(x, lambda scores: net.above(net("Add", net("Mul", scores, 0.5), far)))
    x = net.sign(net.norm(net("Add", net.linear(net.sign(net("Add", said, 0.5)), WIDTH, WIDTH), x)))
    inner = net("Min", net("Relu", net.linear(x, WIDTH, 12)), 3.0)
    x = net.sign(net.norm(net("Add", net.linear(inner, 12, WIDTH), x)))
    pooled = net.sign(net.linear(net("Gather", x, np.array(0), axis=1), WIDTH, WIDTH))
    return net.field(net.linear(pooled, WIDTH, 3), input_type={"mask": "uint1"})


def bit(random: np.random.Generator) -> Field:
    """Elastic binarization: 0 and 1 times a scale of a causal Softmax, three values behind a norm."""
    net = Graph(random, x=_bipolar(random, TOKENS, WIDTH))
    causal = np.triu(np.full((TOKENS, TOKENS), -1e4), 1)

    def elastic(scores: str) -> str:
        shares = net("Softmax", net("Add", net("Mul", scores, 0.408), causal), axis=-1)
        return net("Mul", net("Clip", net("Round", net("Div", shares, 0.31)), 0.0, 1.0), 0.31)

    x = net.sign(net("Sub", net.attention("x", elastic), 0.1))
    x = net.norm(net("Add", net("Mul", net.linear(x, WIDTH, WIDTH), 0.25), "x"))
    return net.field(net("Clip", net("Round", net("Div", x, 0.7)), -1.0, 1.0), input_type="bipolar")


def vision_transformer(random: np.random.Generator) -> Field:
    """Patches, a class token that the file expands to the batch, places, a Softmax of which a threshold is read."""
    net = Graph(random, x=_bipolar(random, 3, 4, 4))
    patches = net("Conv", "x", net.bipolar(WIDTH, 3, 2, 2), strides=[2, 2])
    tokens = net("Transpose", net.reshape(patches, 0, WIDTH, 4), perm=(0, 2, 1))
    batch = net("Slice", net("Shape", "x"), np.array([0]), np.array([1]), np.array([0]))
    shape = net("Concat", batch, np.array([1]), np.array([WIDTH]), axis=0)
    token = net("Expand", random.integers(-3, 4, (1, 1, WIDTH)) + 0.0, shape)
    tokens = net("Add", net("Concat", token, tokens, axis=1), random.integers(-3, 4, (1, 5, WIDTH)) + 0.5)
    x = net.sign(net.norm(tokens))
    said = net.attention(x, lambda s: net.above(net("Softmax", net("Mul", s, 0.577), axis=-1), 0.2), keys=5, own=5)
    x = net.sign(net("Add", net("Add", said, tokens), 0.25))
    return net.field(net.linear(net("Gather", x, np.array(0), axis=1), WIDTH, 4), input_type="bipolar")


def cross_attention(random: np.random.Generator) -> Field:
    """Queries of one input, keys and values of another."""
    net = Graph(random, x=_bipolar(random, TOKENS, WIDTH), y=_bipolar(random, 5, WIDTH))
    said = net.attention("x", lambda s: net.above(net("Softmax", s, axis=-1), 0.3), memory="y", keys=5)
    return net.field(net.linear(net.sign(net("Add", said, 0.5)), WIDTH, 3), input_type="bipolar")


def _transformed(net: Graph, x: str, channels: int) -> str:
    """Multiply the channels of each point by the matrix that a T-Net makes of all points."""
    h = net("ReduceMax", net.binary(net.binary(x, channels, 8), 8, 8), axes=[2], keepdims=0)
    h = net.linear(net.sign(net.linear(h, 8, 8)), 8, channels * channels)
    matrix = net.reshape(net("Add", h, np.eye(channels).ravel() * 3), -1, channels, channels)
    return net("Transpose", net("MatMul", net("Transpose", x, perm=(0, 2, 1)), matrix), perm=(0, 2, 1))


def _points(random: np.random.Generator) -> np.ndarray:
    return random.integers(-8, 8, (FRAMES, 3, POINTS)).astype(np.float32)


def pointnet(random: np.random.Generator) -> Field:
    """T-Nets of 3 x 3 and 8 x 8, and BiPointNet's EMA-max: the greatest point less a mean."""
    net = Graph(random, x=_points(random))
    x = net.binary(_transformed(net, "x", 3), 3, 8)
    x = net.conv(net.sign(_transformed(net, x, 8)), 8, 12)
    x = net("Sub", net("ReduceMax", x, axes=[2], keepdims=0), 1.318)
    return net.field(net.linear(net.sign(x), 12, 5), input_type="int4")


def pointnet_segmentation(random: np.random.Generator) -> Field:
    """What all points are, expanded beside what each is."""
    net = Graph(random, x=_points(random))
    x = net.binary(_transformed(net, "x", 3), 3, 8)
    whole = net("ReduceMax", net.conv(net.binary(x, 8, 12), 12, 10), axes=[2], keepdims=1)
    beside = net("Concat", net.sign(net("Expand", whole, np.array([1, 10, POINTS]))), x, axis=1)
    return net.field(net.conv(net.binary(beside, 18, 8), 8, 4), input_type="int4")


def dfsmn(random: np.random.Generator) -> Field:
    """(C, H, T) -> (C * H, T); memory blocks over frames before and behind, padded apart, with what skips them."""
    net = Graph(random, x=_bipolar(random, 1, 4, 6))
    x = net.reshape(net.binary("x", 1, 2, (3, 3)), 0, 8, 6)
    for _ in range(2):
        h = net.binary(x, 8, 8)
        memory = net("Conv", net("Pad", h, np.array([0, 0, 2, 0, 0, 1])), net.bipolar(8, 1, 4), group=8)
        x = net.sign(net("Add", net("Add", memory, h), 0.5))
    return net.field(net.linear(net.reshape(x, 0, 48), 48, 5), input_type="bipolar")


def detector(random: np.random.Generator) -> Field:
    """SSD: a pool that rounds up, L2Norm with a factor a channel, a dilated fc6, boxes and classes of two maps flattened and joined."""
    net = Graph(random, x=_bipolar(random, 3, 9, 9))
    x = net("MaxPool", net.binary("x", 3, 8, (3, 3)), kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    wide = net.conv(x, 8, 8, (3, 3))
    length = net("Sqrt", net("ReduceSum", net("Mul", wide, wide), np.array([1]), keepdims=1))
    scaled = net("Mul", net("Div", wide, net("Add", length, 1e-10)), random.uniform(5, 20, (1, 8, 1, 1)))
    near = net.sign(net("Sub", scaled, 0.5))
    far = net.binary(net.sign(wide), 8, 8, (3, 3), pads=[2] * 4, dilations=[2, 2])
    far = net.binary(far, 8, 8, (3, 3), strides=[2, 2])
    ends = []
    for size in (2, 3):
        heads = [net.conv(each, 8, 2 * size, (3, 3)) for each in (near, far)]
        flat = [net.reshape(net("Transpose", head, perm=(0, 2, 3, 1)), 0, -1, size) for head in heads]
        ends.append(net("Concat", *flat, axis=1))
    return net.field(*ends, input_type="bipolar")


NETWORKS = (bibert, bit, vision_transformer, cross_attention, pointnet, pointnet_segmentation, dfsmn, detector)
