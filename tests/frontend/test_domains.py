"""Names of operators, whoever wrote them."""

import pytest
from onnx import helper
from qonnx.custom_op.registry import getCustomOp

from hwgen.frontend.domains import CUSTOM_OPERATORS, canonical_name, is_quantised_domain


@pytest.mark.parametrize(
    ("domain", "op", "name"),
    [
        ("", "Conv", "Conv"),
        ("ai.onnx", "Conv", "Conv"),
        ("", "IntQuant", "Quant"),
        ("qonnx.custom_op.general", "IntQuant", "Quant"),
        ("finn.custom_op.general", "MultiThreshold", "MultiThreshold"),
        ("onnx.brevitas", "Trunc", "Trunc"),
        ("onnx.brevitas", "Conv", "onnx.brevitas::Conv"),
        ("com.microsoft", "Quant", "com.microsoft::Quant"),
        ("qonnx", "FloatQuant", "qonnx::FloatQuant"),
    ],
)
def test_a_name_is_bare_where_its_meaning_is_known(domain, op, name):
    assert canonical_name(domain, op) == name


@pytest.mark.parametrize(
    ("domain", "known"),
    [("qonnx", True), ("finn.x", True), ("onnx.brevitas", True), ("onnx", False), ("finnish", False)],
)
def test_domains_of_quantisation(domain, known):
    assert is_quantised_domain(domain) is known


@pytest.mark.parametrize("op", ["Quant", "IntQuant", "Trunc"])
def test_attributes_left_out_are_those_of_qonnx(op):
    node = helper.make_node(op, ["x"], ["y"], domain="qonnx.custom_op.general")
    known = getCustomOp(node, onnx_opset_version=2).get_nodeattr_types()
    name, defaults = CUSTOM_OPERATORS[op]
    assert name == op.removeprefix("Int")
    for attribute, value in defaults.items():
        # QONNX's executor takes no Quant without `narrow`; the operator's text says 0, its class 1.
        if attribute != "narrow" or known[attribute][1] is False:
            assert known[attribute][2] == value, attribute
