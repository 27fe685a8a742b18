"""Save the records of a network and read them back, bit for bit.

Scalars and structure go into JSON, arrays into a NumPy archive that the JSON refers to by name. A record is any frozen dataclass of `RECORDS`; nothing
else can be written or read, so a stored network never runs code.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.activation import Lookup, Positions, Thresholds
from hwgen.codes import CodeType
from hwgen.conversion import Conversion
from hwgen.errors import BuildError, OptionError
from hwgen.folding.json_text import read_json
from hwgen.layers.combine import Operation
from hwgen.layers.global_reduce import Reduction
from hwgen.layers.kinds import KINDS
from hwgen.layers.window import Window
from hwgen.network import InputPort, Network, OutputPort

__all__ = ["digest", "load_network", "save_network"]

RECORDS = (*KINDS, CodeType, Conversion, InputPort, Lookup, Network, OutputPort, Positions, Thresholds, Window)

ENUMS: tuple[type[Enum], ...] = (Operation, Reduction)
"""Closed choices that a record may hold."""


def save_network(network: Network, folder: Path) -> tuple[Path, Path]:
    """Write ``network.json`` and ``network.npz``; the same network gives the same bytes.

    Returns
    -------
    tuple of Path
        The two files.
    """
    arrays: dict[str, np.ndarray] = {}
    text, archive = folder / "network.json", folder / "network.npz"
    text.write_text(_to_json(network, arrays), encoding="utf-8")
    compact: dict[str, Any] = {name: _compact(array) for name, array in arrays.items()}
    np.savez_compressed(archive, **compact)
    return text, archive


def digest(network: Network) -> bytes:
    """Give a hash of everything that `save_network` would write."""
    arrays: dict[str, np.ndarray] = {}
    total = hashlib.sha256(_to_json(network, arrays).encode())
    for name, array in arrays.items():
        total.update(f"{name} {array.shape} {array.dtype}".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.digest()


def load_network(folder: Path) -> Network:
    """Read what `save_network` wrote.

    Raises
    ------
    BuildError
        If a file is missing or holds something else.
    """
    try:
        tree = read_json((folder / "network.json").read_text(encoding="utf-8"), "its network.json")
        with np.load(folder / "network.npz", allow_pickle=False) as archive:
            network = _from_tree(tree, dict(archive))
    except FileNotFoundError as error:
        raise BuildError(f"'{folder}' is not a complete build folder: {error.filename} is missing") from None
    except OptionError as error:
        raise BuildError(f"'{folder}' holds a network that cannot be read ({error}); compile it again") from None
    except (AttributeError, ValueError, LookupError, TypeError, OverflowError, RecursionError, zipfile.BadZipFile):
        raise BuildError(
            f"'{folder}' holds a network that cannot be read; compile it again with this version of hwgen"
        ) from None
    if not isinstance(network, Network):
        raise BuildError(f"'{folder}/network.json' holds a {type(network).__name__}, not a network; compile it again")
    return network


def _to_json(network: Network, arrays: dict[str, np.ndarray]) -> str:
    """Give the structure as text, and add the arrays that it refers to."""
    return json.dumps(_to_tree(network, "network", arrays), indent=1) + "\n"


def _to_tree(item: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(item, np.ndarray):
        arrays[path] = item
        return {"array": path, "dtype": str(item.dtype)}
    if type(item) in RECORDS:
        fields = {
            field.name: _to_tree(getattr(item, field.name), f"{path}.{field.name}", arrays)
            for field in dataclasses.fields(item)
            if _is_stored(field, item)
        }
        return {"record": type(item).__name__, "fields": fields}
    if isinstance(item, tuple):
        return [_to_tree(entry, f"{path}.{number}", arrays) for number, entry in enumerate(item)]
    if type(item) in ENUMS:
        return {"enum": type(item).__name__, "value": item.value}
    if isinstance(item, Enum) or not isinstance(item, str | int | float | bool | None):
        raise TypeError(f"{path} holds a {type(item).__name__}, which a build folder cannot store")
    return item


def _is_stored(field: dataclasses.Field[Any], record: Any) -> bool:
    stored, value = field.metadata.get("stored", "always"), getattr(record, field.name)
    return stored == "always" or (stored == "if any" and (isinstance(value, np.ndarray) or bool(value)))


def _from_tree(tree: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(tree, list):
        return tuple(_from_tree(entry, arrays) for entry in tree)
    if isinstance(tree, dict) and "array" in tree:
        return arrays[tree["array"]].astype(tree["dtype"])
    if isinstance(tree, dict) and "enum" in tree:
        return next(kind for kind in ENUMS if kind.__name__ == tree["enum"])(tree["value"])
    if isinstance(tree, dict):
        record = next((kind for kind in RECORDS if kind.__name__ == tree["record"]), None)
        if record is None:
            raise OptionError(f"unknown record '{tree['record']}'")
        return record(**{name: _from_tree(entry, arrays) for name, entry in tree["fields"].items()})
    return tree


def _compact(array: np.ndarray) -> np.ndarray:
    """Give the same integers in the narrowest type, so that +-1 weights take a byte each before compression."""
    if not np.issubdtype(array.dtype, np.integer) or array.size == 0:
        return array
    return array.astype(np.result_type(np.min_scalar_type(array.min()), np.min_scalar_type(array.max())))
