"""Every broken model is one sentence that names the culprit."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hwgen.errors import ModelError
from hwgen.frontend import read_onnx


def parse(body, inputs="float[N,3] x", outputs="float y", opset=20, constants=()):
    text = f'<ir_version: 10, opset_import: ["" : {opset}]> net ({inputs}) => ({outputs}) {{ {body} }}'
    model = onnx.parser.parse_model(text)
    for node, name in zip(model.graph.node, "abcdefgh", strict=False):
        node.name = f"node_{name}"
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in dict(constants).items())
    return model


W = {"w": np.float32([1, 2, 3])}
BAD = {
    "old_opset": (parse("y = Neg (x)", opset=6), "uses ONNX opset 6, but 7 to"),
    "new_opset": (parse("y = Neg (x)", opset=99), "uses ONNX opset 99, but 7 to"),
    "no_input": (parse("y = Neg (w)", "", constants=W), "has no input besides its weights"),
    "two_batches": (
        parse("y = Add (x, z)", "float[2,3] x, float[5,3] z"),
        r"batches of different sizes \(2 frames of 'x', 5 frames of 'z'\)",
    ),
    "dynamic": (parse("y = Neg (x)", "float[N,3,height,4] x"), "Axis 2 'height' of input 'x' has a dynamic size"),
    "vector": (parse("y = Neg (x)", "float[3] x"), r"Input 'x' has shape \[3\], but a batch axis"),
    "nan": (
        parse("y = Mul (x, w)", constants={"w": np.float32([1, np.nan, 3])}),
        r"'node_a' \(Mul\) has NaN in its constant 'w'",
    ),
    "infinite": (
        parse("y = Mul (x, w)", constants={"w": np.float32([1, np.inf, 3])}),
        r"'node_a' \(Mul\) has infinity in its constant 'w'",
    ),
    "nan_threshold": (parse("y = Max (x, w)", constants={"w": np.float32([np.nan])}), "has NaN in its constant 'w'"),
    "training": (
        parse("y, m, v = BatchNormalization <training_mode = 1> (x, w, w, w, w)", constants=W),
        r"'node_a' \(BatchNormalization\) is in training mode; call model.eval\(\)",
    ),
    "dropout": (
        parse("r = Constant <value_float = 0.5> () t = Constant <value = bool {1}> () y = Dropout (x, r, t)"),
        r"\(Dropout\) is in training mode",
    ),
    "undefined": (parse("y = Add (x, ghost)"), r"'node_a' \(Add\) reads 'ghost', which nothing defines"),
    "no_maker": (parse("z = Neg (x)"), "output 'y' is not defined"),
    "cycle": (
        parse("a = Add (x, c) b = Neg (a) c = Abs (b) y = Neg (c)"),
        "The graph has a cycle: .*'node_a' -> 'node_b' -> 'node_c'|cycle: .*node_b",
    ),
    "unsupported": (
        parse("a = Det (x) y = Hardmax (a)"),
        r"2 nodes of the model cannot become hardware: 'node_a' \(Det\).*'node_b' \(Hardmax\)",
    ),
    "linear_resize": (
        parse('s = Constant <value_floats = [1.0, 2.0]> () y = Resize <mode = "linear"> (x, , s)'),
        r"'node_b' \(Resize\): interpolation 'linear'",
    ),
    "resize_of_a_region": (
        parse(
            "s = Constant <value_floats = [1.0, 2.0]> () r = Constant <value_floats = [0.0, 0.0, 1.0, 1.0]> () "
            'y = Resize <mode = "nearest", coordinate_transformation_mode = "tf_crop_and_resize"> (x, r, s)'
        ),
        r"'node_c' \(Resize\): coordinates 'tf_crop_and_resize'; known are half_pixel, half_pixel_symmetric, pytorch_half_pixel, .*align_corners",
    ),
    "kernel": (
        parse(
            "y = Conv <kernel_shape = [3, 3]> (x, w)",
            "float[N,2,7,7] x",
            constants={"w": np.ones((4, 2, 5, 5), np.float32)},
        ),
        r"'node_a' \(Conv\) says kernel_shape \(3, 3\), but its weights have shape \(4, 2, 5, 5\)",
    ),
    "kernel_of_a_transposed_convolution": (
        parse(
            "y = ConvTranspose <kernel_shape = [2]> (x, w)",
            "float[N,2,7] x",
            constants={"w": np.ones((2, 4, 3), np.float32)},
        ),
        r"\(ConvTranspose\) says kernel_shape \(2,\), but its weights have shape \(2, 4, 3\)",
    ),
    "no_channels": (
        parse("y = Conv (x, w)", "float[N,2,7,7] x", constants={"w": np.ones((0, 2, 3, 3), np.float32)}),
        r"'node_a' \(Conv\) has weights of shape \(0, 2, 3, 3\), which are none",
    ),
    "groups": (
        parse("y = Conv <group = 2> (x, w)", "float[N,2,7,7] x", constants={"w": np.ones((3, 1, 3, 3), np.float32)}),
        r"'node_a' \(Conv\) has weights of shape \(3, 1, 3, 3\), which do not fall into 2 groups",
    ),
    "shapes": (
        parse("y = MatMul (x, w)", constants={"w": np.ones((4, 2), np.float32)}),
        r"'node_a' \(MatMul\) does not accept inputs of shapes \(2, 3\), \(4, 2\)",
    ),
    "addition": (
        parse("y = Add (x, w)", constants={"w": np.ones(2, np.float32)}),
        r"'node_a' \(Add\) does not accept inputs of shapes \(2, 3\), \(2,\)",
    ),
    "mixed_frames": (
        parse("a = Constant <value_ints = [0]> () y = ReduceMax (x, a)"),
        r"'node_b' \(ReduceMax\) mixes the frames of a batch",
    ),
    "batch_built_in": (
        parse(
            "s = Constant <value_ints = [3]> () a = Reshape (x, s) y = MatMul (a, w)",
            "float[1,3] x",
            constants={"w": np.ones((3, 2), np.float32)},
        ),
        "The batch of 1 is built into the model",
    ),
    "computed_shape": (
        parse("s = Cast <to = 7> (x) y = Expand (x, s)"),
        r"'node_b' \(Expand\) takes 's' from the data",
    ),
    "window": (
        parse("y = MaxPool <kernel_shape = [9]> (x)", "float[N,3,4] x"),
        r"'node_a' \(MaxPool\) has a window \(9,\) larger than its map \(4,\)",
    ),
    "missing_attribute": (
        parse("y = Concat (x, x)"),
        r"'node_a' \(Concat\) lacks its attribute 'axis', which opset 20 demands",
    ),
    "no_kernel": (parse("y = MaxPool (x)", "float[N,3,4] x"), r"'node_a' \(MaxPool\) lacks .*kernel_shape"),
    "text": (parse('t = Constant <value_string = "cat"> () y = Neg (x)'), "holds text"),
}


@pytest.mark.parametrize(("model", "sentence"), BAD.values(), ids=BAD)
def test_bad_model_is_one_sentence(model, sentence, tmp_path):
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=sentence) as caught:
        read_onnx(tmp_path / "net.onnx")
    assert "\n" not in str(caught.value)


def content(elements=30):
    return parse(
        "y = Mul (x, w)", f"float[N,{elements}] x", constants={"w": np.ones(elements, np.float32)}
    ).SerializeToString()


def test_missing_file(tmp_path):
    with pytest.raises(ModelError, match=r"There is no file '.*none\.onnx'"):
        read_onnx(tmp_path / "none.onnx")


def test_folder_instead_of_a_file(tmp_path):
    with pytest.raises(ModelError, match=r"Cannot read '.*': Is a directory"):
        read_onnx(tmp_path)


def test_no_permission(tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(ModelError, match=r"Cannot read '.*': Permission denied"):
        read_onnx(tmp_path / "net.onnx")


@pytest.mark.parametrize("junk", [b"hello, this is text", b"\x89PNG\r\n", bytes(200)])
def test_not_onnx(junk, tmp_path):
    (tmp_path / "net.onnx").write_bytes(junk)
    with pytest.raises(ModelError, match=r"is not an ONNX file"):
        read_onnx(tmp_path / "net.onnx")


def test_empty(tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match="is empty"):
        read_onnx(tmp_path / "net.onnx")


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.99])
def test_cut_short_anywhere(part, tmp_path):
    whole = content()
    (tmp_path / "net.onnx").write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(ModelError) as caught:
        read_onnx(tmp_path / "net.onnx")
    assert "\n" not in str(caught.value)


def test_no_nodes(tmp_path):
    graph = helper.make_graph([], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])], [])
    onnx.save(helper.make_model(graph, ir_version=10), tmp_path / "net.onnx")
    with pytest.raises(ModelError, match="has no nodes"):
        read_onnx(tmp_path / "net.onnx")


def test_no_output(tmp_path):
    model = parse("y = Neg (x)")
    del model.graph.output[:]
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(ModelError, match="has no output"):
        read_onnx(tmp_path / "net.onnx")


def test_no_opset(tmp_path):
    model = parse("y = Neg (x)")
    del model.opset_import[:]
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(ModelError, match="does not say which ONNX opset"):
        read_onnx(tmp_path / "net.onnx")


def test_input_without_shape(tmp_path):
    model = parse("y = Neg (x)")
    model.graph.input[0].type.tensor_type.ClearField("shape")
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(ModelError, match="Input 'x' has no known shape"):
        read_onnx(tmp_path / "net.onnx")


def test_damaged_text(tmp_path):
    damaged = content().replace(b"node_a", b"n\xffde_a")
    (tmp_path / "net.onnx").write_bytes(damaged)
    with pytest.raises(ModelError, match="damaged"):
        read_onnx(tmp_path / "net.onnx")


def test_a_node_without_outputs(tmp_path):
    model = parse("y = Add (x, ghost)")
    model.graph.node[0].name = ""
    del model.graph.node[0].output[:]
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3]))
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="is damaged or breaks the rules of ONNX"):
        read_onnx(tmp_path / "net.onnx")
