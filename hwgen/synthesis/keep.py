"""The folder of results: written whole or not at all, and recognised again."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hwgen.build_folder import manifest
from hwgen.errors import BuildError, ToolError

__all__ = ["MAPPED", "RESULT", "ROUTED", "keep", "kept_result", "scratch_folder", "synthesised"]

RESULT = "result.json"

MAPPED = ("cells.json", "mapped.v", "netlist.json", "yosys.log")
"""Files that mapping leaves; what placing and routing needs is among them."""

ROUTED = "routed.v"
"""File that placing and routing leaves out of context: the accelerator's cells as they were packed and routed."""


def keep(results: Path, scratch: Path, facts: dict[str, Any], more: Sequence[str] = ()) -> None:
    """Put what is worth keeping of a scratch folder into the folder of results, all at once.

    Parameters
    ----------
    results : Path
        Absent, or an earlier folder of results, which is replaced.
    scratch : Path
        Holds the files `MAPPED` and, after placing and routing, ``report<seed>.json`` and ``nextpnr<seed>.log``.
    facts : dict
        Contents of ``result.json``.
    more : sequence of str
        Further files of the scratch folder to keep.
    """
    files = {file: file for file in (*MAPPED, *more)}
    if "seed" in facts:
        files |= {f"report{facts['seed']}.json": "timing.json", f"nextpnr{facts['seed']}.log": "nextpnr.log"}
    with manifest.writing(results) as partial:
        for file, name in files.items():
            shutil.copy(scratch / file, partial / name)
        (partial / RESULT).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        manifest.write_manifest(partial, {"name": facts["target"], "kind": facts["format"]})


def kept_result(results: Path) -> dict[str, Any] | None:
    """Give an earlier result, if there is one and it is whole."""
    try:
        manifest.check(results)
        facts: dict[str, Any] = json.loads((results / RESULT).read_text(encoding="utf-8"))
    except (BuildError, OSError, ValueError, RecursionError):
        return None
    return facts


def synthesised(folder: Path) -> dict[str, dict[str, Any]]:
    """Give what `hwgen synth` found of a build folder, for each target that it was run for, beside what was estimated.

    Returns
    -------
    dict
        Name of the device or board -> ``device`` (its name), ``out_of_context``, ``estimated`` and ``counted`` (resource -> number; None: there is no model of the
        family), ``available``, and ``fmax_mhz``, None without place and route.
    """
    found = {path.name: kept_result(path) for path in sorted((folder / "synth").glob("*"))}
    return {
        target: {
            "device": facts["device"]["name"],
            "out_of_context": facts["out_of_context"],
            "estimated": facts["estimated"],
            "counted": facts["resources"],
            "available": facts["available"],
            "fmax_mhz": facts["fmax_mhz"],
        }
        for target, facts in found.items()
        if facts is not None
    }


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a temporary folder, which stays only if a tool failed: the message names a log in it."""
    scratch = Path(tempfile.mkdtemp(prefix="hwgen-synth-"))
    try:
        yield scratch
    except ToolError:
        raise
    except BaseException:
        shutil.rmtree(scratch)
        raise
    shutil.rmtree(scratch)
