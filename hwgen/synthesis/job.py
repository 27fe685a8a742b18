"""What is to be synthesised: every argument checked, every program found, and the hash by which a result is known again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from hwgen.board.line import Line
from hwgen.board.pins import choose_baud
from hwgen.board.write import boot_image, network_id
from hwgen.build_folder import manifest
from hwgen.build_folder.open import load
from hwgen.devices.boards import Board, find_board, find_device
from hwgen.devices.clock import Pll
from hwgen.devices.family import Device
from hwgen.devices.frequency import check_mhz
from hwgen.devices.pll import pll
from hwgen.errors import OptionError, ToolError
from hwgen.synthesis import recipe
from hwgen.tools.toolchain import Program, place_and_route
from hwgen.tools.toolchain import packer as find_packer

__all__ = ["TOP", "Job", "prepare"]

TOP = "harness"
"""Module that is synthesised: what stands around the accelerator."""


@dataclass(frozen=True)
class Job:
    """Everything that a result depends on.

    Parameters
    ----------
    name : str
        Of the accelerator's module.
    folder : Path
        Build folder.
    sources : dict
        File of ``rtl/`` -> hash.
    ii : int
        Cycles from one frame to the next.
    target : str
        Name of the board or device.
    device : Device
    clock_mhz : float
        Clock to aim at.
    seeds : tuple of int
        Empty: no placing and routing.
    tools : dict
        Program -> version.
    board : Board or None
        None: out of context.
    pll : Pll or None
        What makes the board's clock; None: it comes from a pin.
    baud : int or None
        Rate of the board's line.
    network_id : int or None
        What the board's link tells the host.
    image : bytes or None
        What the memories of a board need before the first frame; None: they start with their contents.
    line : Line
        Of the board.
    """

    name: str
    folder: Path
    sources: dict[str, str]
    ii: int
    target: str
    device: Device
    clock_mhz: float
    seeds: tuple[int, ...]
    tools: dict[str, str]
    board: Board | None = None
    pll: Pll | None = None
    baud: int | None = None
    network_id: int | None = None
    image: bytes | None = None
    line: Line = Line.UART

    @property
    def rtl(self) -> Path:
        """The folder of the accelerator's Verilog."""
        return (self.folder / "rtl").absolute()

    @property
    def clock_hz(self) -> int:
        """The clock of the board."""
        return round(self.clock_mhz * 1e6)

    @property
    def flash_offset(self) -> int | None:
        """Where the board's boot loader finds the image in the flash; None: there is no boot loader."""
        if self.image is None or self.board is None or self.board.flash is None:
            return None
        return self.board.flash.offset

    def netlist_key(self) -> str:
        """Give the hash of what the netlist depends on."""
        around = [repr(self.board), repr(self.pll), self.baud, self.network_id, self.line.value]
        steps = recipe.commands(self.device, TOP, self.name, Path())
        return _digest([self.sources, steps, self.tools["pyosys"], metadata.version("hwgen"), around])

    def key(self) -> str:
        """Give the hash of what the whole result depends on."""
        image = hashlib.sha256(self.image or b"").hexdigest()
        return _digest(
            [self.netlist_key(), self.target, repr(self.device), self.clock_mhz, self.seeds, self.ii, self.tools, image]
        )


def prepare(
    folder: Path,
    board: str | None,
    device: str | None,
    routed: bool,
    seeds: Sequence[int],
    clock_mhz: float | None,
    line: Line = Line.UART,
) -> tuple[Job, Program | None, Program | None]:
    """Check every argument and find every program before anything runs.

    Returns
    -------
    Job
    Program or None
        Places and routes.
    Program or None
        Packs the bitstream.
    """
    if clock_mhz is not None:
        check_mhz(clock_mhz)
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise OptionError(
            f"The seeds must be different whole numbers from 0 on, not {', '.join(map(str, seeds)) or 'none'}"
        )
    if board is not None and device is None:
        found = find_board(board)
        chip, target = found.device, found.name
    elif device is not None and board is None:
        found, chip = None, find_device(device)
        target = chip.name
    else:
        raise OptionError("Give either a board or a device; 'hwgen boards' lists both")
    if found is None and line is not Line.UART:
        raise OptionError(f"A device has no link to a host; leave out --link {line.value}, or choose a --board")
    written = manifest.check(folder)
    sources = {
        file: digest for file, digest in written["files"].items() if re.fullmatch(r"rtl/.*(?<!_inst)\.(v|mem)", file)
    }
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    tools = {"pyosys": _pyosys_version()}
    placer = packer = None
    if routed and chip.family.placer is not None:
        placer = place_and_route(chip.family.placer.program)
        tools[placer.name] = placer.version
        if found is not None and (by := chip.family.packer) is not None:
            packer = find_packer(by.program, by.package, by.module, by.call)
            tools[packer.name] = packer.version
    goal = chip.clock_goal_mhz if clock_mhz is None else clock_mhz
    multiplier = None
    if found is not None:
        multiplier = None if clock_mhz in (None, found.clock.hz / 1e6) else pll(found, goal * 1e6)
        goal = (found.clock.hz if multiplier is None else multiplier.hz) / 1e6
    job = Job(
        name=written["name"],
        folder=folder,
        sources=sources,
        ii=report["ii"],
        target=target,
        device=chip,
        clock_mhz=goal,
        seeds=tuple(seeds) if placer is not None else (),
        tools=tools,
        board=found,
        pll=multiplier,
        baud=None if found is None else choose_baud(found, round(goal * 1e6), line),
        network_id=None if found is None else network_id(folder),
        image=None if found is None else boot_image(load(folder)),
        line=line,
    )
    return job, placer, packer


def _pyosys_version() -> str:
    try:
        return metadata.version("pyosys")
    except metadata.PackageNotFoundError:
        raise ToolError("Yosys was not found; install it with: pip install pyosys") from None


def _digest(facts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
