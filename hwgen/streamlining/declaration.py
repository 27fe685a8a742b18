"""What a user says of a model's inputs: of all of them, or of each by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hwgen.codes import CodeType
from hwgen.errors import OptionError

__all__ = ["Declaration", "InputNumber", "InputType", "declarations"]

Said = TypeVar("Said", float, CodeType | str)

InputType = CodeType | str | Mapping[str | None, CodeType | str] | None
"""A type, or its name, for every input; or for some by their names, under None for all others."""

InputNumber = float | Mapping[str | None, float] | None
"""A number for every input; or for some by their names, under None for all others."""


@dataclass(frozen=True)
class Declaration:
    """What the user says of one input: the model's own input is ``scale * code + offset``; None where nothing is said."""

    type: CodeType | str | None = None
    scale: float | None = None
    offset: float | None = None


def declarations(
    names: Sequence[str], kind: InputType, scale: InputNumber, offset: InputNumber
) -> dict[str, Declaration]:
    """Give what is said of each input.

    Raises
    ------
    OptionError
        If something is said of an input that there is not.
    """
    for option in (kind, scale, offset):
        for name in option if isinstance(option, Mapping) else ():
            if name is not None and name not in names:
                listed = ", ".join(f"'{one}'" for one in names)
                raise OptionError(f"There is no input '{name}' to declare: the model has {listed}")
    return {name: Declaration(_said(kind, name), _said(scale, name), _said(offset, name)) for name in names}


def _said(option: Said | Mapping[str | None, Said] | None, name: str) -> Said | None:
    return option.get(name, option.get(None)) if isinstance(option, Mapping) else option
