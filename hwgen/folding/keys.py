"""Named entries of the files and options that people write: an unknown one is refused with the nearest known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from hwgen.errors import OptionError

__all__ = ["known_keys"]


def known_keys(entry: Any, known: Iterable[str], where: str) -> None:
    """Refuse what is no object, or has an entry of another name.

    Parameters
    ----------
    entry : any JSON value
    known : iterable of str
        Names that entries may have.
    where : str
        What errors call it.

    Raises
    ------
    OptionError
    """
    if not isinstance(entry, dict):
        raise OptionError(f"{where} must be an object with named entries, not {entry!r}")
    for key in entry:
        if key not in known:
            near = get_close_matches(key, list(known), n=1)
            hint = f"; did you mean '{near[0]}'?" if near else f"; known are {', '.join(known)}"
            raise OptionError(f"{where} has an unknown entry '{key}'{hint}")
