"""From a routed design to a bitstream: which program packs, what it reads and what it writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hwgen.devices.boards import Device, Family
from hwgen.errors import OptionError
from hwgen.tools.processes import run
from hwgen.tools.toolchain import Program

__all__ = ["PACKERS", "Packer", "append", "pack"]


@dataclass(frozen=True)
class Packer:
    """How a family's bitstreams are made.

    Parameters
    ----------
    program : str
    pins : str
        Suffix of the file of pin constraints.
    layout : str
        Suffix of the routed design that the place-and-route program writes.
    bitstream : str
        Suffix of the bitstream.
    """

    program: str
    pins: str
    layout: str
    bitstream: str


PACKERS: Mapping[Family, Packer] = {
    Family.ICE40: Packer("icepack", "pcf", "asc", "bin"),
    Family.ECP5: Packer("ecppack", "lpf", "config", "bit"),
    Family.NEXUS: Packer("prjoxide", "pdc", "fasm", "bit"),
    Family.GATEMATE: Packer("gmpack", "ccf", "txt", "bit"),
    Family.GOWIN: Packer("gowin_pack", "cst", "routed.json", "fs"),
}
"""Families with an open packer."""


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


def pack(program: Program, device: Device, folder: Path, layout: str, bitstream: str) -> None:
    """Pack a routed design.

    Parameters
    ----------
    program : Program
    device : Device
    folder : Path
        Holds the routed design and receives the bitstream and ``pack.log``.
    layout, bitstream : str
        Names of the two files.

    Raises
    ------
    ToolError
        If the program fails.
    """
    match device.family:
        case Family.ICE40 | Family.GATEMATE:
            words = [layout, bitstream]
        case Family.NEXUS:
            words = ["pack", layout, bitstream]
        case Family.ECP5:
            words = ["--compress", layout, bitstream]
        case _:
            words = ["-d", device.series, "-o", bitstream, layout]
    run([*program.command, *words], folder, folder / "pack.log")
