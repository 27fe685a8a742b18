"""What synthesis and place-and-route found: the record kept as result.json."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from hwgen.devices.family import Device
from hwgen.devices.usage import Usage
from hwgen.synthesis.place import CriticalPath, Placement

__all__ = ["Synthesis", "fits"]

FORMAT = "hwgen synthesis 1"


@dataclass(frozen=True)
class Synthesis:
    """An accelerator mapped to a device, and placed and routed where that was asked for.

    Parameters
    ----------
    target : str
        Name of the board or device.
    device : Device
    accelerator, harness : Usage
        What the accelerator itself takes, and what stands around it: shift registers, or the link of a board.
    clock_mhz : float
        The clock aimed at.
    ii : int
        Cycles from one frame to the next.
    placements : tuple of Placement
        One for each seed that succeeded, the best first; empty without place-and-route.
    failed_seeds : tuple of int
        Seeds with which place-and-route failed.
    seconds : dict
        Step -> seconds.
    tools : dict
        Program -> version.
    notes : tuple of str
    key : str
        Hash of everything that the result depends on.
    baud : int or None
        Rate of the board's serial port, or the highest of its SPI; None out of context.
    link : str or None
        "uart" or "spi"; None out of context.
    bitstream : str or None
        Name of its file, where there is one.
    flash_offset : int or None
        Where that file has the image of the memories, if the board loads them from its flash.
    estimated : Usage or None
        What the accelerator was estimated to take, without carries; None: there is no model of the family.
    """

    target: str
    device: Device
    accelerator: Usage
    harness: Usage
    clock_mhz: float
    ii: int
    placements: tuple[Placement, ...]
    failed_seeds: tuple[int, ...]
    seconds: dict[str, float]
    tools: dict[str, str]
    notes: tuple[str, ...]
    key: str
    baud: int | None = None
    link: str | None = None
    bitstream: str | None = None
    flash_offset: int | None = None
    estimated: Usage | None = None

    @property
    def best(self) -> Placement | None:
        """The fastest placement."""
        return self.placements[0] if self.placements else None

    def facts(self) -> dict[str, Any]:
        """Give everything as JSON types: the contents of result.json."""
        best = self.best
        device = {"name": self.device.name, "part": self.device.part, "package": self.device.package}
        facts: dict[str, Any] = {
            "format": FORMAT,
            "target": self.target,
            "device": device | {"speed": self.device.speed},
            "out_of_context": self.baud is None,
            "resources": asdict(self.accelerator),
            "harness": asdict(self.harness),
            "estimated": None if self.estimated is None else _without_carries(self.estimated),
            "available": {
                name: amount for name, (_, amount) in _rows(self.accelerator, self.device).items() if amount is not None
            },
            "fits": fits(self.accelerator, self.harness, self.device),
            "clock_goal_mhz": self.clock_mhz,
            "fmax_mhz": None,
            "clock_met": None,
        }
        if best is not None:
            facts |= {
                "fmax_mhz": best.slowest_mhz,
                "clock_met": best.slowest_mhz >= self.clock_mhz,
                "clocks": {name: {"fmax_mhz": mhz, "goal_mhz": self.clock_mhz} for name, mhz in best.fmax_mhz.items()},
                "ii": self.ii,
                "frames_per_second_at_fmax": round(best.slowest_mhz * 1e6 / self.ii, 1),
                "seed": best.seed,
                "seeds": {str(one.seed): one.slowest_mhz for one in sorted(self.placements, key=lambda one: one.seed)},
                "failed_seeds": list(self.failed_seeds),
                "packed": {kind: {"used": used, "available": of} for kind, (used, of) in best.utilization.items()},
                "critical_path": None if best.path is None else _path_facts(best.path),
            }
        if self.baud is not None:
            facts |= {"link": self.link, "baud": self.baud}
            facts |= {"bitstream": self.bitstream, "flash_offset": self.flash_offset}
        return facts | {
            "seconds": self.seconds,
            "tools": self.tools,
            "notes": list(self.notes),
            "key": self.key,
        }


def _without_carries(usage: Usage) -> dict[str, float]:
    return {name: amount for name, amount in asdict(usage).items() if name != "carries"}


def fits(accelerator: Usage, harness: Usage, device: Device) -> bool:
    """Tell whether the cells are no more than the device has; packing and routing may still fail."""
    return (
        accelerator.luts + harness.luts <= device.luts
        and accelerator.ffs + harness.ffs <= device.ffs
        and accelerator.brams + harness.brams <= device.bram_blocks
        and accelerator.sprams + harness.sprams <= device.spram_blocks
        and accelerator.dsps + harness.dsps <= device.dsps
    )


def _rows(used: Usage, device: Device) -> dict[str, tuple[float, int | None]]:
    """Give resource -> (used, available); None where cells and budget are counted in different units."""
    available = {
        "luts": device.luts,
        "ffs": device.ffs,
        "brams": device.bram_blocks,
        "sprams": device.spram_blocks,
        "dsps": device.dsps,
    }
    return {name: (amount, available.get(name)) for name, amount in asdict(used).items()}


def _path_facts(path: CriticalPath) -> dict[str, Any]:
    return {
        "delay_ns": round(path.delay_ns, 3),
        "routing_ns": round(path.routing_ns, 3),
        "levels": path.levels,
        "from": path.segments[0].cell,
        "to": path.segments[-1].cell,
        "units": list(path.units),
        "segments": [asdict(segment) for segment in path.segments],
    }
