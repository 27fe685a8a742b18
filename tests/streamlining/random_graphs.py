"""Random ONNX graphs that branch and join, of every kind of layer, whose numbers are exact in float32.

One graph in four is of the QONNX dialect: its quantisers are that dialect's operators, and the oracle is QONNX's own executor.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnx import TensorProto

from hwgen.errors import ModelError
from hwgen.network import Network
from tests.streamlining.conftest import Model, bipolar

LARGEST = 1 << 18
"""Magnitude beyond which a map is not calculated with any further: float32 stays exact."""


FRAMES = 8

LIMITS = ("pads with",)
"""What hwgen may refuse, and says so: padding with no value of the map."""

QONNX = "qonnx.custom_op.general"

RANGES = {"bipolar": (-1, 1), "uint4": (0, 15), "int8": (-128, 127)}


@dataclass(frozen=True)
class Map:
    """A tensor of the graph: its name, shape, greatest magnitude, and the power of two that all its values are multiples of."""

    name: str
    shape: tuple[int, int, int]
    most: float
    unit: float = 1.0


class Grower:
    """Appends random nodes to a graph, and keeps all maps; its quantisers are those of ONNX or of QONNX."""

    def __init__(self, model: Model, random: np.random.Generator, first: Map) -> None:
        self.model, self.random, self.maps = model, random, [first]
        self.qonnx = random.integers(4) == 0

    def one_of(self, options):
        return options[self.random.integers(len(options))]

    def pick(self) -> Map:
        """Choose the newest map, so that graphs grow deep, or any, so that they branch."""
        return self.maps[-1] if self.number(0, 1) else self.one_of(self.maps)

    def number(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high + 1))

    def put(self, shape, most: float, unit: float = 1.0) -> None:
        self.maps.append(Map(self.model.value, tuple(shape), most, unit))

    def grow(self) -> None:
        x = self.pick()
        step = self.one_of(STEPS)
        if x.most / x.unit <= LARGEST or step in QUANTISERS:
            step(self, x)


def sign(grower: Grower, x: Map) -> None:
    shift = grower.random.integers(-3, 4, (x.shape[0], 1, 1)) * x.unit + x.unit / 2
    grower.model.add("Add", shift.astype(np.float32), reads=x.name)
    if grower.qonnx:
        scale = 2.0 ** grower.number(-2, 1)
        grower.model.add("BipolarQuant", np.float32(scale), domain=QONNX)
        grower.put(x.shape, scale, scale)
    else:
        grower.model.sign()
        grower.put(x.shape, 1)


def levels(grower: Grower, x: Map) -> None:
    if grower.qonnx:
        grower.one_of([quantised, truncated, counted])(grower, x)
    else:
        floored(grower, x)


def floored(grower: Grower, x: Map) -> None:
    scale = 2.0 ** -np.ceil(np.log2(x.most / 3 + 1))
    grower.model.add("Mul", np.float32(scale), reads=x.name).add("Floor").add("Clip", np.float32(-2), np.float32(1))
    grower.put(x.shape, 2)


def quantised(grower: Grower, x: Map) -> tuple[float, int, int]:
    """Append a quantiser of any range and rounding; give its scale, its bits, and whether it is signed."""
    bits, signed = grower.number(2, 5), grower.number(0, 1)
    scale = 2.0 ** (np.ceil(np.log2(x.most + 1)) - bits + grower.number(0, 1))
    modes = ["ROUND", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN"]
    grower.model.add(
        "Quant",
        *map(np.float32, (scale, 0, bits)),
        reads=x.name,
        domain=QONNX,
        signed=signed,
        narrow=grower.number(0, 1),
        rounding_mode=grower.one_of(modes),
    )
    grower.put(x.shape, scale * 2**bits, scale)
    return scale, bits, signed


def truncated(grower: Grower, x: Map) -> None:
    scale, bits, signed = quantised(grower, x)
    dropped = grower.number(1, 2)
    coarse = scale * 2**dropped
    grower.model.add(
        "Trunc",
        *map(np.float32, (scale, 0, bits, coarse, bits)),
        domain=QONNX,
        signed=signed,
        narrow=0,
        rounding_mode=grower.one_of(["FLOOR", "ROUND", "CEIL"]),
    )
    grower.put(x.shape, coarse * 2**bits, coarse)


def counted(grower: Grower, x: Map) -> None:
    rows, steps = grower.one_of([1, x.shape[0]]), grower.number(1, 7)
    reached = int(min(x.most / x.unit + 2, 1000))
    thresholds = np.sort(grower.random.integers(-reached, reached + 1, (rows, steps)), axis=1) * x.unit
    scale, bias = 2.0 ** grower.number(-1, 1), float(grower.number(-2, 2))
    grower.model.add(
        "MultiThreshold",
        thresholds.astype(np.float32),
        reads=x.name,
        domain=QONNX,
        out_dtype="FLOAT32",
        out_scale=scale,
        out_bias=bias,
    )
    grower.put(x.shape, scale * steps + abs(bias), min(scale, 1.0))


def scaled(grower: Grower, x: Map) -> None:
    factors = grower.random.choice([-2, -1, -0.5, 0.5, 1], (x.shape[0], 1, 1)).astype(np.float32)
    grower.model.add("Mul", factors, reads=x.name)
    grower.put(x.shape, 2 * x.most, x.unit / 2)


def biased(grower: Grower, x: Map) -> None:
    """Add a constant to each channel: under a convolution's zero padding it is another constant at the border."""
    grower.model.add("Add", multiples(grower, x, (x.shape[0], 1, 1)), reads=x.name)
    grower.put(x.shape, x.most + 3 * x.unit, x.unit / 2)


def multiples(grower: Grower, x: Map, shape: tuple[int, ...]) -> np.ndarray:
    return (grower.random.integers(-6, 7, shape) * (x.unit / 2)).astype(np.float32)


def placed(grower: Grower, x: Map) -> None:
    """Scale and shift rows, columns, or every element by numbers of their own."""
    channels, height, width = x.shape
    shapes = [(1, height, 1), (1, 1, width), (1, height, width), (channels, height, width)]
    factors = grower.random.choice([-1, 0.5, 1, 1, 2], grower.one_of(shapes)).astype(np.float32)
    if grower.number(0, 2):
        grower.model.add("Add", multiples(grower, x, grower.one_of(shapes)), reads=x.name)
        grower.put(x.shape, x.most + 3 * x.unit, x.unit / 2)
    else:
        grower.model.add("Mul", factors, reads=x.name)
        grower.put(x.shape, 2 * x.most, x.unit / 2)


def averaged(grower: Grower, x: Map) -> None:
    """Average windows that hang over an edge, of one, two or four elements that count."""
    pads = grower.one_of([[1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1], [0, 0, 1, 1]])
    kernel = {"kernel_shape": [2, 2], "pads": pads, "count_include_pad": 0}
    grower.model.add("AveragePool", reads=x.name, **kernel)
    grower.put(x.shape, x.most, x.unit / 4)


def rectified(grower: Grower, x: Map) -> None:
    grower.model.add(grower.one_of(["Relu", "Abs", "Neg"]), reads=x.name)
    grower.put(x.shape, x.most, x.unit)


def convolution(grower: Grower, x: Map) -> None:
    channels, height, width = x.shape
    groups = grower.one_of([number for number in (1, 2, channels) if channels % number == 0])
    rows = groups * grower.number(1, 3)
    kernel = (grower.number(1, min(3, height)), grower.number(1, min(3, width)))
    pads = [grower.number(0, size - 1) for size in kernel] * 2
    strides = [grower.number(1, 2), grower.number(1, 2)]
    sizes = [
        (size + 2 * pad - extent) // stride + 1
        for size, pad, extent, stride in zip((height, width), pads, kernel, strides, strict=False)
    ]
    weights = bipolar(grower.random, rows, channels // groups, *kernel)
    grower.model.add("Conv", weights, reads=x.name, pads=pads, strides=strides, group=groups)
    grower.put((rows, *sizes), x.most * weights[0].size, x.unit)


def transposed(grower: Grower, x: Map) -> None:
    channels, height, width = x.shape
    if height * width > 40:
        return
    rows, kernel, stride = (
        grower.number(1, 3),
        (grower.number(1, 3), grower.number(1, 3)),
        (grower.number(1, 2), grower.number(1, 2)),
    )
    weights = bipolar(grower.random, channels, rows, *kernel)
    grower.model.add("ConvTranspose", weights, reads=x.name, strides=stride)
    sizes = [(size - 1) * step + extent for size, step, extent in zip((height, width), stride, kernel, strict=True)]
    grower.put((rows, *sizes), x.most * weights[:, 0].size, x.unit)


def pool(grower: Grower, x: Map) -> None:
    channels, height, width = x.shape
    kernel = [min(2, height), min(2, width)]
    op = grower.one_of(["MaxPool", "AveragePool"])
    grower.model.add(op, reads=x.name, kernel_shape=kernel, strides=kernel)
    grower.put((channels, height // kernel[0], width // kernel[1]), x.most, x.unit / 4)


def summed(grower: Grower, x: Map) -> None:
    channels, height, width = x.shape
    axes = grower.one_of([[1], [2], [3], [2, 3], [1, 2, 3]])
    shape = tuple(1 if axis + 1 in axes else size for axis, size in enumerate((channels, height, width)))
    grower.model.add("ReduceSum", np.array(axes), reads=x.name, keepdims=1)
    grower.put(shape, x.most * np.prod([x.shape[axis - 1] for axis in axes]), x.unit)


def greatest(grower: Grower, x: Map) -> None:
    axes = grower.one_of([[2], [3], [2, 3]])
    shape = tuple(1 if axis + 1 in axes else size for axis, size in enumerate(x.shape))
    grower.model.add(grower.one_of(["ReduceMax", "ReduceMin"]), reads=x.name, axes=axes, keepdims=1)
    grower.put(shape, x.most, x.unit)


def joined(grower: Grower, x: Map) -> None:
    def fits(other: Map) -> bool:
        return all(one == two or 1 in (one, two) for one, two in zip(x.shape, other.shape, strict=True))

    y = grower.one_of([other for other in grower.maps if fits(other) and other is not x] or [x])
    op = grower.one_of(["Add", "Sub", "Mul", "Max", "Min"])
    unit = x.unit * y.unit if op == "Mul" else min(x.unit, y.unit)
    most = x.most * y.most if op == "Mul" else x.most + y.most
    if most / unit > LARGEST or max(x.unit, y.unit) / min(x.unit, y.unit) > 64:
        return
    grower.model.add(op, y.name, reads=x.name)
    grower.put(np.broadcast_shapes(x.shape, y.shape), most, unit)


def concatenated(grower: Grower, x: Map) -> None:
    y = grower.one_of([other for other in grower.maps if other.shape[1:] == x.shape[1:]])
    if x.shape[0] + y.shape[0] > 12 or max(x.unit, y.unit) / min(x.unit, y.unit) > 64:
        return
    grower.model.add("Concat", y.name, reads=x.name, axis=1)
    grower.put((x.shape[0] + y.shape[0], *x.shape[1:]), max(x.most, y.most), min(x.unit, y.unit))


def moved(grower: Grower, x: Map) -> None:
    channels, height, width = x.shape
    kind = grower.one_of(["slice", "gather", "resize", "shuffle", "split"])
    model = grower.model
    model.value = x.name
    if kind == "slice":
        top, left = grower.number(0, height - 1), grower.number(0, width - 1)
        step = grower.number(1, 2)
        model.add("Slice", np.array([top, left]), np.array([height, width]), np.array([2, 3]), np.array([step, 1]))
        shape = (channels, -(-(height - top) // step), width - left)
    elif kind == "gather":
        chosen = grower.random.integers(0, channels, grower.number(1, 4))
        model.add("Gather", chosen, axis=1)
        shape = (len(chosen), height, width)
    elif kind == "resize":
        if height * width > 40:
            return
        model.add(
            "Resize",
            "",
            np.array([1, 1, 2, 1], np.float32),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        shape = (channels, 2 * height, width)
    elif kind == "shuffle" and channels % 2 == 0:
        model.add("Reshape", np.array([-1, 2, channels // 2, height, width])).add("Transpose", perm=[0, 2, 1, 3, 4])
        model.add("Reshape", np.array([-1, channels, height, width]))
        shape = x.shape
    elif channels > 1:
        first = grower.number(1, channels - 1)
        model.add("Split", np.array([first, channels - first]), axis=1, outputs=2)
        shape = (first, height, width)
    else:
        return
    grower.put(shape, x.most, x.unit)


def padded(grower: Grower, x: Map) -> None:
    channels, height, width = x.shape
    if height * width > 40:
        return
    top, left, bottom, right = (grower.number(0, 2) for _ in range(4))
    floored(grower, x)
    grower.model.add("Pad", np.array([0, 0, top, left, 0, 0, bottom, right]), np.float32(grower.number(-2, 1)))
    grower.put((channels, top + height + bottom, left + width + right), 2)


STEPS = [
    sign,
    sign,
    levels,
    scaled,
    biased,
    placed,
    placed,
    averaged,
    rectified,
    convolution,
    convolution,
    convolution,
    convolution,
    transposed,
    pool,
    summed,
    greatest,
    joined,
    joined,
    joined,
    joined,
    concatenated,
    moved,
    padded,
]


QUANTISERS = (sign, levels)
"""Steps that read also what is not exact in float32 any more: their result is."""


@dataclass(frozen=True)
class Case:
    """A graph, what hwgen makes of it, and frames for it: the first is the lowest, the second the highest there is."""

    model: Model
    network: Network
    frames: np.ndarray


def beginning(folder: Path, random: np.random.Generator) -> tuple[Grower, str, np.ndarray]:
    """Start with a map, or one time in eight with symbols that choose rows of a table; give its type and frames."""
    if random.integers(8) == 0:
        symbols, dimensions = (int(size) for size in random.integers(1, 9, 2))
        model = Model(folder / "net.onnx", (symbols,), TensorProto.INT64)
        model.add("Gather", "x", reads=model.constant(bipolar(random, 16, dimensions)))
        model.add("Transpose", perm=[0, 2, 1]).add("Unsqueeze", np.array([3]))
        x = random.integers(0, 16, (FRAMES, symbols))
        x[0], x[1] = 0, 15
        return Grower(model, random, Map(model.value, (dimensions, symbols, 1), 1)), "uint4", x
    shape = tuple(int(size) for size in random.integers(1, (5, 8, 8)))
    kind = str(random.choice(list(RANGES)))
    low, high = RANGES[kind]
    codes = bipolar(random, FRAMES, *shape) if kind == "bipolar" else random.integers(low, high + 1, (FRAMES, *shape))
    codes[0], codes[1] = low, high
    first = Map("x", shape, max(-low, high))
    return Grower(Model(folder / "net.onnx", shape), random, first), kind, codes.astype(np.float32)


def ranked(grower: Grower, channels: int) -> None:
    """Rank the channels of a convolution or product: the best, first or last of equals, or the few best or worst."""
    if grower.model.nodes[-1].op_type not in ("Conv", "MatMul"):
        grower.model.add("Conv", bipolar(grower.random, 4, channels, 1, 1))
        channels = 4
    if grower.number(0, 1):
        grower.model.add("ArgMax", axis=1, select_last_index=grower.number(0, 1), keepdims=grower.number(0, 1))
        return
    count = np.array([grower.number(1, channels)])
    grower.model.add("TopK", count, outputs=2, axis=1, largest=grower.number(0, 1))
    grower.model.value += "_1"


def random_graph(folder: Path, seed: int) -> Case:
    """Grow graphs until one says nothing that has no hardware; nothing but `LIMITS` may be refused."""
    for attempt in itertools.count():
        try:
            return grown(folder, np.random.default_rng([seed, attempt]))
        except ModelError as error:
            if not any(limit in str(error) for limit in LIMITS):
                raise
    raise AssertionError


def grown(folder: Path, random: np.random.Generator) -> Case:
    """Grow a graph of two to twelve steps; where all of it were the host's, a convolution is put behind it."""
    grower, kind, x = beginning(folder, random)
    model = grower.model
    for _ in range(random.integers(2, 13)):
        grower.grow()
    last = grower.maps[-1]
    model.value, channels = last.name, last.shape[0]
    if random.integers(2) and last.most / last.unit < LARGEST:
        channels = 3
        model.add("Flatten").add("MatMul", bipolar(random, int(np.prod(last.shape)), channels))
    elif not {"Conv", "ConvTranspose", "MatMul"} & {node.op_type for node in model.nodes}:
        channels = 2
        model.add("Conv", bipolar(random, channels, last.shape[0], 1, 1))
    if random.integers(6) == 0:
        ranked(grower, channels)
    try:
        return Case(model, model.network(input_type=kind), x)
    except ModelError as error:
        if "at least one layer" not in str(error):
            raise
    model.add("Conv", bipolar(random, 2, last.shape[0], 1, 1))
    return Case(model, model.network(input_type=kind), x)
