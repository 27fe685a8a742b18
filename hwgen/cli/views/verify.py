"""What a user's data made of the file, the golden model and the Verilog."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from hwgen.verification.survey import Row, Survey

__all__ = ["render_survey"]


def render_survey(survey: Survey) -> RenderableType:
    """Lay out a survey: sums, the table of tensors, the confusion matrix, warnings."""
    who = survey.executor + ("" if survey.independent else " (not independent)")
    lines = [
        f"{survey.frames:,} frames in {who}. Golden model against the file: {survey.differing:,} differ by more than float32 rounding",
        f"Verilog against the golden model: {survey.verilog_differing:,} frames differ",
    ]
    if survey.agreement is not None:
        lines.append(f"The file and the golden model agree on the class of {survey.agreement:.2%} of the frames")
    if survey.accuracy:
        lines.append("Accuracy: " + ", ".join(f"{name} {share:.2%}" for name, share in survey.accuracy.items()))
    matrix = () if survey.confusion is None else (_matrix(survey.confusion, "label" if survey.accuracy else "file"),)
    warnings = [Text(f"Warning: {warning}", style="yellow") for warning in survey.warnings]
    return Group(*map(Text, lines), _tensors(survey.rows), *matrix, *warnings)


def _tensors(rows: Sequence[Row]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("ONNX tensor", "layer", "shape"):
        table.add_column(name, overflow="fold")
    for name in ("largest", "mean", "frames", "first"):
        table.add_column(name, justify="right")
    for row in rows:
        first = (
            ""
            if row.first is None
            else f"frame {row.first.frame} {list(row.first.place)}: {row.first.file:g}, {row.first.golden:g}"
        )
        count = f"[{'red' if row.frames else 'green'}]{row.frames:,}[/]"
        shape = "x".join(map(str, row.shape))
        table.add_row(
            escape(row.tensor), row.source, shape, f"{row.largest:.3g}", f"{row.mean:.3g}", count, escape(first)
        )
    return table


def _matrix(confusion: Sequence[Sequence[int]], rows: str) -> Table:
    table = Table(
        title=f"{rows} (down), golden model (across)",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for name in ("", *map(str, range(len(confusion)))):
        table.add_column(name, justify="right")
    for number, counts in enumerate(confusion):
        table.add_row(str(number), *(f"{count:,}" for count in counts))
    return table
