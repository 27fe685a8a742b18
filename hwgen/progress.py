"""How long-running functions tell what they are at."""

from collections.abc import Callable

__all__ = ["Progress", "silent"]

Progress = Callable[[str], None]
"""Called with the name of each step as it begins."""


def silent(step: str) -> None:
    """Report no progress."""
