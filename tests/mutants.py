"""Small ONNX models that have most operators between them, and random damage to them."""

from __future__ import annotations

from collections.abc import Callable, MutableSequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

QONNX = "qonnx.custom_op.general"

EDGES = (-(2**63), -(2**31), -5, -1, 0, 1, 2, 3, 7, 1000, 2**31, 2**40, 2**63 - 1)
"""Whole numbers that attributes, sizes and constants become."""

REALS = (0.0, -1.0, 0.5, 1e-30, 1e30, 3e38, float("inf"), float("-inf"), float("nan"))

SEEDS = {
    "dense": """a = Sign (x) b = MatMul (a, w44) c = BatchNormalization <epsilon = 0.001> (b, four, four, four, four)
        d = Sign (c) y = Gemm <alpha = 2.0, transB = 1> (d, w44, four)""",
    "window": """a = Conv <pads = [1, 1, 1, 1], strides = [1, 2], dilations = [1, 1], group = 2> (x, k4233)
        b = Add (a, c411) c = Clip (b, low, high) d = Sign (c) e = MaxPool <kernel_shape = [2, 2], strides = [2, 1], ceil_mode = 1> (d)
        f = GlobalMaxPool (e) g = Flatten (f) y = Softmax <axis = -1> (g)""",
    "pools": """a = Sign (x) b = AveragePool <kernel_shape = [2, 2], pads = [0, 1, 0, 1], count_include_pad = 1> (a) c = Greater (b, zero)
        d = Where (c, one, minus) e = GlobalAveragePool (d) f = ReduceMean <keepdims = 0> (e, last2) y = Mul (f, half)""",
    "shapes": """a = Sign (x) b = Transpose <perm = [0, 2, 3, 1]> (a) c = Transpose <perm = [0, 3, 1, 2]> (b) d = Pad <mode = "constant"> (c, pads8, one)
        e = Slice (d, starts, ends, last2) f, g = Split <axis = 1> (e, halves) h = Concat <axis = 1> (g, f)
        i = GlobalAveragePool (h) j = Reshape (i, flat) v, y = TopK (j, one1)""",
    "computed": """a = Sign (x) s = Shape (a) t = Gather <axis = 0> (s, first) u = Unsqueeze (t, first1) v = Concat <axis = 0> (u, minus1)
        b = Reshape (a, v) p = Cast <to = 1> (latent) q = Sign (p) r = Expand (half, sixteen) m = Tile (q, repeat)
        c = MatMul (b, m) e = Add (c, r) y = ArgMax <axis = 1, keepdims = 0> (e)""",
    "upscale": """a = Sign (x) b = ConvTranspose <strides = [2, 2], output_padding = [1, 1]> (a, k4422) c = Sign (b)
        d = Resize <mode = "nearest", coordinate_transformation_mode = "asymmetric"> (c, , scales) e = DepthToSpace <blocksize = 2> (d)
        f = SpaceToDepth <blocksize = 2> (e) y = GlobalMaxPool (f)""",
    "integers": """a = QuantizeLinear (x, half, zero8) b = DequantizeLinear (a, half, zero8) c = Conv (b, k4233b, four) d = Relu (c)
        e = QuantizeLinear (d, half, zero8) f = QLinearConv <kernel_shape = [1, 1]> (e, half, zero8, k4411i, half, zero8, half, zero8)
        g = ConvInteger (f, k4411i, zero8) y = Cast <to = 1> (g)""",
    "qonnx": """a = q.BipolarQuant (x, one) b = q.Quant <signed = 1, narrow = 1, rounding_mode = "ROUND"> (w44f, half, zero, bits4)
        f = Flatten (a) c = MatMul (f, b) d = q.MultiThreshold <out_scale = 2.0, out_bias = -1.0, out_dtype = "BIPOLAR"> (c, steps41)
        e = q.Quant <signed = 0, narrow = 0, rounding_mode = "FLOOR"> (d, half, zero, bits4) y = q.Trunc (e, half, zero, bits4, bits4)""",
    "joins": """a = Sign (x) b = Neg (a) c = Mul (a, b) d = Sub (c, b) e = Max (d, a) f = Sum (e, a, b) g = Div (f, half)
        h = Equal (a, c) i = Cast <to = 1> (h) j = Add (g, i) k = Round (j) l = HardSwish (k) m = LeakyRelu <alpha = 0.25> (l) y = PRelu (m, c411)""",
    "norms": """a = Sign (x) b = LayerNormalization <axis = 1> (a, c422, c422) c = Sign (b) d = InstanceNormalization (c, four, four) e = Sign (d)
        h = ReduceSum <keepdims = 1> (e, last2) i = Einsum <equation = "bchw,cd->bdhw"> (h, w44)
        y = Squeeze (i, last2)""",
}
"""Models by name: the nodes. All read x, a map of 4 x 2 x 2, the dense one a vector of 4, in opset 20."""


def _constants() -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)

    def signs(*shape: int, kind: type = np.float32) -> np.ndarray:
        return random.choice(np.array([-1, 1], dtype=kind), size=shape)

    def whole(*numbers: int) -> np.ndarray:
        return np.array(numbers, dtype=np.int64)

    return {
        "w44": signs(4, 4),
        "w44f": signs(16, 4),
        "latent": random.standard_normal((4, 4)).astype(np.float32),
        "repeat": whole(4, 1),
        "sixteen": whole(1, 4),
        "four": np.float32([1, 2, 0.5, 1]),
        "k4233": signs(4, 2, 3, 3)[:, :, :2, :2],
        "k4233b": signs(4, 4, 1, 1),
        "k4422": signs(4, 4, 2, 2),
        "k4411i": signs(4, 4, 1, 1, kind=np.int8).astype(np.uint8),
        "c411": np.float32([[[1]], [[2]], [[0.5]], [[-1]]]),
        "c422": np.ones((4, 2, 2), np.float32),
        "steps41": np.float32([[0], [1], [0], [-1]]),
        "low": np.float32(-1),
        "high": np.float32(1),
        "zero": np.float32(0),
        "one": np.float32(1),
        "minus": np.float32(-1),
        "half": np.float32(0.5),
        "bits4": np.float32(4),
        "zero8": np.uint8(0),
        "last2": whole(2, 3),
        "pads8": whole(0, 0, 1, 0, 0, 0, 0, 1),
        "starts": whole(0, 0),
        "ends": whole(2, 3),
        "halves": whole(2, 2),
        "flat": whole(0, -1),
        "first": np.int64(0),
        "first1": whole(0),
        "minus1": whole(-1),
        "scales": np.float32([1, 1, 2, 2]),
        "one1": whole(1),
    }


def seed(name: str) -> onnx.ModelProto:
    """Give one of the models, undamaged."""
    shape = "N,4" if name == "dense" else "N,4,2,2"
    text = f'<ir_version: 10, opset_import: ["" : 20, "q" : 1]> net (float[{shape}] x) => (float y) {{ {SEEDS[name]} }}'
    model = onnx.parser.parse_model(text)
    read = {name for node in model.graph.node for name in node.input}
    model.graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in _constants().items() if name in read
    )
    for number, node in enumerate(model.graph.node):
        node.name = f"n{number}"
        node.domain = QONNX if node.domain == "q" else ""
    model.opset_import[1].domain = QONNX
    return model


def mutant(name: str, random: np.random.Generator) -> bytes:
    """Give a model with one to three kinds of damage, as the bytes of its file."""
    model = seed(name)
    for _ in range(random.integers(1, 4)):
        DAMAGES[random.integers(len(DAMAGES))](model, random)
    content = bytearray(model.SerializeToString())
    if random.integers(12) == 0:
        for place in random.integers(len(content), size=random.integers(1, 4)):
            content[place] = random.integers(256)
    return bytes(content)


def _one_of(random: np.random.Generator, things: Any) -> Any:
    return things[random.integers(len(things))] if len(things) else None


def _node(model: onnx.ModelProto, random: np.random.Generator) -> onnx.NodeProto:
    return _one_of(random, model.graph.node)


def _tensor(model: onnx.ModelProto, random: np.random.Generator) -> onnx.TensorProto | None:
    return _one_of(random, model.graph.initializer)


def _names(model: onnx.ModelProto) -> list[str]:
    graph = model.graph
    made = [name for node in graph.node for name in node.output]
    return ["", "ghost", "x", *made, *(tensor.name for tensor in graph.initializer)]


def drop_attribute(model: onnx.ModelProto, random: np.random.Generator) -> None:
    nodes = [node for node in model.graph.node if node.attribute]
    if nodes:
        attributes = _one_of(random, nodes).attribute
        del attributes[random.integers(len(attributes))]


def _value(random: np.random.Generator) -> Any:
    makers: tuple[Callable[[], Any], ...] = (
        lambda: _one_of(random, EDGES),
        lambda: _one_of(random, REALS),
        lambda: [_one_of(random, EDGES) for _ in range(random.integers(1, 5))],
        lambda: [_one_of(random, REALS) for _ in range(random.integers(1, 5))],
        lambda: _one_of(random, ("", "NOTSET", "SAME_UPPER", "nearest", "abc->", "\u00e9")),
        lambda: [b"text", b"\xff\xfe"],
        lambda: numpy_helper.from_array(np.zeros(_shape(random), np.float32)),
        lambda: helper.make_graph([], "inner", [], []),
    )
    return _one_of(random, makers)()


def _shape(random: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(size) for size in random.integers(0, 4, size=random.integers(0, 5)))


def change_attribute(model: onnx.ModelProto, random: np.random.Generator) -> None:
    """Give an attribute another value, of its own type or of any."""
    nodes = [node for node in model.graph.node if node.attribute]
    if not nodes:
        return
    node = _one_of(random, nodes)
    place = int(random.integers(len(node.attribute)))
    old = node.attribute[place]
    value = helper.get_attribute_value(old)
    if random.integers(2):
        new = _value(random)
    elif isinstance(value, list) and value and isinstance(value[0], int):
        new = [_one_of(random, EDGES) for _ in value] if random.integers(2) else value[:-1] or [1, 1, 1]
    elif isinstance(value, int):
        new = _one_of(random, EDGES)
    else:
        new = _one_of(random, REALS)
    node.attribute[place].CopyFrom(helper.make_attribute(old.name, new))


def add_attribute(model: onnx.ModelProto, random: np.random.Generator) -> None:
    names = ("axis", "axes", "perm", "pads", "strides", "dilations", "group", "kernel_shape", "auto_pad", "to", "k")
    names += ("ceil_mode", "epsilon", "alpha", "transA", "value", "keepdims", "mode", "output_shape", "block_size")
    node, name = _node(model, random), _one_of(random, names)
    if all(attribute.name != name for attribute in node.attribute):
        node.attribute.append(helper.make_attribute(name, _value(random)))


def change_constant(model: onnx.ModelProto, random: np.random.Generator) -> None:
    """Give a constant other numbers, another shape, another type, or none."""
    tensor = _tensor(model, random)
    if tensor is None:
        return
    try:
        array = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError):  # it is damaged already
        return
    kind = random.integers(6)
    if kind == 0:
        array = np.resize(array, _shape(random))
    elif kind == 1 and array.size:
        array = array.copy()
        numbers = EDGES if array.dtype.kind == "i" and array.dtype.itemsize == 8 else REALS
        with np.errstate(all="ignore"):
            array.flat[random.integers(array.size)] = np.array(_one_of(random, numbers)).astype(array.dtype)
    elif kind == 2:
        types = (np.float64, np.float16, np.int8, np.uint8, np.int64, np.uint64, np.bool_, np.int32, np.complex64)
        array = array.astype(_one_of(random, types))
    elif kind == 3:
        array = array[None]
    elif kind == 4 and array.ndim:
        array = np.take(array, [], axis=int(random.integers(array.ndim)))
    elif kind == 5:
        tensor.dims.append(_one_of(random, EDGES))
        return
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def change_type(model: onnx.ModelProto, random: np.random.Generator) -> None:
    tensor = _tensor(model, random)
    if tensor is not None:
        tensor.data_type = int(random.integers(-1, 27))


def change_input(model: onnx.ModelProto, random: np.random.Generator) -> None:
    """Let a node read something else, nothing, or more."""
    node = _node(model, random)
    _change_names(node.input, _one_of(random, _names(model)), random, exchanged=4)


def change_output(model: onnx.ModelProto, random: np.random.Generator) -> None:
    node = _node(model, random)
    _change_names(node.output, _one_of(random, _names(model)), random, exchanged=3)


def _change_names(names: MutableSequence[str], name: str, random: np.random.Generator, *, exchanged: int) -> None:
    """Put a name in another's place, but one time in so many; else add it or take one away."""
    if names and random.integers(exchanged):
        names[random.integers(len(names))] = name
    elif random.integers(2):
        names.append(name)
    elif names:
        del names[-1]


def change_operator(model: onnx.ModelProto, random: np.random.Generator) -> None:
    """Make a node one of another operator: one of the other models', or of another domain."""
    node = _node(model, random)
    if random.integers(4):
        other = _one_of(random, seed(_one_of(random, list(SEEDS))).graph.node)
        node.op_type, node.domain = other.op_type, other.domain
    else:
        names = (
            "",
            "If",
            "Loop",
            "Constant",
            "ConstantOfShape",
            "Range",
            "Frobnicate",
            "GRU",
            "Size",
            "NonZero",
            "LRN",
        )
        node.op_type = _one_of(random, names)
        node.domain = _one_of(random, ("", "", "ai.onnx", "com.microsoft", QONNX, "finn.custom_op.fpgadataflow"))


def change_dims(model: onnx.ModelProto, random: np.random.Generator) -> None:
    """Change the declared shape of the input, or of the output."""
    shape = _one_of(random, [*model.graph.input, *model.graph.output]).type.tensor_type.shape
    kind = random.integers(4)
    if kind == 0 and shape.dim:
        del shape.dim[-1]
    elif kind == 1:
        shape.dim.add().dim_value = int(_one_of(random, EDGES))
    elif shape.dim:
        dim = _one_of(random, shape.dim)
        if kind == 2:
            dim.dim_value = int(_one_of(random, EDGES))
        else:
            dim.dim_param = _one_of(random, ("N", "", "height"))


def change_element(model: onnx.ModelProto, random: np.random.Generator) -> None:
    model.graph.input[0].type.tensor_type.elem_type = int(random.integers(-1, 27))


def change_opset(model: onnx.ModelProto, random: np.random.Generator) -> None:
    if random.integers(4):
        model.opset_import[0].version = int(random.integers(7, 24))
    else:
        _one_of(random, model.opset_import).version = _one_of(random, EDGES)


def shuffle_nodes(model: onnx.ModelProto, random: np.random.Generator) -> None:
    nodes = [model.graph.node[place] for place in random.permutation(len(model.graph.node))]
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)


def drop_node(model: onnx.ModelProto, random: np.random.Generator) -> None:
    if len(model.graph.node) > 1:
        del model.graph.node[random.integers(len(model.graph.node))]


def repeat_node(model: onnx.ModelProto, random: np.random.Generator) -> None:
    model.graph.node.append(onnx.NodeProto.FromString(_node(model, random).SerializeToString()))


def drop_constant(model: onnx.ModelProto, random: np.random.Generator) -> None:
    if model.graph.initializer:
        del model.graph.initializer[random.integers(len(model.graph.initializer))]


def repeat_constant(model: onnx.ModelProto, random: np.random.Generator) -> None:
    tensor = _tensor(model, random)
    if tensor is not None:
        again = onnx.TensorProto.FromString(tensor.SerializeToString())
        again.name = _one_of(random, _names(model))
        model.graph.initializer.append(again)


def rename_node(model: onnx.ModelProto, random: np.random.Generator) -> None:
    names = ("", "n0", "s_axis", "aclk", "a" * 300, "../../x", "\u00e9 [red]", "module", "0", "output")
    _node(model, random).name = _one_of(random, names)


def change_outputs_of_the_graph(model: onnx.ModelProto, random: np.random.Generator) -> None:
    kind = random.integers(3)
    if kind == 0:
        model.graph.output[0].name = _one_of(random, _names(model))
    elif kind == 1:
        model.graph.output.append(
            helper.make_tensor_value_info(_one_of(random, _names(model)), TensorProto.FLOAT, None)
        )
    else:
        model.graph.output[0].ClearField("type")


DAMAGES: tuple[Callable[[onnx.ModelProto, np.random.Generator], None], ...] = (
    drop_attribute,
    change_attribute,
    change_attribute,
    add_attribute,
    change_constant,
    change_constant,
    change_type,
    change_input,
    change_input,
    change_output,
    change_operator,
    change_dims,
    change_element,
    change_opset,
    shuffle_nodes,
    drop_node,
    repeat_node,
    drop_constant,
    repeat_constant,
    rename_node,
    change_outputs_of_the_graph,
)
"""Kinds of damage; those of many forms are there twice."""
