"""How long-running functions tell what they are at."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["BETWEEN", "Progress", "at", "phase", "silent"]

Progress = Callable[[str], None]
"""Called with the name of each step as it begins, and with ``<step>: <place>`` as it goes on."""

BETWEEN = ": "
"""Stands between a step and the place in it."""


def silent(step: str) -> None:
    """Report no progress."""


_listener: ContextVar[Progress] = ContextVar("listener", default=silent)


@contextmanager
def phase(progress: Progress, step: str) -> Iterator[None]:
    """Report a step, and within it each place that `at` names."""
    progress(step)
    token = _listener.set(lambda place: progress(f"{step}{BETWEEN}{place}"))
    try:
        yield
    finally:
        _listener.reset(token)


def at(place: str) -> None:
    """Say to whoever listens at which node, layer or module the present step is."""
    _listener.get()(place)
