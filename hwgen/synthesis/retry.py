"""Synthesise for a board, and where the result does not fit or is too slow, try again smaller or slower."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hwgen.board.line import Line
from hwgen.build_folder.build import build
from hwgen.build_folder.open import load
from hwgen.devices.boards import find_board
from hwgen.errors import OptionError
from hwgen.estimation.estimate import estimate_total
from hwgen.fold import MemoryStyle
from hwgen.folding.for_board import fold_for_board, slower_clock
from hwgen.plan import Plan
from hwgen.progress import Progress, silent
from hwgen.synthesis import flow, synthesise

__all__ = ["AUTOMATIC_RETRIES", "synthesise_on_board"]

AUTOMATIC_RETRIES = 6
"""Tries after the first, for a build that was folded for the board."""

SMALLER = 0.85
"""Share of the logic that a refolded network may take of what the one before it was estimated to take."""


def synthesise_on_board(
    folder: str | Path,
    board: str,
    *,
    retries: int | None = None,
    place_and_route: bool = True,
    seeds: Sequence[int] = flow.DEFAULT_SEEDS,
    jobs: int | None = None,
    clock_mhz: float | None = None,
    line: Line = Line.UART,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Make a board's bitstream; back off by itself where that fails.

    A clock that is missed is lowered to the next one that the board can make and the design reaches; where the design does not fit,
    or the lowest clock is missed, the network is folded again, slower and smaller, and the build folder is replaced as a whole.

    Parameters
    ----------
    folder : str or Path
        Build folder.
    board : str
        Name of a board, or the path of its TOML file.
    retries : int or None
        Tries after the first; None: `AUTOMATIC_RETRIES` for a build that was folded for this board, else none.
    place_and_route, seeds, jobs, line, progress
        As for `hwgen.synthesis.synthesise`.
    clock_mhz : float or None
        The clock, which is then not lowered. None: the build's own if it was folded for this board, else that of the board's pin.

    Returns
    -------
    dict
        As `hwgen.synthesis.synthesise` gives it, and ``attempts``: a sentence for each try that failed.

    Raises
    ------
    OptionError, ToolError, BuildError
        As `hwgen.synthesis.synthesise` raises them, once no try is left.
    """
    plan = load(folder).plan
    mine = plan.board == board
    left = (AUTOMATIC_RETRIES if mine else 0) if retries is None else retries
    clock = plan.clock_hz / 1e6 if clock_mhz is None and mine else clock_mhz
    attempts: list[str] = []
    while True:
        try:
            facts = synthesise(
                folder,
                board=board,
                place_and_route=place_and_route,
                seeds=seeds,
                jobs=jobs,
                clock_mhz=clock,
                line=line,
                progress=progress,
            )
            if facts["clock_met"] is not False or len(attempts) == left:
                return facts | {"attempts": attempts}
            why = f"{facts['fmax_mhz']:.1f} MHz do not reach {facts['clock_goal_mhz']:g} MHz"
            lower = slower_clock(find_board(board), facts["fmax_mhz"]) if clock_mhz is None else None
        except (flow.TooLarge, flow.NotPlaced) as error:
            if len(attempts) == left:
                raise
            why = _why(error)
            lower = None
        if lower is None:
            refolded = _refold(plan, board, clock)
            then = f"folding again with less logic: a frame every {refolded.cycles:,} cycles instead of {plan.cycles:,}"
        else:
            clock = lower
            refolded = replace(plan, clock_hz=clock * 1e6)
            then = f"the clock is now {clock:g} MHz"
        attempts.append(f"{why}; {then}")
        progress(attempts[-1])
        plan = build(refolded, folder, progress=progress).plan


def _why(error: flow.TooLarge | flow.NotPlaced) -> str:
    """Say what went wrong; the place-and-route program's own error is a line of what it printed last."""
    if isinstance(error, flow.TooLarge):
        return str(error).partition("; ")[0].splitlines()[0]
    printed = [line.strip() for line in str(error).splitlines()]
    own = next((line.removeprefix("ERROR: ") for line in printed if line.startswith("ERROR: ")), "")
    return "it cannot be placed and routed" + (f" ({own.rstrip('.')})" if own else "")


def _refold(plan: Plan, board: str, clock_mhz: float | None) -> Plan:
    """Fold a network smaller, with registers and writable where it was.

    Raises
    ------
    OptionError
        If there is nothing smaller.
    """
    wanted = (name for name, fold in plan.folds.items() if fold.writable and fold.memory is not MemoryStyle.SPRAM)
    try:
        return fold_for_board(
            plan.network,
            board,
            clock_mhz=plan.clock_hz / 1e6 if clock_mhz is None else clock_mhz,
            writable=frozenset(wanted),
            axi_lite=plan.axi_lite,
            less_than=(estimate_total(plan, find_board(board).device), SMALLER),
        )
    except OptionError as error:
        raise OptionError(f"No smaller folding is left to try: {error}") from None
