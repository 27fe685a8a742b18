"""Load the bitstream of a build folder into a board, with the program that the board takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.devices.boards import Board, Programmer, find_board
from hwgen.errors import BuildError, OptionError
from hwgen.progress import Progress, silent
from hwgen.synthesis.keep import RESULT
from hwgen.tools.processes import run
from hwgen.tools.toolchain import programmer

__all__ = ["Loading", "board_result", "command_words", "program"]


@dataclass(frozen=True)
class _Words:
    """Words in front of a bitstream's name: to keep it in the board's flash, and to load it until power goes (None: cannot)."""

    keep: tuple[str, ...]
    volatile: tuple[str, ...] | None


_WORDS: Mapping[Programmer, _Words] = {
    Programmer.ICEPROG: _Words((), ("-S",)),
    Programmer.OPENFPGALOADER: _Words(("-f",), ("-m",)),
    Programmer.DFU_UTIL: _Words(("-a", "0", "-D"), None),
}


@dataclass(frozen=True)
class Loading:
    """What was, or would be, done.

    Parameters
    ----------
    board : str
    file : Path
        The bitstream.
    command : tuple of str
    volatile : bool
        Gone when power goes.
    done : bool
        False: only shown.
    """

    board: str
    file: Path
    command: tuple[str, ...]
    volatile: bool
    done: bool

    def facts(self) -> dict[str, Any]:
        """Give it as JSON types."""
        return {
            "board": self.board,
            "file": str(self.file),
            "command": list(self.command),
            "volatile": self.volatile,
            "done": self.done,
        }


def board_result(folder: Path, board: str | None = None) -> tuple[Board, Path, dict[str, Any]] | None:
    """Find the board for which a build folder has a bitstream.

    Parameters
    ----------
    folder : Path
        Build folder.
    board : str or None
        Name or TOML file of the board; None: the only one.

    Returns
    -------
    Board, Path, dict
        The board, the folder of its results and the contents of ``result.json``; None if there is no bitstream.

    Raises
    ------
    OptionError
        If there are several and none is named.
    """
    wanted = None if board is None else Path(board).stem
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    for file in sorted((folder / "synth").glob(f"*/{RESULT}")):
        facts = _result(file)
        if facts.get("bitstream") is not None and wanted in (None, facts["target"]):
            found[facts["target"]] = (file.parent, facts)
    if len(found) > 1:
        raise OptionError(f"'{folder}' has bitstreams for {', '.join(found)}: choose one with --board")
    if not found:
        return None
    ((name, (results, facts)),) = found.items()
    return find_board(board or name), results, facts


def _result(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError, RecursionError):
        raise BuildError(f"'{file}' is damaged; run 'hwgen synth' again") from None


def command_words(board: Board, *, volatile: bool = False) -> tuple[str, ...]:
    """Give the words of the command that loads a board, without the bitstream's name, which comes last.

    Raises
    ------
    OptionError
        If the board cannot be loaded that way.
    """
    words = _WORDS[board.programmer]
    chosen = words.volatile if volatile else words.keep
    if chosen is None:
        raise OptionError(
            f"{board.programmer.value} always writes the flash of board '{board.name}': leave out --volatile"
        )
    return (board.programmer.value, *board.programmer_options, *chosen)


def program(
    folder: str | Path,
    *,
    board: str | None = None,
    volatile: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Loading:
    """Load a build folder's bitstream into the board that is plugged in.

    Parameters
    ----------
    folder : str or Path
        Build folder, with a bitstream by `hwgen.synthesis.synthesise`.
    board : str or None
        Name or TOML file of the board; None: the only one with a bitstream.
    volatile : bool
        Load it until power goes, instead of keeping it in the board's flash.
    dry_run : bool
        Only say how.
    progress : callable
        Called with what happens.

    Returns
    -------
    Loading

    Raises
    ------
    BuildError
        If there is no bitstream.
    OptionError
        If there are several, or the board cannot be loaded that way.
    ToolError
        If the board's program is missing or fails.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BuildError(f"'{folder}' is no build folder; make one with 'hwgen compile'")
    result = board_result(folder, board)
    if result is None:
        name = board or "BOARD"
        raise BuildError(f"'{folder}' has no bitstream; make one with 'hwgen synth {folder} --board {name}'")
    target, results, facts = result
    if volatile and facts.get("flash_offset") is not None:
        raise OptionError(f"Board '{target.name}' loads this build's memories from its flash: leave out --volatile")
    words = command_words(target, volatile=volatile)
    tool = None if dry_run else programmer(target.programmer.value)
    file = results / facts["bitstream"]
    command = (words[0] if tool is None else tool.path, *words[1:], str(file))
    if tool is not None:
        progress(f"loading {file.name} with {tool.name}")
        run(command, results, results / "program.log", progress=progress)
    return Loading(target.name, file, command, volatile, tool is not None)
