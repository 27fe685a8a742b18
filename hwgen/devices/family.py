"""All that is known of a family of devices, as one record; each family's own stands in the file of its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hwgen.devices.cells import Carry, Memories, Multipliers
from hwgen.devices.clock import Clock, Pll
from hwgen.devices.usage import Usage

__all__ = [
    "MODELS",
    "Device",
    "Family",
    "Models",
    "Packer",
    "PinFile",
    "Placer",
    "PortPin",
    "Recipe",
    "Room",
    "Routed",
    "fitted_prices",
]

MODELS = Path(__file__).with_name("models")
"""Verilog of our own about cells."""

Cell = dict[str, Any]
"""A cell of Yosys' JSON netlist."""


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
class Recipe:
    """How Yosys maps a design to a family's cells.

    Parameters
    ----------
    mapper : callable
        Device -> the command that maps to it, with the options that measured best.
    cells : tuple of (str, Usage)
        What a cell takes of the device whose type matches a regular expression; every one that matches counts.
    before_memories : tuple of str
        Commands between the mapper's coarse steps and that which maps memories.
    memory_step : str
        The mapper's step that maps memories.
    finish : tuple of str
        Commands that are left when all modules are one.
    rewrite : callable or None
        Changes, in place, each module of the mapped design in Yosys' JSON.
    """

    mapper: Callable[[Device], str]
    cells: tuple[tuple[str, Usage], ...]
    before_memories: tuple[str, ...] = ()
    memory_step: str = "map_ram"
    finish: tuple[str, ...] = ()
    rewrite: Callable[[dict[str, Any]], object] | None = None


@dataclass(frozen=True)
class Room:
    """What an accelerator finds taken of a device.

    Parameters
    ----------
    flipflop_cells : float
        Logic cells that a flip-flop takes on average: 0 where any can follow any LUT.
    link : Usage
        What the host link of a board takes, as measured around the trained TFC.
    boot : Usage or None
        What the boot loader takes, which reads the board's flash; None: its pins are not the FPGA's own after configuration.
    """

    flipflop_cells: float
    link: Usage
    boot: Usage | None = None


@dataclass(frozen=True)
class PortPin:
    """A port of the whole, and the pin that it goes to.

    Parameters
    ----------
    port, pin : str
    pull : str
        "UP", "DOWN" or "NONE".
    io_type : str
        Its I/O standard, in the words of ECP5, CrossLink-NX and Gowin.
    output : bool
    """

    port: str
    pin: str
    pull: str = "NONE"
    io_type: str = "LVCMOS33"
    output: bool = False


@dataclass(frozen=True)
class PinFile:
    """The file that tells a place-and-route program the pins.

    Parameters
    ----------
    suffix : str
    lines : callable
        PortPin -> its lines.
    """

    suffix: str
    lines: Callable[[PortPin], tuple[str, ...]]


@dataclass(frozen=True)
class Placer:
    """A place-and-route program.

    Parameters
    ----------
    program : str
    words : callable
        Device, file of pin constraints, file of the routed design to write for the packer (None: out of context) -> the arguments that are the family's own.
    """

    program: str
    words: Callable[[Device, str, str | None], list[str]]


@dataclass(frozen=True)
class Packer:
    """How bitstreams are made.

    Parameters
    ----------
    program : str
    package, module, call : str
        The Python package that has it, its module, and the call in that module that runs it.
    layout : str
        Suffix of the routed design that it reads.
    bitstream : str
        Suffix of the bitstream.
    words : callable
        Device, routed design, bitstream -> its arguments.
    """

    program: str
    package: str
    module: str
    call: str
    layout: str
    bitstream: str
    words: Callable[[Device, str, str], list[str]]


@dataclass(frozen=True)
class Routed:
    """What a netlist is like that was packed, placed and routed, so that it can be simulated.

    Parameters
    ----------
    is_high : callable
        A cell's type, its parameters, which it may change, and a pin where nothing is connected -> whether that is 1 in the device.
    restore : callable
        A cell and names for new nets -> the cell of which there is a model.
    """

    is_high: Callable[[str, dict[str, str], str], bool]
    restore: Callable[[Cell, Iterator[int]], Cell] = field(default=lambda cell, fresh: cell)


@dataclass(frozen=True)
class Models:
    """Verilog that simulates the family's cells.

    Parameters
    ----------
    yosys : tuple of str
        Files of Yosys.
    own : tuple of Path
        Files of our own, which go before those.
    routed : Routed or None
        None: there are no models of the cells that the place-and-route program packs.
    """

    yosys: tuple[str, ...]
    own: tuple[Path, ...] = ()
    routed: Routed | None = None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Family:
    """A family of devices. Two are the same if they are one record.

    Parameters
    ----------
    name : str
        What ``devices.toml`` calls it.
    recipe : Recipe
    memories : Memories
    carry : Carry
    multipliers : Multipliers or None
        None: every product is logic.
    prices : Path or None
        JSON file with what each part of a unit takes, fitted to measurements by `benchmarks/resource_model.py`; None: nothing is measured yet.
    room : Room
    fetch_registers : int
        Registers in front of the lanes (`hwgen.fold.Fold`) that suit clocks which are fast beside the wires.
    plls : callable or None
        Device and clock at its pin -> every PLL that is within the maker's limits; None: hwgen drives none.
    pins : PinFile or None
    placer : Placer or None
        None: no open program places and routes it.
    packer : Packer or None
        None: no open program makes bitstreams.
    models : Models or None
        None: mapped netlists cannot be simulated.
    """

    name: str
    recipe: Recipe
    memories: Memories
    room: Room
    carry: Carry = field(default_factory=Carry)
    multipliers: Multipliers | None = None
    prices: Path | None = None
    fetch_registers: int = 0
    plls: Callable[[Device, Clock], Iterator[Pll]] | None = None
    pins: PinFile | None = None
    placer: Placer | None = None
    packer: Packer | None = None
    models: Models | None = None

    def __repr__(self) -> str:
        """Give the name alone: functions have addresses, which differ from run to run."""
        return f"Family({self.name!r})"


def fitted_prices(family: str) -> Path:
    """Give the file of prices beside the file of a family."""
    return Path(__file__).with_name("prices") / f"{family}.json"
