"""Path -> ModelProto with all its weights, or one sentence that says what is wrong with the file."""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import defs

from hwgen.errors import ModelError
from hwgen.frontend.domains import CUSTOM_OPERATORS, ONNX_DOMAINS
from hwgen.frontend.external_data import load_external_data
from hwgen.frontend.functions import inlined

__all__ = ["OLDEST_OPSET", "load_model", "opset_of"]

OLDEST_OPSET = 7
_IR_VERSION_TAG = b"\x08"


def load_model(path: str | Path) -> onnx.ModelProto:
    """Read a model file, its external data, and inline its local functions.

    Raises
    ------
    ModelError
        If the file cannot be read, is no ONNX model, is cut short, lacks data files, or declares an unknown opset.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"There is no file '{path}'") from error
    except OSError as error:
        raise ModelError(f"Cannot read '{path}': {error.strerror or error}") from error
    model = _parse(path, content)
    load_external_data(model, path)
    opset_of(model)
    return inlined(model)


def opset_of(model: onnx.ModelProto) -> int:
    """Give the version of the ONNX operators that a model uses.

    Raises
    ------
    ModelError
        If it is missing or not between `OLDEST_OPSET` and the newest that the installed onnx package knows.
    """
    versions = [entry.version for entry in model.opset_import if entry.domain in ONNX_DOMAINS]
    newest = defs.onnx_opset_version()
    if not versions:
        if any(node.domain in ONNX_DOMAINS and node.op_type not in CUSTOM_OPERATORS for node in model.graph.node):
            raise ModelError("The model does not say which ONNX opset it uses (opset_import); export it again")
        return int(newest)
    if not OLDEST_OPSET <= versions[0] <= newest:
        raise ModelError(
            f"The model uses ONNX opset {versions[0]}, but {OLDEST_OPSET} to {newest} are understood; "
            "convert it with onnx.version_converter"
        )
    return int(versions[0])


def _parse(path: Path, content: bytes) -> onnx.ModelProto:
    if not content:
        raise ModelError(f"'{path}' is empty")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError as error:
        if content.startswith(_IR_VERSION_TAG):
            raise ModelError(
                f"'{path}' is an ONNX file cut short or damaged ({len(content)} bytes); copy or export it again"
            ) from error
        raise ModelError(f"'{path}' is not an ONNX file") from error
    if not model.HasField("graph") or not model.ir_version:
        raise ModelError(f"'{path}' is not an ONNX file")
    if any(isinstance(text, bytes) for node in model.graph.node for text in (node.op_type, node.domain, node.name)):
        raise ModelError(f"'{path}' is an ONNX file with damaged text; copy or export it again")
    if not model.graph.node:
        raise ModelError(f"The graph in '{path}' has no nodes")
    return model
