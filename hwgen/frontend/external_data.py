"""The values of tensors that lie in files beside the model's."""

from __future__ import annotations

from pathlib import Path, PurePath

import onnx
from onnx.external_data_helper import load_external_data_for_tensor, uses_external_data

from hwgen.errors import ModelError

__all__ = ["load_external_data"]


def load_external_data(model: onnx.ModelProto, path: Path) -> None:
    """Read all values that a model keeps in other files.

    Parameters
    ----------
    model : ModelProto
    path : Path
        The model's own file.

    Raises
    ------
    ModelError
        If a file is missing, too short, or not beside the model; if the model does not say where in it the values are.
    """
    for name, tensor in _tensors(model):
        if uses_external_data(tensor):
            _load(name, tensor, path)


def _tensors(model: onnx.ModelProto) -> list[tuple[str, onnx.TensorProto]]:
    found = [(tensor.name, tensor) for tensor in model.graph.initializer]
    nodes = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    for node in nodes:
        name = node.output[0] if node.output else node.name
        found += [(name, attribute.t) for attribute in node.attribute if attribute.HasField("t")]
    return found


def _load(name: str, tensor: onnx.TensorProto, path: Path) -> None:
    told = {entry.key: entry.value for entry in tensor.external_data}
    location = told.get("location", "")
    place = PurePath(location)
    if not location or place.is_absolute() or ".." in place.parts:
        raise ModelError(
            f"Cannot read the values of '{name}' from '{location}': only files in the folder of '{path}' are read; export the model again"
        )
    numbers = {key: _number(name, key, told[key]) for key in ("offset", "length") if told.get(key)}
    data = path.parent / location
    if not data.is_file():
        raise ModelError(
            f"The values of '{name}' are in '{location}', which is missing beside '{path}'; copy it there too"
        )
    needed = sum(numbers.values())
    if data.stat().st_size < needed:
        raise ModelError(
            f"'{data}' has {data.stat().st_size} bytes, but '{name}' ends at byte {needed}; copy the file again"
        )
    try:
        load_external_data_for_tensor(tensor, str(path.parent))
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise ModelError(
            f"Cannot read the values of '{name}' from '{location}'; copy the file again, itself and not a link to it"
        ) from error
    tensor.data_location = onnx.TensorProto.DEFAULT
    del tensor.external_data[:]


def _number(name: str, key: str, text: str) -> int:
    """Read where the values begin in a file, or how long they are."""
    if not (text.isascii() and text.isdecimal()):
        raise ModelError(
            f"The values of '{name}' are in another file at {key} '{text}', which must be a number of bytes from 0 on; export the model again"
        )
    return int(text)
