"""Values in files beside the model's: read, or refused in a sentence that says which and why."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from hwgen.errors import ModelError
from hwgen.frontend import read_onnx


@pytest.fixture
def model_of(tmp_path):
    """Give a function that writes a model of 30 weights in net.data, with what it says of the place changed."""

    def write(**told: str) -> Path:
        model = onnx.parser.parse_model(
            '<ir_version: 10, opset_import: ["" : 20]> net (float[N,30] x) => (float y) { y = Mul (x, w) }'
        )
        model.graph.initializer.append(numpy_helper.from_array(np.arange(30, dtype=np.float32), "w"))
        onnx.save(model, tmp_path / "net.onnx", save_as_external_data=True, location="net.data", size_threshold=0)
        written = onnx.ModelProto.FromString((tmp_path / "net.onnx").read_bytes())
        (tensor,) = written.graph.initializer
        found = {entry.key: entry.value for entry in tensor.external_data} | told
        del tensor.external_data[:]
        for key, value in found.items():
            tensor.external_data.add(key=key, value=value)
        (tmp_path / "net.onnx").write_bytes(written.SerializeToString())
        return tmp_path / "net.onnx"

    return write


def test_values_are_read_from_their_place(model_of):
    path = model_of(offset="8", length="120")
    data = (path.parent / "net.data").read_bytes()
    (path.parent / "net.data").write_bytes(bytes(8) + data)
    assert read_onnx(path).constants["w"].tolist() == list(range(30))


@pytest.mark.parametrize("key", ["offset", "length"])
@pytest.mark.parametrize("text", ["-5", "abc", "1.5", "\u0661"])
def test_a_place_that_is_no_number_of_bytes(model_of, key, text):
    with pytest.raises(
        ModelError, match=rf"values of 'w' are in another file at {key} '{text}', which must be a number"
    ):
        read_onnx(model_of(**{key: text}))


def test_a_place_behind_the_end(model_of):
    with pytest.raises(ModelError, match=r"has 120 bytes, but 'w' ends at byte 1120; copy the file again"):
        read_onnx(model_of(offset="1000"))


@pytest.mark.parametrize("told", [{"length": "8"}, {"offset": "4", "length": "4"}])
def test_fewer_values_than_the_shape_has(model_of, told):
    with pytest.raises(ModelError, match=r"constant 'w' is damaged: .* values of its shape \(30,\)"):
        read_onnx(model_of(**told))


def test_a_missing_file(model_of):
    path = model_of()
    (path.parent / "net.data").unlink()
    with pytest.raises(ModelError, match=r"values of 'w' are in 'net\.data', which is missing beside"):
        read_onnx(path)


def test_a_file_cut_short(model_of):
    path = model_of()
    (path.parent / "net.data").write_bytes(bytes(10))
    with pytest.raises(ModelError, match="has 10 bytes, but 'w' ends at byte 120"):
        read_onnx(path)


@pytest.mark.parametrize("location", ["", "../net.data", "sub/../../net.data", "/etc/hostname"])
def test_only_files_in_the_models_folder_are_read(model_of, location):
    with pytest.raises(ModelError, match=rf"Cannot read the values of 'w' from '{location}': only files in the folder"):
        read_onnx(model_of(location=location))


def test_a_link_to_a_file_elsewhere_is_not_followed(model_of, tmp_path_factory):
    path = model_of()
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "secret"
    elsewhere.write_bytes(bytes(120))
    (path.parent / "net.data").unlink()
    (path.parent / "net.data").symlink_to(elsewhere)
    with pytest.raises(ModelError, match=r"Cannot read the values of 'w' from 'net\.data'; copy the file again"):
        read_onnx(path)
