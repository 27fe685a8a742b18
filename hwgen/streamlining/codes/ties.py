"""Where ONNX's Sign, which gives 0 for 0, can see exactly 0: a third value, unless the user wants one bit all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwgen.errors import ModelError
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.coding import MAX_LEVELS, assign, snap
from hwgen.streamlining.functions.domain import Floats
from hwgen.streamlining.functions.function import RUNS, Function
from hwgen.streamlining.functions.tabulate import Runs
from hwgen.streamlining.functions.terms import Evaluator

__all__ = ["named", "settle"]

WIDE = 1e-4
"""Relative width of a stretch of floats on which Sign sees 0 for a reason, not by a tie."""


def settle(function: Function, builder: Builder, node: str, most: int = RUNS) -> tuple[Evaluator, Runs | None]:
    """Give what decides the function's values, and the runs of these.

    Sign is ONNX's own. Where it sees 0 at a single reachable number, a tie, that may cost a level which the user can do without. Where it sees 0 on a
    whole stretch (behind a Relu or a dead zone), 0 is meant.

    Raises
    ------
    ModelError
        In strict mode, if a tie costs a level.
    """
    exact = Evaluator(function.dtype, finite=not isinstance(function.domain, Floats))
    if not function.has_sign:
        return exact, function.runs([exact], most)
    both = function.runs([exact, *(replace(exact, sign_at_zero=sign) for sign in (1, -1))], most)
    if both is None:
        return exact, None
    both = both.with_values(np.stack([snap(values, function.size) for values in both.values]))
    tied = np.any(both.values != both.values[0], axis=0)
    wanted = builder.conversion.sign_at_zero
    place = 2 if wanted < 0 else 1
    if (
        not np.any(tied)
        or _stretches(function, both, tied)
        or _levels(function, both.values[0], both.element) <= _levels(function, both.values[place], both.element)
    ):
        return exact, both.with_values(both.values[0])
    channels = both.element[tied] % function.domain.count.shape[1]
    where = _where(function, both.element[tied], both.start[tied], node)
    if builder.conversion.strict:
        raise ModelError(
            f"Sign can see exactly 0 in {where}, and ONNX's Sign gives 0 there, which is no binary code; shift the bias, spell the sign "
            "as x >= 0, or compile without --strict for three values, or for one bit with --sign-at-zero"
        )
    builder.tie(node, np.unique(channels))
    if not wanted:
        declared = " or, where it never is 0, --input-type bipolar" if isinstance(function.domain, Floats) else ""
        builder.note(
            f"Sign can see exactly 0 in {where}: three values, as ONNX has it; --sign-at-zero{declared} makes it one bit"
        )
        return exact, both.with_values(both.values[0])
    builder.note(f"Sign can see exactly 0 in {where}: taken as {wanted:+d}, where ONNX's Sign gives 0")
    return replace(exact, sign_at_zero=wanted), both.with_values(both.values[place])


def named(channels: np.ndarray) -> str:
    """Count channels and name the first of them."""
    found = np.unique(channels)
    return f"{len(found)} channel(s) ({', '.join(map(str, found[:8]))}{', ...' if len(found) > 8 else ''})"


def _levels(function: Function, values: Sequence[float] | np.ndarray, element: np.ndarray) -> int:
    """Count the codes that values need; more than any codes if they are no levels."""
    channels = function.domain.count.shape[1]
    found = assign(np.asarray(values), element % channels, channels)
    return MAX_LEVELS + 1 if found is None else found.type.levels


def _where(function: Function, element: np.ndarray, k: np.ndarray, node: str) -> str:
    """Name the channels, or the input's number, that meet a tie."""
    channels = element % function.domain.count.shape[1]
    if isinstance(function.domain, Floats):
        number = float(function.domain.values(k[:1], element[:1])[0])
        return f"{len(np.unique(channels))} channel(s) of the input, where '{node}' is exactly {number:g}"
    return f"{named(channels)} behind '{node}'"


def _stretches(function: Function, runs: Runs, tied: np.ndarray) -> bool:
    """Tell whether Sign sees 0 on more than a tie, in an element where it sees something else too."""
    element, start, end = runs.element[tied], runs.start[tied], runs.end[tied]
    part = end - start < function.count[element]
    if isinstance(function.domain, Floats):
        first, last = (function.domain.values(k, element).astype(np.float64) for k in (start, end - 1))
        return bool(np.any(part & (last - first > WIDE * np.maximum(1, np.abs(first)))))
    return bool(np.any(part & (end - start > 1)))
