"""Nodes that lack what their operator demands, or have what it does not know."""

import numpy as np
import onnx
import pytest
from onnx import defs, helper, numpy_helper

from hwgen.errors import ModelError
from hwgen.frontend import read_onnx
from hwgen.frontend.domains import CUSTOM_OPERATORS
from hwgen.frontend.signatures import schema_of

QONNX = "qonnx.custom_op.general"
KERNEL = [2, 2]


def node(op, *inputs, domain="", outputs=("y",), **attributes):
    return helper.make_node(op, list(inputs), list(outputs), name="n", domain=domain, **attributes)


def twice():
    made = node("Flatten", "x", axis=1)
    made.attribute.append(helper.make_attribute("axis", 2))
    return made


BAD = {
    "too few inputs": (node("Add", "x"), r"Node 'n' \(Add\) has 1 input, but needs 2"),
    "too many inputs": (node("Neg", "x", "x"), r"\(Neg\) has 2 inputs, but needs 1"),
    "more than may be": (node("Conv", "x", "w", "w", "w"), r"\(Conv\) has 4 inputs, but needs at most 3"),
    "an absent input": (node("Conv", "", "w"), r"\(Conv\) lacks its input 0, which is demanded"),
    "attribute that is demanded": (
        node("MaxPool", "x"),
        r"\(MaxPool\) lacks its attribute 'kernel_shape', which opset 20",
    ),
    "attribute of another type": (
        node("MaxPool", "x", kernel_shape=2.5),
        r"\(MaxPool\) has a number as its attribute 'kernel_shape', which must be whole numbers",
    ),
    "graph for a number": (
        node("Flatten", "x", axis=helper.make_graph([], "g", [], [])),
        r"\(Flatten\) has a graph as its attribute 'axis', which must be a whole number",
    ),
    "attribute of another opset": (
        node("Unsqueeze", "x", "a", axes=[1]),
        r"\(Unsqueeze\) has an attribute 'axes', which opset 20 does not know; known are none",
    ),
    "attribute said twice": (twice(), r"\(Flatten\) says an attribute twice"),
    "inputs of QONNX": (node("Quant", "x", "a", domain=QONNX), r"\(Quant\) has 2 inputs, but needs 4"),
    "input of QONNX that is absent": (
        node("BipolarQuant", "x", "", domain=QONNX),
        r"\(BipolarQuant\) lacks its input 1",
    ),
    "attribute of QONNX": (
        node("Quant", "x", "a", "a", "a", domain=QONNX, signed=0.5),
        r"\(Quant\) has a number as its attribute 'signed', which must be a whole number",
    ),
    "attribute that QONNX demands": (
        node("Im2Col", "x", domain=QONNX, stride=[1, 1]),
        r"\(Im2Col\) lacks its attribute 'kernel_size'",
    ),
    "inputs of ONNX Runtime": (
        node("QLinearAdd", "x", domain="com.microsoft"),
        r"\(QLinearAdd\) has 1 input, but needs at least 7",
    ),
    "values in a Constant": (node("Constant", outputs=("y",)), r"The Constant 'y' must hold one value, not 0"),
}


def write(path, made, opset=20):
    graph = helper.make_graph(
        [made],
        "net",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["N", 4, 2, 2])],
        [onnx.ValueInfoProto(name="y")],
        [numpy_helper.from_array(np.ones((4, 4, 1, 1), np.float32), "w"), numpy_helper.from_array(np.int64([1]), "a")],
    )
    domains = [helper.make_opsetid("", opset), helper.make_opsetid(QONNX, 1), helper.make_opsetid("com.microsoft", 1)]
    path.write_bytes(helper.make_model(graph, opset_imports=domains, ir_version=10).SerializeToString())
    return path


@pytest.mark.parametrize(("made", "sentence"), BAD.values(), ids=BAD)
def test_a_node_that_is_not_as_its_operator_demands(tmp_path, made, sentence):
    with pytest.raises(ModelError, match=sentence):
        read_onnx(write(tmp_path / "net.onnx", made))


def test_a_node_that_yields_nothing_is_left_out(tmp_path):
    path = write(tmp_path / "net.onnx", node("Neg", "x"))
    model = onnx.ModelProto.FromString(path.read_bytes())
    model.graph.node.append(node("Flatten", "x", outputs=("",)))
    path.write_bytes(model.SerializeToString())
    assert [one.op for one in read_onnx(path).nodes] == ["Neg"]


def test_operators_of_other_opsets_are_what_they_were():
    assert schema_of("", "Unsqueeze", 11).attributes["axes"].required
    assert schema_of("", "LayerNormalization", 13).since_version == 17
    assert schema_of("", "Upsample", 20).since_version == 9
    assert [schema_of("", "GroupNormalization", opset).since_version for opset in (18, 21)] == [18, 21]


@pytest.mark.parametrize("op", CUSTOM_OPERATORS)
def test_operators_that_are_not_onnxs_have_no_schema(op):
    assert (schema_of(QONNX, op, 20) is None) is (op != "MaxPoolNHWC")
    assert schema_of("", "Frobnicate", 20) is None


def test_every_operator_of_every_opset_has_a_schema_or_none() -> None:
    for schema in defs.get_all_schemas_with_history():
        for opset in (7, schema.since_version, defs.onnx_opset_version()):
            found = schema_of(schema.domain, schema.name, opset)
            assert found is None or found.name == schema.name
