"""Place and route with nextpnr: its command line for a device, and what its JSON report says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.devices.family import Device
from hwgen.errors import OptionError
from hwgen.synthesis.harness import CLOCK_PORT

__all__ = ["CriticalPath", "Placement", "Segment", "arguments", "read_report"]

_MAPPED = re.compile(r"_(SB|TRELLIS|CCU2C|PFUMX|L6MUX21|LUT\d|MUX2|ALU|DFF|DL)[A-Z0-9]*_.*$|_(LC|DFFLC|LUT\d)$")
"""What mapping appended to the name that the source gave."""


@dataclass(frozen=True)
class Segment:
    """One step of a path: through a cell, or along a net to the next.

    Parameters
    ----------
    kind : str
        "clk-to-q", "routing", "logic" or "setup".
    delay_ns : float
    cell : str
        Where it begins, in the source's names.
    net : str or None
        For routing.
    """

    kind: str
    delay_ns: float
    cell: str
    net: str | None


@dataclass(frozen=True)
class CriticalPath:
    """The slowest path from one register to another."""

    segments: tuple[Segment, ...]

    @property
    def delay_ns(self) -> float:
        """Time from clock edge to clock edge that it needs."""
        return sum(segment.delay_ns for segment in self.segments)

    @property
    def routing_ns(self) -> float:
        """The part of it spent on wires."""
        return sum(segment.delay_ns for segment in self.segments if segment.kind == "routing")

    @property
    def levels(self) -> int:
        """Cells between the two registers."""
        return sum(segment.kind == "logic" for segment in self.segments)

    @property
    def units(self) -> tuple[str, ...]:
        """The units of the hardware that it passes through, in order, each once in a row."""
        names = [segment.cell.rpartition(".")[0] or segment.cell for segment in self.segments]
        return tuple(name for name, before in zip(names, ["", *names], strict=False) if name != before)


@dataclass(frozen=True)
class Placement:
    """A design placed and routed with one seed.

    Parameters
    ----------
    seed : int
    fmax_mhz : dict
        Clock -> highest frequency.
    utilization : dict
        Kind of cell -> (used, available), for kinds that are used.
    path : CriticalPath or None
        Of the slowest clock; None if no register feeds another.
    """

    seed: int
    fmax_mhz: dict[str, float]
    utilization: dict[str, tuple[int, int]]
    path: CriticalPath | None

    @property
    def slowest_mhz(self) -> float:
        """The lowest of the clocks' highest frequencies."""
        return min(self.fmax_mhz.values(), default=float("inf"))


def arguments(
    device: Device,
    seed: int,
    clock_mhz: float,
    netlist: str,
    report: str,
    pins: str,
    routed: str | None = None,
    layout: str | None = None,
) -> list[str]:
    """Give nextpnr's arguments.

    Parameters
    ----------
    device : Device
    seed : int
    clock_mhz : float
        Frequency to aim at; falling short is no failure.
    netlist, report : str
        JSON files to read and to write.
    pins : str
        File of pin constraints; out of context only families whose program chooses no pins have one.
    routed : str or None
        Netlist to write of what was routed.
    layout : str or None
        Routed design to write, which a packer reads: every port then has its pin. None: out of context.

    Raises
    ------
    OptionError
        If no open program places and routes the device.
    """
    placer = device.family.placer
    if placer is None:
        raise OptionError(f"No open program places and routes {device.part}; leave placing out")
    return [
        *placer.words(device, pins, layout),
        "--json",
        netlist,
        "--report",
        report,
        "--seed",
        str(seed),
        "--freq",
        f"{clock_mhz:g}",
        "--timing-allow-fail",
        *([] if routed is None else ["--write", routed]),
    ]


def read_report(path: Path, seed: int) -> Placement:
    """Read nextpnr's report."""
    report = json.loads(path.read_text(encoding="utf-8"))
    clocks = {name: facts["achieved"] for name, facts in report["fmax"].items()}
    slowest = min(clocks, key=lambda name: clocks[name], default=None)
    return Placement(
        seed=seed,
        fmax_mhz={_clock(name): round(mhz, 2) for name, mhz in clocks.items()},
        utilization={
            kind: (facts["used"], facts["available"])
            for kind, facts in report["utilization"].items()
            if facts["used"] and facts["available"]
        },
        path=_critical_path(report["critical_paths"], slowest),
    )


def _critical_path(paths: list[dict[str, Any]], clock: str | None) -> CriticalPath | None:
    """Find the path between two edges of a clock."""
    for path in paths:
        if path["from"].partition(" ")[2] == path["to"].partition(" ")[2] == clock:
            return CriticalPath(tuple(_segment(part) for part in path["path"]))
    return None


def _segment(part: dict[str, Any]) -> Segment:
    net = part.get("net")
    cell = _source_name(part["from"]["cell"])
    return Segment(part["type"], round(part["delay"], 3), cell, None if net is None else _source_name(net))


def _source_name(name: str) -> str:
    return _MAPPED.sub("", name.removeprefix("board.").removeprefix("accelerator."))


def _clock(net: str) -> str:
    """Give a clock's name without what buffers and pads added to it; the harness' clock is the accelerator's."""
    name = next((part for part in net.split("$") if part not in ("", "glbnet", "iopadmap")), net)
    return CLOCK_PORT if name == "clk" or name.rpartition(".")[2] == CLOCK_PORT else name
