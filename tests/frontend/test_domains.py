"""Names of operators, whoever wrote them."""

import pytest

from hwgen.frontend.domains import canonical_name, is_quantised_domain


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
