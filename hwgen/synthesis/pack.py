"""From a routed design to a bitstream, and what else a flash holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hwgen.errors import OptionError
from hwgen.tools.processes import run
from hwgen.tools.toolchain import Program

__all__ = ["append", "pack"]


_ERASED = b"\xff"


def append(bitstream: Path, image: bytes, offset: int, board: str) -> None:
    """Make a bitstream the contents of a whole flash: with an image behind it, and between them bytes as they are after erasing.

    Raises
    ------
    OptionError
        If the bitstream reaches beyond the image's place.
    """
    content = bitstream.read_bytes()
    if len(content) > offset:
        raise OptionError(
            f"The bitstream has {len(content):,} bytes and the memories of board '{board}' begin at byte {offset:,} of its flash; "
            "raise 'offset' in its TOML file"
        )
    bitstream.write_bytes(content.ljust(offset, _ERASED) + image)


def pack(program: Program, words: Sequence[str], folder: Path) -> None:
    """Pack a routed design.

    Parameters
    ----------
    program : Program
    words : sequence of str
        Its arguments.
    folder : Path
        Holds the routed design and receives the bitstream and ``pack.log``.

    Raises
    ------
    ToolError
        If the program fails.
    """
    run([*program.command, *words], folder, folder / "pack.log")
