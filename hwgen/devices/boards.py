"""Boards and devices: the records in ``boards/*.toml``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum
from importlib import resources
from pathlib import Path
from typing import Any

from hwgen.devices.clock import Clock
from hwgen.devices.families import FAMILIES
from hwgen.devices.family import Device
from hwgen.devices.toml_record import read_record, read_toml
from hwgen.errors import OptionError

__all__ = [
    "Board",
    "Flash",
    "Pins",
    "Programmer",
    "Spi",
    "Uart",
    "boards",
    "devices",
    "find_board",
    "find_device",
]

DEVICES_FILE = "devices.toml"

_JOINERS = str.maketrans("", "", "-_ ")

_FLASH_BYTES = 1 << 24
"""What the addresses of a read reach."""


class Programmer(Enum):
    """The program that loads a bitstream into a board."""

    ICEPROG = "iceprog"
    OPENFPGALOADER = "openFPGALoader"
    DFU_UTIL = "dfu-util"


@dataclass(frozen=True)
class Pins:
    """Buttons or LEDs, whether low means pressed or lit, and the I/O standard of their bank (ECP5, Gowin)."""

    pins: tuple[str, ...]
    active_low: bool
    io_type: str = "LVCMOS33"


@dataclass(frozen=True)
class Uart:
    """The serial link to the host, named from the FPGA's side.

    Parameters
    ----------
    rx, tx : str
        Pins by which the FPGA receives and sends.
    max_baud : int
        Highest rate that the other side takes.
    note : str
        What a person has to do for it.
    hold_high : tuple of str
        Pins that the FPGA must drive high for it.
    """

    rx: str
    tx: str
    max_baud: int
    note: str = ""
    hold_high: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spi:
    """Pins of a header by which an SPI host reaches the FPGA.

    Parameters
    ----------
    sclk, mosi, miso, cs : str
        Pins; the FPGA sends by ``miso``, and ``cs`` is active low.
    note : str
        Where a person finds them.
    """

    sclk: str
    mosi: str
    miso: str
    cs: str
    note: str = ""


@dataclass(frozen=True)
class Flash:
    """The SPI flash that holds the bitstream, where its pins are the FPGA's own after configuration; memories are loaded from it.

    Parameters
    ----------
    clk, cs, copi, cipo : str
        Pins; the FPGA sends by ``copi``.
    offset : int
        Where the image of the memories begins, behind the bitstream.
    """

    clk: str
    cs: str
    copi: str
    cipo: str
    offset: int


@dataclass(frozen=True)
class Board:
    """A board that people own.

    Parameters
    ----------
    name : str
        What ``--board`` calls it: the file's name without ``.toml``.
    title : str
        Maker, name and revision.
    device : Device
        In the board's package and speed grade.
    clock : Clock
    uart : Uart
    leds : Pins
    programmer : Programmer
    buttons : Pins or None
    programmer_options : tuple of str
        Words by which the programmer knows the board.
    flash : Flash or None
    spi : Spi or None
        Beside the serial port, as the host link of another bitstream.

    Raises
    ------
    OptionError
        If nothing can load memories from the flash.
    """

    name: str
    title: str
    device: Device
    clock: Clock
    uart: Uart
    leds: Pins
    programmer: Programmer
    buttons: Pins | None = None
    programmer_options: tuple[str, ...] = ()
    flash: Flash | None = None
    spi: Spi | None = None

    def __post_init__(self) -> None:
        if self.flash is None:
            return
        if self.device.family.room.boot is None:
            family = self.device.family.name
            raise OptionError(
                f"Board '{self.name}' has a flash, but no boot loader reads that of the family '{family}'; leave it out"
            )
        if not 0 < self.flash.offset < _FLASH_BYTES:
            raise OptionError(
                f"The flash of board '{self.name}' has the offset {self.flash.offset}, which must lie behind the bitstream and have 24 bits"
            )


@dataclass(frozen=True)
class _Chip:
    """What a board file says about its device."""

    device: str
    package: str
    speed: str = ""


def devices() -> dict[str, Device]:
    """Give every device by its name."""
    path = _folder() / DEVICES_FILE
    return {
        name: _read_device(name, table, f"'{path.name}', table '{name}'") for name, table in read_toml(path).items()
    }


def _read_device(name: str, table: dict[str, Any], where: str) -> Device:
    """Make a device of its table, whose family is known by its name."""
    family = table.pop("family", None)
    if family not in FAMILIES:
        raise OptionError(f"{where}, key 'family' must be one of {', '.join(FAMILIES)}, not {family!r}")
    return read_record(Device, table, where, name=name, family=FAMILIES[family])


def boards() -> dict[str, Board]:
    """Give every board that comes with hwgen by its name, in the order of names."""
    return {path.stem: read_board(path) for path in sorted(_folder().glob("*.toml")) if path.name != DEVICES_FILE}


def read_board(path: Path) -> Board:
    """Read a board file.

    Raises
    ------
    OptionError
        If it cannot be read, lacks a key, or has a key or value that is not legal.
    """
    table = read_toml(path)
    where = f"'{path.name}'"
    chip = read_record(_Chip, {key: table.pop(key) for key in ("device", "package", "speed") if key in table}, where)
    device = find_device(chip.device, f"{where}, key 'device'")
    device = replace(device, package=chip.package, speed=chip.speed or device.speed)
    return read_record(Board, table, where, name=path.stem, device=device)


def find_device(name: str, where: str = "The device") -> Device:
    """Give a device by its name.

    Raises
    ------
    OptionError
        If there is none.
    """
    known = devices()
    if name not in known:
        raise OptionError(f"{where} must be one of {', '.join(known)}, not '{name}'{_hint(name, known)}")
    return known[name]


def find_board(name: str) -> Board:
    """Give a board by its name, or by the path of its own TOML file.

    Raises
    ------
    OptionError
        If there is none, or its file is wrong.
    """
    if name.endswith(".toml"):
        return read_board(Path(name))
    path = _folder() / f"{name}.toml"
    if name not in boards():
        known = boards()
        raise OptionError(
            f"The board must be one of {', '.join(known)}, or the path of a .toml file, not '{name}'{_hint(name, known)}"
        )
    return read_board(path)


def _hint(name: str, known: Iterable[str]) -> str:
    """Give the known name that is nearest to another, whatever its case, hyphens and underscores."""
    plain = {one.lower().translate(_JOINERS): one for one in known}
    near = get_close_matches(name.lower().translate(_JOINERS), plain, n=1)
    return f"; did you mean {plain[near[0]]}?" if near else ""


def _folder() -> Path:
    """Give the folder of the board files, which are never in a zipped package."""
    return Path(str(resources.files("hwgen.boards")))
