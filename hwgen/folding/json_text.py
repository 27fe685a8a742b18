"""JSON that people or other programs may have changed: read with one sentence for whatever is wrong with it."""

from __future__ import annotations

import json
import math
from typing import Any

from hwgen.errors import OptionError

__all__ = ["read_json"]

MOST_DIGITS = 30
"""Digits of the longest whole number: twice as many as any has that hwgen writes."""

SHOWN = 20
"""Characters that are quoted of a number out of range."""


def read_json(text: str, source: str, *, finite: bool = True) -> Any:
    """Read a JSON text.

    Parameters
    ----------
    text : str
    source : str
        What errors call it.
    finite : bool
        Refuse NaN and infinity, which JSON itself does not have.

    Raises
    ------
    OptionError
        If it is no JSON, is nested without end, or has a number that is none or out of range.
    """

    def refuse(number: str) -> Any:
        shown = number if len(number) <= SHOWN else f"{number[:SHOWN]}..."
        raise OptionError(f"{source} has the number {shown}, which is out of range")

    def whole(number: str) -> int:
        return int(number) if len(number) <= MOST_DIGITS else refuse(number)

    def real(number: str) -> float:
        return found if math.isfinite(found := float(number)) or not finite else refuse(number)

    try:
        return json.loads(text, parse_int=whole, parse_float=real, parse_constant=refuse if finite else None)
    except json.JSONDecodeError as error:
        raise OptionError(f"{source} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise OptionError(f"{source} is not JSON that hwgen can use: it is nested hundreds of levels deep") from None
