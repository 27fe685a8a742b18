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
        ("node_max_pool2d_1", "MaxPool", "conv1"),
        ("", "Conv", "conv1"),
        ("fc1", "MatMul", "fc1"),
        ("/0/Conv", "Conv", "conv1"),
        ("model/Reg", "Conv", "model_reg"),
        ("reg", "Conv", "reg_"),
    ],
)
def test_layer_names(name, op, expected):
    builder = Builder(Conversion())
    assert builder.name("conv", Node(op, name, (), ())) == expected
    assert builder.name("conv", Node(op, name, (), ())) != expected
    assert identifier("3x-Y!") == "n3x_y"
