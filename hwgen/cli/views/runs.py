"""What simulations and boards did."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from hwgen.host.program import Loading
from hwgen.host.run import BoardRun
from hwgen.sim.check import Simulation

__all__ = ["render_board_run", "render_loading", "render_simulation"]


def render_simulation(simulation: Simulation) -> RenderableType:
    """Lay out a simulation beside what was predicted."""
    table = Table(
        title=f"{simulation.frames:,} frames in {simulation.engine.value}", title_justify="left", title_style="bold"
    )
    table.add_column("")
    for name in ("predicted", "measured", "differences"):
        table.add_column(name, justify="right")

    def count(number: int) -> str:
        return f"[{'red' if number else 'green'}]{number:,}[/]"

    def cycles(number: int | None) -> str:
        return "-" if number is None else f"{number:,}"

    table.add_row("frames against golden", "", "", count(simulation.mismatches))
    if len(simulation.mismatches_by_output) > 1:
        for name, number in simulation.mismatches_by_output.items():
            table.add_row(f"  of output {escape(name)}", "", "", count(number))
    if simulation.expected_mismatches is not None:
        off = "" if simulation.expected_off is None else f"off by {simulation.expected_off:.3g}"
        table.add_row("frames against expected", "", off, count(simulation.expected_mismatches))
    table.add_row("cycle of every output beat", "", "", count(simulation.beats_off_schedule))
    table.add_row("cycles a frame (II)", cycles(simulation.ii_predicted), cycles(simulation.ii_measured), "")
    table.add_row("latency in cycles", cycles(simulation.latency_predicted), cycles(simulation.latency_measured), "")
    table.add_row("cycles in all", "", cycles(simulation.cycles_total), "")
    table.add_row("frames/s at clock", "", f"{simulation.frames_per_second_at_clock:,.0f}", "")
    if simulation.seen is not None:
        for name, (seen, tried) in simulation.seen.kinds().items():
            table.add_row(f"{name} that show", "", f"{seen:,} of {tried:,}", "")
    if simulation.accuracy is not None:
        table.add_row("accuracy", "", f"{simulation.accuracy:.2%}", "")
    if simulation.seen is None or not simulation.seen.unseen:
        return table
    return Group(table, Text("Shown by no frame:"), *(Text(f"  {change}") for change in simulation.seen.unseen))


def render_board_run(run: BoardRun) -> RenderableType:
    """Lay out what a board answered."""
    title = f"{run.frames:,} frames on the board"
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False)
    table.add_column("")
    table.add_column("", justify="right")
    if run.mismatches is not None:
        table.add_row("frames against golden", f"[{'red' if run.mismatches else 'green'}]{run.mismatches:,}[/]")
    table.add_row("frames/s through the port", f"{run.frames_per_second:,.1f}")
    table.add_row("requests sent again", f"{run.retries:,}")
    table.add_row("damaged packets seen by the board", f"{run.counters.bad_crc:,}")
    return table


def render_loading(loading: Loading) -> RenderableType:
    """Say in a line what was loaded."""
    kept = "until power goes" if loading.volatile else "in its flash"
    return Text(f"{loading.file.name} is in board {loading.board}, {kept}")
