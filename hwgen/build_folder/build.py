"""From a plan to a build folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hwgen.build_folder import manifest
from hwgen.build_folder.open import Accelerator
from hwgen.build_folder.write import write_contents
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.pipeline.layout import lay_out
from hwgen.plan import Plan
from hwgen.progress import Progress, phase, silent
from hwgen.verification.record import Verification

__all__ = ["build"]


def build(
    plan: Plan,
    folder: str | Path,
    *,
    verification: Verification | None = None,
    companions: Mapping[str, bytes] | None = None,
    progress: Progress = silent,
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
    companions : mapping of str to bytes, or None
        Further files of the folder, such as the parts of the model that stay on the host.
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
    with phase(progress, "sizing FIFOs"):
        plan = size_fifos(plan)
    with manifest.writing(folder) as partial:
        for name, content in (companions or {}).items():
            (partial / name).write_bytes(content)
        report = write_contents(lay_out(plan), partial, verification, progress)
    return Accelerator(folder, plan, report)
