"""Integers of two and four bits, as files hold them."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hwgen.errors import ModelError
from hwgen.frontend import read_onnx
from hwgen.frontend.narrow import array_of, narrow_bits


@pytest.mark.parametrize(("kind", "values"), [("INT4", [-8, 7, 3]), ("UINT4", [0, 15, 9]), ("INT2", [-2, 1, 0])])
def test_arrays_are_bytes(kind, values):
    tensor = helper.make_tensor("w", getattr(TensorProto, kind), [3], values)
    array = array_of(tensor)
    assert array.tolist() == values
    assert array.dtype == (np.uint8 if kind.startswith("U") else np.int8)
    assert narrow_bits(tensor.data_type) == int(kind[-1])


def test_the_type_of_the_input_is_kept(tmp_path):
    text = (
        '<ir_version: 10, opset_import: ["" : 21]> net (int4[N,3] x) => (float[N,3] y) { y = DequantizeLinear (x, s) }'
    )
    model = onnx.parser.parse_model(text)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(0.5), "s"))
    onnx.save(model, tmp_path / "net.onnx")
    assert read_onnx(tmp_path / "net.onnx").annotations == {"x": "INT4"}


def test_a_cast_to_four_bits_is_refused(tmp_path):
    text = '<ir_version: 10, opset_import: ["" : 21]> net (float[N,3] x) => (int4[N,3] y) { y = Cast <to = 22> (x) }'
    onnx.save(onnx.parser.parse_model(text), tmp_path / "net.onnx")
    with pytest.raises(
        ModelError, match=r"\(Cast\): a cast to int4, which NumPy cannot compute with; use QuantizeLinear"
    ):
        read_onnx(tmp_path / "net.onnx")
