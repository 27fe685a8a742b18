"""TOML tables as frozen dataclasses: every key known, every value of its field's type, or one sentence that names file and key."""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from hwgen.errors import OptionError

__all__ = ["read_record", "read_toml"]

Record = TypeVar("Record")

LARGEST = 1 << 40
"""Beyond what any number of a board or a device is."""

_NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", tuple: "a list of texts"}


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    OptionError
        If it cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"Cannot read '{path}': {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise OptionError(f"'{path}' is not a text file, and so no TOML file") from None
    except RecursionError:
        raise OptionError(f"'{path}' is nested hundreds of levels deep, which no board file is") from None
    except ValueError as error:  # tomllib's own sentence, or one about a number of thousands of digits
        told = f": {str(error).lower()}" if isinstance(error, tomllib.TOMLDecodeError) else ""
        raise OptionError(f"'{path}' is not a TOML file{told}") from None


def read_record(kind: type[Record], table: Mapping[str, Any], where: str, **given: Any) -> Record:
    """Make a dataclass of a table.

    Parameters
    ----------
    kind : dataclass
        Its fields are texts, whole numbers, numbers, booleans, ``tuple[str, ...]``, enums of texts, other such dataclasses
        (a table within the table), or any of these or None. A field with a default may be absent.
    table : mapping
        Keys are the names of fields that are not ``given``.
    where : str
        What the error calls the table, such as "'boards/x.toml'".
    **given
        Fields that do not come from the table.

    Returns
    -------
    Record

    Raises
    ------
    OptionError
        If a key is missing, unknown, or of the wrong type.
    """
    types_of = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(typing.cast(Any, kind)) if field.name not in given}
    for key in table:
        if key not in fields:
            raise OptionError(f"{where} has the unknown key '{key}'; known are {', '.join(fields)}")
    values = dict(given)
    for name, field in fields.items():
        if name in table:
            values[name] = _value(types_of[name], table[name], f"{where}, key '{name}'")
        elif field.default is dataclasses.MISSING:
            raise OptionError(f"{where} lacks the key '{name}'")
    return kind(**values)


def _value(kind: Any, value: Any, where: str) -> Any:
    """Check one value, and turn it into the field's type."""
    if isinstance(kind, types.UnionType):
        kind = next(part for part in typing.get_args(kind) if part is not types.NoneType)
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise OptionError(f"{where} must be a table, not {value!r}")
        return read_record(typing.cast(Any, kind), value, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        legal = [member.value for member in kind]
        if value not in legal:
            raise OptionError(f"{where} must be one of {', '.join(legal)}, not {value!r}")
        return kind(value)
    plain = typing.get_origin(kind) or kind
    if plain is tuple:
        fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
    elif plain is bool:
        fits = isinstance(value, bool)
    else:
        # In Python a bool is an int, and in TOML 12 is also a good frequency.
        fits = isinstance(value, (int, float) if plain is float else plain) and not isinstance(value, bool)
        if fits and plain is not str and not 0 <= value < LARGEST:
            raise OptionError(f"{where} must be a number from 0 to {LARGEST:,}, not {value!r}"[:200])
    if not fits:
        raise OptionError(f"{where} must be {_NAMES[plain]}, not {value!r}")
    return plain(value)
