"""The build folder: written whole or not at all, and recognised again."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hwgen.errors import BuildError, OptionError
from hwgen.folding.json_text import read_json

__all__ = [
    "FORMAT",
    "MANIFEST",
    "check",
    "check_replaceable",
    "read_manifest",
    "write_manifest",
    "writing",
    "written_files",
]

FORMAT = "hwgen build folder 2"
"""What ``manifest.json`` says it is; the number rises when older readers would misread the folder."""

MANIFEST = "manifest.json"


@contextmanager
def writing(folder: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``folder`` that takes its place when the block ends well.

    If the block fails or is interrupted the temporary folder is removed, and ``folder`` is as it was.

    Parameters
    ----------
    folder : Path
        Absent, empty, or an earlier build folder, which is replaced.

    Yields
    ------
    Path
        The empty temporary folder.

    Raises
    ------
    OptionError
        If ``folder`` is something else, or cannot be written.
    """
    folder = folder.absolute()
    check_replaceable(folder)
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
    except OSError as error:
        raise OptionError(f"Cannot create folder '{folder}': {_reason(error)}; choose another folder") from None
    try:
        yield partial
        _swap(partial, folder)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EPERM):
            raise
        raise OptionError(
            f"Cannot write folder '{folder}': {_reason(error)}; nothing was kept, free space or choose another folder"
        ) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_replaceable(folder: Path) -> None:
    """Make sure that ``folder`` is absent, empty, or an earlier build folder.

    Raises
    ------
    OptionError
        If it is something else: nothing of the user's is ever overwritten.
    """
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir():
        raise OptionError(f"'{folder}' is a file, not a folder; choose another output folder")
    if not any(folder.iterdir()):
        return
    try:
        read_manifest(folder)
    except BuildError:
        raise OptionError(
            f"Folder '{folder}' holds files that are not hwgen's; choose another output folder or empty it"
        ) from None


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write ``manifest.json`` with ``facts`` and the hash of every file now in ``folder``."""
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    text = json.dumps({"format": FORMAT, **facts, "files": files}, indent=2)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a build folder.

    Raises
    ------
    BuildError
        If there is no such folder, it is not hwgen's, or it was written by another version's format.
    """
    path = folder / MANIFEST
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise BuildError(f"Build folder '{folder}' {what}; make one with 'hwgen compile'")
    try:
        manifest = read_json(path.read_text(encoding="utf-8"), "it")
    except FileNotFoundError:
        raise BuildError(
            f"'{folder}' is not a build folder: it has no {MANIFEST}; make one with 'hwgen compile'"
        ) from None
    except OSError as error:
        raise BuildError(f"'{path}' cannot be read ({_reason(error)}); compile again") from None
    except UnicodeDecodeError:
        raise BuildError(f"'{path}' is not a text file; compile again") from None
    except OptionError as error:
        raise BuildError(f"'{path}' cannot be read ({error}); compile again") from None
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT or not isinstance(manifest.get("files"), dict):
        raise BuildError(f"'{path}' is of format '{found}', not '{FORMAT}'; compile again with this version of hwgen")
    return dict(manifest)


def check(folder: Path) -> dict[str, Any]:
    """Hold every file of a build folder to the hash in its manifest, and give the manifest.

    Raises
    ------
    BuildError
        If a file is missing or was changed.
    """
    manifest = read_manifest(folder)
    for name, digest in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise BuildError(f"Build folder '{folder}' is incomplete: '{name}' is missing; compile again")
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise BuildError(
                f"'{path}' was changed after it was compiled; compile again (an edited folding goes in by --folding)"
            )
    return manifest


def written_files(folder: Path) -> list[str]:
    """List what a build wrote, as paths within the folder."""
    return [*read_manifest(folder)["files"], MANIFEST]


def _swap(partial: Path, folder: Path) -> None:
    """Put the new folder in place of the old one; the old one is put back if that fails."""
    if not folder.exists():
        partial.rename(folder)
        return
    old = partial.with_suffix(".old")
    folder.rename(old)
    try:
        partial.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
