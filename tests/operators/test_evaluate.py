"""The graph as a float program: types and errors; what each operator computes is tested beside its module."""

import numpy as np
import pytest

from hwgen.errors import ModelError
from tests.operators.onnx_cases import call


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
