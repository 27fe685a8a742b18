"""Every operator against onnxruntime, or against the qonnx definition written out by hand."""

import numpy as np
import onnx
import onnxruntime
import pytest

from hwgen.errors import ModelError
from hwgen.frontend import read_onnx
from hwgen.graph import Node
from hwgen.operators import evaluate

SPECIAL = np.array([0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, 2.5, -2.5, 1e-8, -1e-8, 7.0], np.float32)


def parse(body, inputs="float[N,4,6,6] x", outputs="float y", opset=20):
    text = f'<ir_version: 10, opset_import: ["" : {opset}]> net ({inputs}) => ({outputs}) {{ {body} }}'
    return onnx.parser.parse_model(text)


def sample(shape, seed=0):
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=shape) * 2).astype(np.float32)
    x.reshape(-1)[: SPECIAL.size] = SPECIAL
    return x


def both(model, x, tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    graph = read_onnx(path)
    session = onnxruntime.InferenceSession(path)
    reference = session.run(None, {session.get_inputs()[0].name: x})
    values = evaluate.run(graph, {graph.inputs[0]: x})
    return [values[name] for name in graph.outputs], reference


ONE = "Constant <value_float = 1.0> ()"
EXACT = {
    "sign": "y = Sign (x)",
    "neg": "y = Neg (x)",
    "abs": "y = Abs (x)",
    "relu": "y = Relu (x)",
    "leaky": "y = LeakyRelu <alpha = 0.25> (x)",
    "prelu": "s = Constant <value_floats = [0.5, 0.25, 1.0, -1.0]> () a = Constant <value_ints = [1, "
    "2]> () t = Unsqueeze (s, a) y = PRelu (x, t)",
    "clip": f"l = Neg (h) h = {ONE} y = Clip (x, l, h)",
    "clip_low": f"l = {ONE} y = Clip (x, l)",
    "clip_high": f"h = {ONE} y = Clip (x, , h)",
    "floor": "y = Floor (x)",
    "ceil": "y = Ceil (x)",
    "round": "y = Round (x)",
    "where": f"o = {ONE} z = Sub (o, o) m = Neg (o) c = GreaterOrEqual (x, z) y = Where (c, o, m)",
    "logic": f"o = {ONE} a = Less (x, o) b = Greater (x, o) c = Or (a, b) d = Not (c) e = And (c, d) "
    f"f = Xor (e, c) g = Equal (x, o) h = Or (f, g) "
    "y = Cast <to = 1> (h)",
    "less_or_equal": f"o = {ONE} a = LessOrEqual (x, o) y = CastLike (a, x)",
    "cast_int": "a = Cast <to = 6> (x) y = Cast <to = 1> (a)",
    "div_int": "t = Constant <value_int = 3> () a = Cast <to = 7> (x) b = Div (a, t) y = Cast <to = 1> (b)",
    "min_max": f"o = {ONE} a = Max (x, o) b = Neg (x) y = Min (a, b, o)",
    "maxpool": "y = MaxPool <kernel_shape = [3, 2], strides = [2, 1], pads = [1, 0, 1, 1]> (x)",
    "maxpool_ceil": "y = MaxPool <kernel_shape = [3, 3], strides = [2, 2], ceil_mode = 1> (x)",
    "maxpool_same": 'y = MaxPool <kernel_shape = [2, 2], auto_pad = "SAME_LOWER"> (x)',
    "maxpool_dilated": "y = MaxPool <kernel_shape = [2, 2], dilations = [2, 3]> (x)",
    "global_max": "y = GlobalMaxPool (x)",
    "flatten": "y = Flatten (x)",
    "flatten_2": "y = Flatten <axis = -2> (x)",
    "reshape": "s = Constant <value_ints = [0, -1, 3]> () y = Reshape (x, s)",
    "transpose": "y = Transpose <perm = [0, 2, 3, 1]> (x)",
    "pad": "p = Constant <value_ints = [1, 0, 0, 2]> () a = Constant <value_ints = [3, -2]> () v = "
    "Constant <value_float = -1.0> () y = Pad (x, p, v, a)",
    "pad_cut": "p = Constant <value_ints = [0, 0, -1, 1, 0, 0, 2, -2]> () y = Pad (x, p)",
    "pad_reflect": 'p = Constant <value_ints = [0, 0, 1, 1, 0, 0, 2, 2]> () y = Pad <mode = "reflect"> (x, p)',
    "concat": "n = Neg (x) y = Concat <axis = -3> (x, n)",
    "split": "a, b = Split <axis = 1, num_outputs = 2> (x) y = Concat <axis = 2> (b, a)",
    "slice": "s = Constant <value_ints = [5, 1]> () e = Constant <value_ints = [-100, 3]> () "
    "a = Constant <value_ints = [3, 1]> () "
    "t = Constant <value_ints = [-2, 1]> () y = Slice (x, s, e, a, t)",
    "gather": "i = Constant <value_ints = [2, -1]> () y = Gather <axis = 1> (x, i)",
    "tile": "r = Constant <value_ints = [1, 2, 1, 3]> () y = Tile (x, r)",
    "depth": "d = DepthToSpace <blocksize = 2> (x) y = SpaceToDepth <blocksize = 2> (d)",
    "depth_crd": 'y = DepthToSpace <blocksize = 2, mode = "CRD"> (x)',
    "resize": 's = Constant <value_floats = [1.0, 1.0, 2.0, 1.5]> () y = Resize <mode = "nearest", '
    'coordinate_transformation_mode = "asymmetric", '
    'nearest_mode = "floor"> (x, , s)',
    "resize_half": 's = Constant <value_floats = [1.0, 1.0, 2.0, 0.5]> () y = Resize <mode = "nearest"> (x, , s)',
    "resize_axes": 's = Constant <value_floats = [2.0, 3.0]> () y = Resize <mode = "nearest", axes = [2, 3], '
    'coordinate_transformation_mode = "asymmetric", nearest_mode = "floor"> (x, , s)',
    "resize_sizes": "s = Constant <value_ints = [9, 13]> () y = Resize <axes = [2, 3], "
    'coordinate_transformation_mode = "align_corners", nearest_mode = "round_prefer_ceil"> (x, , , s)',
    "resize_ceil": 's = Constant <value_floats = [1.0, 1.0, 1.7, 0.6]> () y = Resize <nearest_mode = "ceil", '
    'coordinate_transformation_mode = "pytorch_half_pixel"> (x, , s)',
    "resize_shape": "t = Shape (x) a = Constant <value_ints = [0]> () b = Constant <value_ints = [2]> () "
    "f = Slice (t, a, b) e = Constant <value_ints = [12, 18]> () s = Concat <axis = 0> (f, e) y = Resize (x, , , s)",
    "gather_matrix": "i = Constant <value = int64[2,2] {0, 1, 2, 3}> () y = Gather <axis = 2> (x, i)",
    "split_uneven": "a, b, c = Split <axis = 3, num_outputs = 3> (x) y = Concat <axis = 3> (c, a, b)",
    "split_sizes": "s = Constant <value_ints = [1, 5]> () a, b = Split <axis = 2> (x, s) y = Concat <axis = 2> (b, a)",
    "shrink": "y = Shrink <bias = 0.5, lambd = 0.5> (x)",
    "hard_tanh": f"h = {ONE} l = Neg (h) y = Clip (x, l, h)",
    "reduce_max": "a = Constant <value_ints = [-1, 1]> () y = ReduceMax <keepdims = 0> (x, a)",
    "argmax": "i = ArgMax <axis = 1> (x) y = Cast <to = 1> (i)",
    "argmax_last": "r = Sign (x) i = ArgMax <axis = -1, select_last_index = 1, keepdims = 0> (r) y = Cast <to = 1> (i)",
    "topk": "r = Sign (x) k = Constant <value_ints = [3]> () v, i = TopK (r, k) j = Cast <to = 1> (i) y = Add (v, j)",
    "topk_smallest": "r = Sign (x) k = Constant <value_ints = [2]> () v, i = TopK <axis = 1, largest = 0> "
    "(r, k) j = Cast <to = 1> (i) y = Add (v, j)",
    "quantize": "s = Constant <value_float = 0.5> () z = Constant <value = uint8[1] {3}> () q = QuantizeLinear "
    "(x, s, z) y = DequantizeLinear (q, s, z)",
    "quantize_axis": "s = Constant <value_floats = [0.5, 0.25, 1.0, 2.0]> () z = Constant <value = int8[4] {0, 1, "
    "-1, 0}> () q = QuantizeLinear <axis = 1> (x, s, z) "
    "y = DequantizeLinear <axis = 1> (q, s, z)",
}
CLOSE = {
    "sigmoid": "y = Sigmoid (x)",
    "tanh": "y = Tanh (x)",
    "hard_sigmoid": "y = HardSigmoid (x)",
    "hard_sigmoid_own": "y = HardSigmoid <alpha = 0.25, beta = 0.4> (x)",
    "celu": "y = Celu <alpha = 1.5> (x)",
    "mish": "y = Mish (x)",
    "tanh_of_sum": "a = Constant <value_ints = [1]> () b = ReduceSum <keepdims = 0> (x, a) y = Tanh (b)",
    "hard_swish": "y = HardSwish (x)",
    "elu": "y = Elu (x)",
    "selu": "y = Selu (x)",
    "softplus": "y = Softplus (x)",
    "softsign": "y = Softsign (x)",
    "thresholded": "y = ThresholdedRelu (x)",
    "gelu": "y = Gelu (x)",
    "gelu_tanh": 'y = Gelu <approximate = "tanh"> (x)',
    "erf": "y = Erf (x)",
    "exp_log": f"o = {ONE} a = Exp (x) b = Add (a, o) y = Log (b)",
    "sqrt_pow": f"o = {ONE} t = Add (o, o) a = Pow (x, t) b = Sqrt (a) c = Add (b, o) y = Reciprocal (c)",
    "softmax": "y = Softmax <axis = 1> (x)",
    "log_softmax": "y = LogSoftmax (x)",
    "reduce_mean": "a = Constant <value_ints = [2, 3]> () y = ReduceMean (x, a)",
    "reduce_norm": "a = Constant <value_ints = [1]> () b = ReduceL1 (x, a) c = ReduceL2 (x, a) d = ReduceSumSquare "
    "(x, a) e = ReduceLogSumExp (x, a) y = Sum (b, c, d, e)",
    "reduce_noop": "n = Constant <value = int64[0] {}> () y = ReduceSum <noop_with_empty_axes = 1> (x, n)",
    "mean": "n = Abs (x) y = Mean (x, n)",
    "average": "y = AveragePool <kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]> (x)",
    "average_counting": "y = AveragePool <kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, "
    "1, 1], count_include_pad = 1> (x)",
    "average_ceil": "y = AveragePool <kernel_shape = [3, 3], strides = [2, 2], ceil_mode = 1> (x)",
    "average_ceil_counting": "y = AveragePool <kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 0, 0], "
    "ceil_mode = 1, count_include_pad = 1> (x)",
    "average_dilated": "y = AveragePool <kernel_shape = [2, 2], dilations = [2, 1], pads = [0, 1, 1, 0]> (x)",
    "average_dilated_counting": "y = AveragePool <kernel_shape = [3, 2], dilations = [2, 1], pads = [2, 1, 1, 0], "
    "count_include_pad = 1> (x)",
    "average_same": 'y = AveragePool <kernel_shape = [3, 3], auto_pad = "SAME_UPPER", strides = [2, 1]> (x)',
    "average_ceil_uneven": "y = AveragePool <kernel_shape = [3, 2], strides = [2, 3], pads = [1, 1, 1, 1], ceil_mode = 1> (x)",
    "average_ceil_uneven_counting": "y = AveragePool <kernel_shape = [3, 2], strides = [2, 3], pads = [1, 1, 1, 1], "
    "ceil_mode = 1, count_include_pad = 1> (x)",
    "global_average": "y = GlobalAveragePool (x)",
    "batch_norm": "s = Constant <value_floats = [0.5, -2.0, 1.0, 0.0]> () v = Abs (s) y = BatchNormalization "
    "<epsilon = 0.001> (x, s, s, s, v)",
}


@pytest.mark.parametrize("body", EXACT.values(), ids=EXACT)
def test_equals_onnxruntime(body, tmp_path):
    (y,), (reference,) = both(parse(body), sample((3, 4, 6, 6)), tmp_path)
    assert y.dtype == reference.dtype
    assert y.shape == reference.shape
    assert np.array_equal(y, reference)


@pytest.mark.parametrize("body", CLOSE.values(), ids=CLOSE)
def test_agrees_with_onnxruntime_to_float32(body, tmp_path):
    (y,), (reference,) = both(parse(body), sample((3, 4, 6, 6)), tmp_path)
    assert (y.dtype, y.shape) == (reference.dtype, reference.shape)
    np.testing.assert_allclose(y, reference, rtol=3e-6, atol=3e-6)


@pytest.mark.parametrize(("kind", "low", "high"), [("int4", -8, 7), ("uint4", 0, 15)])
@pytest.mark.parametrize("given", ["zero point", "output type"])
def test_quantisers_to_four_bits_equal_onnxruntime(kind, low, high, given, tmp_path):
    code = {"int4": 22, "uint4": 21}[kind]
    point = f", output_dtype = {code}" if given == "output type" else ""
    zero = f"z = Constant <value = {kind}[1] {{1}}> ()" if given == "zero point" else ""
    more = ", z" if zero else ""
    body = f"s = Constant <value_floats = [0.5]> () {zero} q = QuantizeLinear <axis = 1{point}> (x, s{more}) y = DequantizeLinear <axis = 1> (q, s{more})"
    (y,), (reference,) = both(parse(body, "float[N,1] x", opset=21), sample((80, 1)) * 4, tmp_path)
    assert np.array_equal(y, reference)
    assert (y.min(), y.max()) == tuple((edge - bool(zero)) * 0.5 for edge in (low, high))


def test_quantiser_to_two_bits():
    x = np.array([-9, -2, -1.5, -0.5, 0.5, 1.5, 9], np.float32)
    y = call("QuantizeLinear", x, np.float32(1), np.int8(0), axis=1, bits=2)
    assert np.array_equal(y, [-2, -2, -2, 0, 0, 1, 1])


CONVOLUTIONS = [
    ("Conv", (5, 4, 3, 3), ""),
    ("Conv", (5, 4, 3, 2), "strides = [2, 1], pads = [1, 0, 2, 1], dilations = [1, 2]"),
    ("Conv", (6, 2, 3, 3), 'group = 2, auto_pad = "SAME_UPPER", strides = [2, 2]'),
    ("Conv", (4, 1, 2, 2), 'group = 4, auto_pad = "SAME_LOWER"'),
    ("Conv", (5, 4, 6, 6), 'auto_pad = "VALID"'),
    ("ConvTranspose", (4, 5, 3, 3), "strides = [2, 3], pads = [1, 0, 2, 1]"),
    ("ConvTranspose", (4, 2, 2, 2), "group = 2, strides = [2, 2], dilations = [2, 1], output_padding = [1, 1]"),
    ("ConvTranspose", (4, 5, 3, 3), 'auto_pad = "SAME_UPPER", strides = [2, 2]'),
    (
        "ConvTranspose",
        (4, 5, 3, 2),
        "strides = [2, 2], pads = [1, 0, 1, 1], dilations = [1, 3], output_padding = [1, 0]",
    ),
    ("ConvTranspose", (4, 3, 4, 4), 'group = 2, auto_pad = "SAME_LOWER", strides = [2, 2]'),
    ("ConvTranspose", (4, 1, 2, 2), "group = 4, strides = [3, 3]"),
    ("ConvTranspose", (4, 5, 3, 3), "output_shape = [12, 13], strides = [2, 2]"),
]


@pytest.mark.parametrize(("op", "shape", "attributes"), CONVOLUTIONS)
def test_convolutions_of_integers_equal_onnxruntime(op, shape, attributes, tmp_path):
    rng = np.random.default_rng(1)
    model = parse(f"y = {op} <{attributes}> (x, w, b)" if attributes else f"y = {op} (x, w, b)", "float[N,4,6,6] x")
    maps = shape[0] if op == "Conv" else shape[1] * int(([*attributes.split("group = "), "1"])[1][0])
    for name, array in (("w", rng.integers(-3, 4, shape)), ("b", rng.integers(-9, 9, maps))):
        model.graph.initializer.append(onnx.numpy_helper.from_array(array.astype(np.float32), name))
    x = rng.integers(-8, 8, (2, 4, 6, 6)).astype(np.float32)
    (y,), (reference,) = both(model, x, tmp_path)
    assert np.array_equal(y, reference)


@pytest.mark.parametrize("flags", ["", "transB = 1", "alpha = 0.5, beta = 2.0", "transB = 1, beta = 0.0"])
def test_gemm_equals_onnxruntime(flags, tmp_path):
    rng = np.random.default_rng(2)
    model = parse(f"y = Gemm <{flags}> (x, w, b)" if flags else "y = Gemm (x, w, b)", "float[N,7] x")
    w = rng.integers(-3, 4, (5, 7) if "transB" in flags else (7, 5)).astype(np.float32)
    model.graph.initializer.append(onnx.numpy_helper.from_array(w, "w"))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.arange(5, dtype=np.float32), "b"))
    (y,), (reference,) = both(model, rng.integers(-3, 4, (3, 7)).astype(np.float32), tmp_path)
    assert np.array_equal(y, reference)


def call(op, *arrays, dtype=None, **attributes):
    node = Node(op, "node", tuple("abcdef"[: len(arrays)]), ("y",), attributes)
    return evaluate.apply(node, arrays, dtype)[0]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("ROUND", [0, 0, 2, 2, -2, -2, 1, -1]),
        ("half_even", [0, 0, 2, 2, -2, -2, 1, -1]),
        ("CEIL", [1, 0, 2, 3, -1, -2, 2, -1]),
        ("FLOOR", [0, -1, 1, 2, -2, -3, 1, -2]),
        ("UP", [1, -1, 2, 3, -2, -3, 2, -2]),
        ("DOWN", [0, 0, 1, 2, -1, -2, 1, -1]),
        ("HALF_UP", [1, -1, 2, 3, -2, -3, 1, -1]),
        ("HALF_DOWN", [0, 0, 1, 2, -1, -2, 1, -1]),
    ],
)
def test_quant_rounding_modes(mode, expected):
    x = np.array([0.5, -0.5, 1.5, 2.5, -1.5, -2.5, 1.25, -1.25], np.float32) * 0.25
    y = call("Quant", x, np.float32(0.25), np.float32(0), np.float32(4), signed=1, narrow=0, rounding_mode=mode)
    assert y.dtype == np.float32
    assert np.array_equal(y * 4, expected)


@pytest.mark.parametrize(
    ("signed", "narrow", "low", "high"), [(1, 0, -8, 7), (1, 1, -7, 7), (0, 0, 0, 15), (0, 1, 0, 14)]
)
def test_quant_clamps_before_it_rounds(signed, narrow, low, high):
    x = np.array([-100, -8.4, 6.7, 14.2, 100], np.float32)
    y = call(
        "Quant", x, np.float32(1), np.float32(0), np.float32(4), signed=signed, narrow=narrow, rounding_mode="CEIL"
    )
    assert np.array_equal(y, np.ceil(np.clip(x, low, high)))


def test_quant_of_one_signed_bit_is_bipolar_with_zero_positive():
    x = np.array([-0.0, 0.0, -1e-9, 3], np.float32)
    y = call("Quant", x, np.float32(0.5), np.float32(0), np.float32(1), signed=1, narrow=1, rounding_mode="ROUND")
    assert np.array_equal(y, [0.5, 0.5, -0.5, 0.5])
    assert np.array_equal(call("BipolarQuant", x, np.array([0.5], np.float32)), [0.5, 0.5, -0.5, 0.5])


def test_quant_shifts_by_the_zero_point():
    y = call(
        "Quant",
        np.float32([0.3, 9]),
        np.float32(0.1),
        np.float32(2),
        np.float32(3),
        signed=0,
        narrow=0,
        rounding_mode="ROUND",
    )
    assert np.array_equal(y, np.float32([3, 5]) * np.float32(0.1))


def test_trunc_of_both_versions_drops_low_bits():
    x = np.arange(-8, 8, dtype=np.float32)
    one = call("Trunc", x, *map(np.float32, (1, 0, 4, 2)), rounding_mode="FLOOR", signed=1, narrow=0)
    two = call("Trunc", x, *map(np.float32, (1, 0, 4, 4, 2)), rounding_mode="FLOOR", signed=1, narrow=0)
    assert np.array_equal(one, np.floor(x / 4))
    assert np.array_equal(two, 4 * np.floor(x / 4))


@pytest.mark.parametrize("axis", [1, 3])
def test_multi_threshold_counts_thresholds_reached(axis):
    x = sample((2, 3, 3, 3), seed=3)
    thresholds = np.array([[-1, 0, 1], [-2.5, 0.5, 0.5], [0, 0, np.inf]], np.float32)
    y = call("MultiThreshold", x, thresholds, out_scale=2.0, out_bias=-1.0, channel_axis=axis)
    for index in np.ndindex(x.shape):
        assert y[index] == 2 * sum(x[index] >= t for t in thresholds[index[axis]]) - 1


def test_xnor_popcount_counts_agreements():
    rng = np.random.default_rng(4)
    x, w = rng.integers(0, 2, (3, 20)).astype(np.float32), rng.integers(0, 2, (20, 5)).astype(np.float32)
    expected = (x[:, :, None] == w[None]).sum(axis=1)
    assert np.array_equal(call("XnorPopcountMatMul", x, w), expected)


def test_float64_is_used_throughout_when_asked_for():
    x = np.float64(1) / 3
    assert call("Cast", np.float32(1), dtype=np.float64, to=np.dtype(np.float32)).dtype == np.float64
    assert call("ConstantOfShape", np.array([2]), dtype=np.float64, value=np.ones(1, np.float32)).dtype == np.float64
    for op, attributes in (
        ("Relu", {}),
        ("HardSigmoid", {"alpha": 0.5, "beta": 0.5}),
        ("LeakyRelu", {"alpha": 0.5}),
        ("Erf", {}),
        ("Round", {}),
    ):
        assert call(op, np.array(x), dtype=np.float64, **attributes).dtype == np.float64
    assert call("Add", np.array(x), np.float32(0), dtype=np.float64) == x
    assert call("Cast", np.array(x), dtype=np.float64, to=np.dtype(np.int32)).dtype == np.int32


def test_error_names_node_and_shapes():
    with pytest.raises(ModelError, match=r"Node 'node' \(Add\) does not accept inputs of shapes \(2,\), \(3,\)"):
        call("Add", np.zeros(2), np.zeros(3))
    with pytest.raises(ModelError, match="Operator Fancy of node 'node' has no meaning here"):
        call("Fancy", np.zeros(2))
