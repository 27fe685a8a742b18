"""Boards and devices: the records in ``boards/*.toml``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from importlib import resources
from pathlib import Path

from hwgen.devices.toml_record import read_record, read_toml
from hwgen.errors import OptionError

__all__ = [
    "Board",
    "Clock",
    "Device",
    "Family",
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

_FLASH_BYTES = 1 << 24
"""What the addresses of a read reach."""


class Family(Enum):
    """A family of devices: one synthesis recipe and one place-and-route program."""

    ICE40 = "ice40"
    ECP5 = "ecp5"
    GOWIN = "gowin"
    NEXUS = "nexus"
    GATEMATE = "gatemate"
    XILINX7 = "xilinx7"


class Programmer(Enum):
    """The program that loads a bitstream into a board."""

    ICEPROG = "iceprog"
    OPENFPGALOADER = "openFPGALoader"
    DFU_UTIL = "dfu-util"


@dataclass(frozen=True)
class Device:
    """A device in a package and speed grade, and what it holds.

    Parameters
    ----------
    name : str
        What ``--device`` calls it.
    family : Family
    part : str
        The maker's name.
    package : str
        In the words of the place-and-route program.
    luts, ffs : int
        Look-up tables and flip-flops.
    bram_blocks, bram_bits : int
        Block RAMs, and bits of each.
    clock_goal_mhz : float
        What a good design reaches with open tools.
    speed : str
        Speed grade; empty where the family has none.
    series : str
        Gowin: the series that the place-and-route program wants beside the part.
    spram_blocks, spram_bits : int
        Large RAMs without initial contents, and bits of each.
    lutram_bits : int
        All distributed RAM.
    dsps : int
        Multipliers.
    harness_pins : tuple of str
        Gowin, CrossLink-NX: a clock pin and three more, for a harness; their place-and-route programs choose no pins.
    """

    name: str
    family: Family
    part: str
    package: str
    luts: int
    ffs: int
    bram_blocks: int
    bram_bits: int
    clock_goal_mhz: float
    speed: str = ""
    series: str = ""
    spram_blocks: int = 0
    spram_bits: int = 0
    lutram_bits: int = 0
    dsps: int = 0
    harness_pins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clock:
    """The clock that a board feeds to the FPGA.

    Parameters
    ----------
    pin : str
    hz : int
    note : str
        What a person has to do for it.
    pll_pad : bool
        iCE40: whether the pin is the one that belongs to the PLL.
    """

    pin: str
    hz: int
    note: str = ""
    pll_pad: bool = False


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
        name: read_record(Device, table, f"'{path.name}', table '{name}'", name=name)
        for name, table in read_toml(path).items()
    }


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
    board = read_record(Board, table, where, name=path.stem, device=device)
    if board.flash is not None:
        if device.family is not Family.ICE40:
            raise OptionError(f"{where} has the table 'flash', which only iCE40 takes; leave it out")
        if not 0 < board.flash.offset < _FLASH_BYTES:
            raise OptionError(
                f"{where}, key 'flash', key 'offset' must lie behind the bitstream and have 24 bits, not {board.flash.offset}"
            )
    return board


def find_device(name: str, where: str = "The device") -> Device:
    """Give a device by its name.

    Raises
    ------
    OptionError
        If there is none.
    """
    known = devices()
    if name not in known:
        raise OptionError(f"{where} must be one of {', '.join(known)}, not '{name}'")
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
        raise OptionError(f"The board must be one of {', '.join(boards())}, or the path of a .toml file, not '{name}'")
    return read_board(path)


def _folder() -> Path:
    """Give the folder of the board files, which are never in a zipped package."""
    return Path(str(resources.files("hwgen.boards")))
