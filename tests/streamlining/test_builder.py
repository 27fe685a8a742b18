"""Names of layers."""

from __future__ import annotations

import pytest

from hwgen.conversion import Conversion
from hwgen.graph import Node
from hwgen.streamlining.builder import Builder, identifier


@pytest.mark.parametrize(
    ("name", "op", "expected"),
    [
        ("/features/0/Conv", "Conv", "features_0"),
        ("node_Gemm_16.product", "MatMul", "conv1"),
        ("/head/fc1/Gemm.product", "MatMul", "head_fc1"),
        ("head.product", "MatMul", "head"),
        ("node_max_pool2d_1", "MaxPool", "conv1"),
        ("", "Conv", "conv1"),
        ("fc1", "MatMul", "fc1"),
        ("/0/Conv", "Conv", "conv1"),
        ("model/Reg", "Conv", "model_reg"),
        ("reg", "Conv", "reg_"),
        ("s_axis", "Conv", "s_axis_"),
        ("m_axis.tdata", "Conv", "m_axis_tdata_"),
        ("aclk", "Conv", "aclk_"),
        ("control", "Conv", "control_"),
        ("fc1/write", "Conv", "fc1_write_"),
    ],
)
def test_layer_names(name, op, expected):
    builder = Builder(Conversion())
    assert builder.name("conv", Node(op, name, (), ())) == expected
    assert builder.name("conv", Node(op, name, (), ())) != expected
    assert identifier("3x-Y!") == "n3x_y"


def test_long_names_are_bounded_and_stay_apart():
    """Names of 240 characters, as exporters make them of nested modules, that differ in their last alone."""
    one, other = (identifier("block/" * 40 + end) for end in "ab")
    assert one != other
    assert max(len(one), len(other)) <= 64
    assert identifier("x" * 64) == "x" * 64
    assert identifier("9" * 70)[0] == "n"
