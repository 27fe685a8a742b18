"""From a plan to a build folder."""

from __future__ import annotations

from pathlib import Path

from hwgen.build_folder import manifest
from hwgen.build_folder.open import Accelerator
from hwgen.build_folder.write import write_contents
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.pipeline.layout import lay_out
from hwgen.plan import Plan
from hwgen.progress import Progress, silent
from hwgen.verification.record import Verification

__all__ = ["build"]


def build(
    plan: Plan, folder: str | Path, *, verification: Verification | None = None, progress: Progress = silent
) -> Accelerator:
    """Write the accelerator as a build folder, whole or not at all.

    Parameters
    ----------
    plan : Plan
        As `plan` gives it.
    folder : str or Path
        Absent, empty, or an earlier build folder, which is replaced.
    verification : Verification or None
        What `hwgen.verify` found of the network, for the report; None: it was not held to its file.
    progress : callable
        Called with the name of each step.

    Returns
    -------
    Accelerator

    Raises
    ------
    OptionError
        If the folder holds something else or cannot be written.
    ToolError
        If Yosys is missing or fails.
    """
    folder = Path(folder)
    plan = size_fifos(plan)
    with manifest.writing(folder) as partial:
        report = write_contents(lay_out(plan), partial, verification, progress)
    return Accelerator(folder, plan, report)
