"""Verilator's opinion of what was written."""

from __future__ import annotations

from pathlib import Path

from hwgen.tools.processes import run
from hwgen.tools.toolchain import Toolchain


def lint(folder: Path, top: str) -> str:
    """Lint a build folder's Verilog with every warning on, but for the waivers shipped with it; a warning is an error."""
    toolchain = Toolchain.find()
    command = [toolchain.need("verilator").path, "--lint-only", "-Wall", "--top-module", top, f"{top}.vlt", f"{top}.v"]
    return run(command, folder / "rtl", folder.parent / "lint.log", toolchain.environment("verilator"))
