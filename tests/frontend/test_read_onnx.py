"""Reading: one canonical form whatever opset, domain and exporter's habit."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from hwgen import passes
from hwgen.frontend import load, read_onnx, unsupported
from hwgen.operators import evaluate

RNG = np.random.default_rng(5)


def parse(body, inputs="float[N,4,6,6] x", outputs="float y", opset=20, more="", constants=(), functions=""):
    text = f'<ir_version: 8, opset_import: ["" : {opset}{more}]> net ({inputs}) => ({outputs}) {{ {body} }} {functions}'
    model = onnx.parser.parse_model(text)
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in dict(constants).items())
    return model


@pytest.fixture
def read(tmp_path):
    def read(model, run_passes=False):
        onnx.save(model, tmp_path / "net.onnx")
        graph = read_onnx(tmp_path / "net.onnx")
        return passes.run(graph) if run_passes else graph

    return read


def outputs(graph, x):
    return evaluate.run(graph, {graph.inputs[0]: x})[graph.outputs[0]]


def reference(model, x):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {session.get_inputs()[0].name: x})[0]


OLD = {
    "squeeze": (9, "a = Unsqueeze <axes = [1, 5]> (x) b = Squeeze <axes = [1]> (a) y = Neg (b)"),
    "reduce": (11, "y = ReduceMax <axes = [-1], keepdims = 0> (x)"),
    "reduce_sum": (11, "y = ReduceSum <axes = [1]> (x)"),
    "reduce_sum_13": (13, "a = Constant <value_ints = [1]> () y = ReduceSum (x, a)"),
    "reduce_12": (17, "y = ReduceMin <axes = [2, 3]> (x)"),
    "clip": (10, "y = Clip <min = -1.0, max = 0.5> (x)"),
    "clip_high": (9, "y = Clip <max = 0.5> (x)"),
    "pad": (9, 'y = Pad <mode = "constant", pads = [0, 0, 1, 1, 0, 0, 1, 2], value = -1.0> (x)'),
    "slice": (9, "y = Slice <starts = [1, -2], ends = [3, 100], axes = [1, 2]> (x)"),
    "split": (11, "a, b = Split <axis = 1, split = [1, 3]> (x) y = Concat <axis = 1> (b, a)"),
    "split_even": (11, "a, b = Split <axis = 1> (x) y = Concat <axis = 1> (b, a)"),
    "topk": (9, "v, i = TopK <axis = 1, k = 2> (x) y = Neg (v)"),
    "upsample": (9, "s = Constant <value = float[4] {1.0, 1.0, 2.0, 2.0}> () y = Upsample (x, s)"),
    "resize": (10, "s = Constant <value = float[4] {1.0, 1.0, 2.0, 3.0}> () y = Resize (x, s)"),
    "upsample_7": (7, "y = Upsample <scales = [1.0, 1.0, 2.0, 3.0]> (x)"),
    "gemm_7": (
        7,
        "f = Flatten (x) w = Constant <value = float[2,144] {"
        + ", ".join(str(n % 5 - 2.0) for n in range(288))
        + "}> () c = Constant <value = float[2] {1.0, 2.0}> () y = Gemm <transB = 1, beta = 0.5> (f, w, c)",
    ),
    "batch_norm_of_elements": (
        7,
        "o = Constant <value = int64[3] {4, 6, 6}> () e = Constant <value = float[1] {1.0}> () f = Constant <value = float[36] {"
        + ", ".join(str(n / 4) for n in range(36))
        + "}> () r = Constant <value = int64[3] {1, 6, 6}> () m = Reshape (f, r) c = Constant <value = float[4,1,1] {1.0, -2.0, 3.0, 0.5}> () "
        "s = Mul (m, c) v = Abs (s) y = BatchNormalization <spatial = 0> (x, s, s, s, v)",
    ),
    "dropout": (9, "a = Dropout <ratio = 0.5> (x) y = Neg (a)"),
    "dropout_mask": (10, "a, m = Dropout <ratio = 0.5> (x) y = Neg (a)"),
    "batch_norm": (
        9,
        "s = Constant <value = float[4] {1.0, -2.0, 3.0, 0.5}> () t = Abs (s) y = BatchNormalization (x, s, s, s, t)",
    ),
    "softmax_2d": (11, "y = Softmax <axis = 2> (x)"),
    "argmax": (9, "i = ArgMax <axis = 1> (x) y = Cast <to = 1> (i)"),
    "maxpool": (9, "y = MaxPool <kernel_shape = [2, 2]> (x)"),
    "flatten": (9, "y = Flatten (x)"),
    "hard_sigmoid": (9, "y = HardSigmoid (x)"),
}

"""Nodes as they were written before an opset changed them."""

FLOAT = "Constant <value = float {%s}> ()"
TURNS = {
    "clip_11": (11, f"l = {FLOAT % -1.0} h = {FLOAT % 0.5} y = Clip (x, l, h)"),
    "pad_11": (
        11,
        f"p = Constant <value = int64[8] {{0, 0, 1, 1, 0, 0, 1, 2}}> () v = {FLOAT % -1.0} y = Pad (x, p, v)",
    ),
    "pad_10": (10, "y = Pad <pads = [0, 0, 1, 1, 0, 0, 1, 2], value = -1.0> (x)"),
    "slice_10": (
        10,
        (
            "b = Constant <value = int64[2] {1, -2}> () e = Constant <value = int64[2] {3, 100}> () "
            "a = Constant <value = int64[2] {1, 2}> () y = Slice (x, b, e, a)"
        ),
    ),
    "split_13": (
        13,
        "s = Constant <value_ints = [1, 3]> () a, b = Split <axis = 1> (x, s) y = Concat <axis = 1> (b, a)",
    ),
    "split_12": (12, "a, b = Split <axis = 1, split = [1, 3]> (x) y = Concat <axis = 1> (b, a)"),
    "topk_10": (10, "k = Constant <value = int64[1] {2}> () v, i = TopK <axis = 1> (x, k) y = Neg (v)"),
    "upsample_8": (8, "y = Upsample <scales = [1.0, 1.0, 2.0, 3.0]> (x)"),
    "resize_11": (
        11,
        (
            "r = Constant <value = float[0] {}> () s = Constant <value = float[4] {1.0, 1.0, 2.0, 0.5}> () "
            'y = Resize <mode = "nearest", nearest_mode = "ceil", coordinate_transformation_mode = "asymmetric"> (x, r, s)'
        ),
    ),
    "softmax_13": (13, "y = Softmax <axis = 2> (x)"),
    "softmax_12": (12, "y = Softmax <axis = 2> (x)"),
}
"""Nodes of the first opset that spells or means them as today, and of the last one before."""


@pytest.mark.parametrize(("opset", "body"), (OLD | TURNS).values(), ids=OLD | TURNS)
def test_older_opsets_mean_what_they_meant(opset, body, read):
    model = parse(body, opset=opset)
    x = RNG.normal(size=(3, 4, 6, 6)).astype(np.float32)
    for folded in (False, True):
        np.testing.assert_allclose(outputs(read(model, folded), x), reference(model, x), rtol=3e-6, atol=3e-6)


@pytest.mark.parametrize(
    ("opset", "body", "inputs"),
    [
        (12, "y = Squeeze <axes = [1]> (x)", ("x", "y.axes")),
        (13, "a = Constant <value_ints = [1]> () y = Squeeze (x, a)", ("x", "a")),
    ],
)
def test_attribute_and_input_spellings_give_one_form(opset, body, inputs, read):
    model = parse(body, "float[N,1,5] x", opset=opset)
    model.graph.node[-1].name = "y"
    graph = read(model)
    assert [(node.op, node.inputs, dict(node.attributes)) for node in graph.nodes] == [("Squeeze", inputs, {})]
    assert graph.constants[inputs[1]].tolist() == [1]


def test_constants_in_every_spelling(read):
    body = (
        "a = Constant <value = float {1.5}> () b = Constant <value_float = 1.0> () c = "
        "Constant <value_floats = [1.0, 2.0]> () "
        "d = Constant <value_int = 2> () e = Constant <value_ints = [3, 4]> () f = Add (a, b) g = "
        "Add (f, c) h = Add (d, e) i = Cast <to = 1> (h) "
        "j = Mul (g, i) k = Mul (x, j) y = Add (k, s)"
    )
    model = parse(body, "float[N,2] x")
    sparse = helper.make_sparse_tensor(
        helper.make_tensor("v", TensorProto.FLOAT, [1], [9.0]),
        helper.make_tensor("i", TensorProto.INT64, [1], [1]),
        [2],
    )
    model.graph.node.insert(0, helper.make_node("Constant", [], ["s"], sparse_value=sparse))
    graph = read(model, run_passes=True)
    assert [node.op for node in graph.nodes] == ["Mul", "Add"]
    assert outputs(graph, np.float32([[1, 1]])).tolist() == [[3.5 * 5, 4.5 * 6 + 9]]


def test_initialisers_listed_as_inputs_are_no_inputs(read):
    model = parse("y = Mul (x, w)", "float[N,3] x, float[3] w", constants={"w": np.float32([1, 2, 3])})
    assert read(model).inputs == ("x",)


def test_an_initialiser_may_serve_several_nodes_and_go_through_identity(read):
    body = "i = Identity (w) a = BatchNormalization (x, w, i, w, i) y = Mul (a, w)"
    graph = read(parse(body, "float[N,3] x", constants={"w": np.float32([1, 2, 3])}), run_passes=True)
    assert [node.op for node in graph.nodes] == ["BatchNormalization", "Mul"]
    bn = graph.nodes[0].inputs[1:]
    assert all(graph.constants[name].tolist() == [1, 2, 3] for name in bn)


@pytest.mark.parametrize("domain", ["onnx.brevitas", "qonnx.custom_op.general", "finn.custom_op.general"])
@pytest.mark.parametrize("declared", [True, False])
def test_quantisation_domains_mean_the_same(domain, declared, read):
    model = parse(
        "y = Neg (z)", "float[1,3] x", constants={"s": np.float32(0.5), "z0": np.float32(0), "b": np.float32(2)}
    )
    nodes = [
        helper.make_node("BipolarQuant", ["x", "s"], ["u"], domain=domain),
        helper.make_node(
            "Quant", ["u", "s", "z0", "b"], ["z"], domain=domain, signed=1, narrow=1, rounding_mode="ROUND"
        ),
    ]
    for place, node in enumerate(nodes):
        model.graph.node.insert(place, node)
    if declared:
        model.opset_import.append(helper.make_opsetid(domain, 1))
    graph = read(model)
    assert [node.op for node in graph.nodes] == ["BipolarQuant", "Quant", "Neg"]
    assert graph.nodes[1].attributes == {"signed": 1, "narrow": 1, "rounding_mode": "ROUND"}
    assert outputs(graph, np.float32([[-1, 0, 2]])).tolist() == [[0.5, -0.5, -0.5]]


@pytest.mark.parametrize("op", ["Quant", "IntQuant"])
def test_a_quantiser_without_attributes_has_the_defaults_of_the_operator_s_text(op, read):
    model = parse(
        "y = Neg (z)", "float[1,5] x", constants={"s": np.float32(1), "z0": np.float32(0), "b": np.float32(3)}
    )
    model.graph.node.insert(0, helper.make_node(op, ["x", "s", "z0", "b"], ["z"], domain="qonnx.custom_op.general"))
    graph = read(model)
    assert graph.nodes[0].attributes == {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}
    assert outputs(graph, np.float32([[-9, -3.5, 0.5, 1.5, 9]])).tolist() == [[4, 4, 0, -2, -3]]


def test_finn_files_keep_their_annotations(read):
    thresholds = np.float32([[0.5]])
    model = parse("y = Neg (p)", "float[1,3] x", constants={"t": thresholds, "w": np.eye(3, dtype=np.float32)})
    nodes = [
        helper.make_node("MultiThreshold", ["x", "t"], ["m"], domain="finn.custom_op.general", out_dtype="BINARY"),
        helper.make_node("XnorPopcountMatMul", ["m", "w"], ["p"], domain="finn.custom_op.general"),
    ]
    for place, node in enumerate(nodes):
        model.graph.node.insert(place, node)
    pair = onnx.StringStringEntryProto(key="finn_datatype", value="BINARY")
    model.graph.quantization_annotation.append(
        onnx.TensorAnnotation(tensor_name="w", quant_parameter_tensor_names=[pair])
    )
    graph = read(model, run_passes=True)
    assert graph.annotations == {"w": "BINARY"}
    assert [node.op for node in graph.nodes] == ["MultiThreshold", "XnorPopcountMatMul", "Neg"]
    assert outputs(graph, np.float32([[0, 1, 1]])).tolist() == [[0, -2, -2]]


def test_external_data_are_found_beside_the_file(tmp_path):
    w = RNG.normal(size=(40, 50)).astype(np.float32)
    model = parse("y = MatMul (x, w)", "float[N,40] x", constants={"w": w})
    folder = tmp_path / "somewhere"
    folder.mkdir()
    onnx.save(model, folder / "net.onnx", save_as_external_data=True, location="net.onnx.data", size_threshold=0)
    assert (folder / "net.onnx.data").is_file()
    assert np.array_equal(read_onnx(folder / "net.onnx").constants["w"], w)


def test_local_functions_are_inlined(read):
    functions = '<domain: "local", opset_import: ["" : 20]> twice (a) => (b) { b = Add (a, a) }'
    model = parse("z = local.twice (x) y = Neg (z)", "float[N,3] x", more=', "local" : 1', functions=functions)
    assert [node.op for node in read(model).nodes] == ["Add", "Neg"]


def test_nodes_in_any_order_are_sorted(read):
    model = parse("b = Neg (x) y = Abs (b)", "float[N,3] x")
    model.graph.node.append(model.graph.node[0])
    del model.graph.node[0]
    assert [node.op for node in read(model).nodes] == ["Neg", "Abs"]


def test_unnamed_and_equally_named_nodes_get_names_of_their_own(read):
    model = parse("a = Neg (x) b = Neg (a) c = Abs (b) y = Abs (c)", "float[N,3] x")
    for node, name in zip(model.graph.node, ["same", "same", "", ""], strict=True):
        node.name = name
    names = [node.name for node in read(model).nodes]
    assert len(set(names)) == 4
    assert names[:2] == ["same", "same_2"]


def test_windows_get_explicit_pads_and_kernel_shapes(read):
    constants = {"w": np.ones((2, 4, 3, 3), np.float32)}
    graph = read(
        parse(
            'a = Conv <auto_pad = "SAME_UPPER", strides = [2, 2]> (x, w) y = MaxPool <kernel_shape '
            "= [2, 2], strides = [2, 2], ceil_mode = 1> (a)",
            constants=constants,
        )
    )
    conv, pool = graph.nodes
    assert conv.attributes == {
        "group": 1,
        "kernel_shape": (3, 3),
        "strides": (2, 2),
        "dilations": (1, 1),
        "pads": (0, 0, 1, 1),
    }
    assert pool.attributes["pads"] == (0, 0, 1, 1)
    assert pool.attributes["ceil_mode"] == 0
    assert graph.values["y"].shape == (None, 2, 2, 2)


def test_constant_nodes_of_exotic_operators_are_evaluated_by_onnx(read):
    body = "e = EyeLike (w) d = Det (e) t = Trilu (w) u = Mul (t, d) y = MatMul (x, u)"
    w = RNG.normal(size=(3, 3)).astype(np.float32)
    graph = read(parse(body, "float[N,3] x", constants={"w": w}), run_passes=True)
    assert [node.op for node in graph.nodes] == ["MatMul"]
    assert np.array_equal(graph.constants[graph.nodes[0].inputs[1]], np.triu(w))


def test_an_input_that_nothing_reads_needs_no_shape_that_hardware_could_take(read):
    assert read(parse("y = Neg (x)", "float[N,3] x, float[M,L,5] spare")).inputs == ("x", "spare")


def test_unsupported_lists_every_node_and_why(tmp_path):
    model = parse(
        "a = LRN <size = 3> (x) b = Neg (a) i = NonZero (b) v, m = MaxPool <kernel_shape "
        "= [1, 1]> (b) y = Cast <to = 1> (m) "
        'p = MaxPool <kernel_shape = [2, 2], auto_pad = "SAME_UPPER", dilations = [1, 1]> (b) '
        'q = AveragePool <kernel_shape = [2, 2], auto_pad = "SAME_LOWER", dilations = [1, 2]> (b)'
    )
    model.graph.node.append(
        helper.make_node("MVAU_hls", ["b"], ["z"], name="mvau", domain="finn.custom_op.fpgadataflow.hls")
    )
    model.graph.node.append(helper.make_node("FusedConv", ["b"], ["zz"], name="g", domain="com.microsoft"))
    onnx.save(model, tmp_path / "net.onnx")
    records = unsupported(load(tmp_path / "net.onnx"))
    assert [record.op for record in records] == [
        "LRN",
        "NonZero",
        "MaxPool",
        "AveragePool",
        "finn.custom_op.fpgadataflow.hls::MVAU_hls",
        "com.microsoft::FusedConv",
    ]
    assert "only its first output" in records[2].reason
    assert "auto_pad with dilations" in records[3].reason
    assert "FINN hardware layer" in records[4].reason
    assert "'com.microsoft'" in records[5].reason


@pytest.mark.parametrize("kind", ["uint8", "int8", "float16", "double", "bfloat16"])
def test_inputs_of_other_types_keep_their_type(kind, read):
    graph = read(parse("y = Cast <to = 1> (x)", f"{kind}[N,3] x"), run_passes=True)
    dtype = graph.values["x"].dtype
    assert dtype.itemsize == {"uint8": 1, "int8": 1, "float16": 2, "double": 8, "bfloat16": 2}[kind]
    y = outputs(graph, np.array([[1, 2, 3]]).astype(dtype))
    assert y.dtype == np.float32
    assert y.tolist() == [[1, 2, 3]]


def test_one_and_three_dimensional_convolutions(read):
    for rank in (1, 3):
        w = RNG.integers(-1, 2, (3, 2, *(2,) * rank)).astype(np.float32)
        x = RNG.integers(-3, 4, (2, 2, *(5,) * rank)).astype(np.float32)
        model = parse(
            "a = Conv <pads = "
            + str([1] * 2 * rank)
            + "> (x, w) y = MaxPool <kernel_shape = "
            + str([2] * rank)
            + "> (a)",
            f"float[N,2,{','.join('5' * rank)}] x",
            constants={"w": w},
        )
        graph = read(model)
        assert np.array_equal(outputs(graph, x), reference(model, x))
        assert graph.values["y"].shape == (None, 3, *(5,) * rank)


@pytest.mark.parametrize(("given", "name"), [("keywords", "keywords"), ("main_graph", "net")])
def test_a_graph_that_an_exporter_named_takes_the_name_of_its_file(read, given, name):
    model = parse("y = Relu (x)")
    model.graph.name = given
    assert read(model).name == name


@pytest.mark.parametrize(
    ("opset", "body", "inputs"),
    [
        (9, "y = Slice <starts = [0], ends = [1000000]> (x)", 3),
        (9, "y = Slice <axes = [1], starts = [1], ends = [3]> (x)", 4),
    ],
)
def test_an_attribute_that_is_absent_is_no_input_at_the_end(read, opset, body, inputs):
    (node,) = read(parse(body, opset=opset)).nodes
    assert len(node.inputs) == inputs
