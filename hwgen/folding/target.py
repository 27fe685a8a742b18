"""What a plan shall reach, as a user says it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from hwgen.devices.frequency import check_mhz
from hwgen.errors import OptionError
from hwgen.folding.file import folding_from_json
from hwgen.folding.for_board import fold_for_board
from hwgen.folding.goals import (
    DEFAULT_DEVICE,
    Setting,
    fold_for_area,
    fold_for_device,
    fold_for_rate,
    fold_for_throughput,
)
from hwgen.folding.writable import with_registers, writable_layers
from hwgen.network import Network
from hwgen.plan import Plan

__all__ = ["DEFAULT_CLOCK_MHZ", "Target", "read_text"]

DEFAULT_CLOCK_MHZ = 100.0

LEAST_FPS = 1e-6
"""A frame in eleven days."""


@dataclass(frozen=True)
class Target:
    """At most one goal, and a clock.

    Parameters
    ----------
    target_fps : float or None
        Frames a second.
    clock_mhz : float or None
        None: `DEFAULT_CLOCK_MHZ`, or what the folding file says.
    max_throughput, min_area : bool
        As fast, or as small, as the network allows.
    folding_file : str or Path or None
        A folding in JSON.
    board : str or None
        Board to fill; it goes with ``target_fps`` and a clock.
    device : str or None
        Device whose resources the goal counts, without a board; None: `DEFAULT_DEVICE`.

    Raises
    ------
    OptionError
        If two goals are given, a device where something else says it, or a number that is not positive.
    """

    target_fps: float | None = None
    clock_mhz: float | None = None
    max_throughput: bool = False
    min_area: bool = False
    folding_file: str | Path | None = None
    board: str | None = None
    device: str | None = None

    def __post_init__(self) -> None:
        goals = {
            "target_fps": self.target_fps is not None and self.board is None,
            "max_throughput": self.max_throughput,
            "min_area": self.min_area,
            "folding_file": self.folding_file is not None,
            "board": self.board is not None,
        }
        given = [name for name, is_given in goals.items() if is_given]
        if len(given) > 1:
            raise OptionError(f"Give one target, not {' and '.join(given)}")
        if self.folding_file is not None and self.clock_mhz is not None:
            raise OptionError("A folding file has its own clock_mhz; change it there")
        if self.folding_file is not None and self.device is not None:
            raise OptionError("A folding file has its own device; change it there")
        if self.board is not None and self.device is not None:
            raise OptionError(f"A board has its device: give board '{self.board}' or device '{self.device}'")
        if self.target_fps is not None and not LEAST_FPS <= self.target_fps < math.inf:
            raise OptionError(f"The target must be a positive number of frames a second, not {self.target_fps:g}")
        if self.clock_mhz is not None:
            check_mhz(self.clock_mhz)

    def fold(self, network: Network, *, writable: str | None = None, axi_lite: bool = False) -> Plan:
        """Choose the foldings of a network; FIFOs may be left open.

        Parameters
        ----------
        network : Network
        writable : str or None
            Layers whose memories can be written at run time: "all", or names with commas between.
        axi_lite : bool
            A register port even if nothing is writable.

        Raises
        ------
        OptionError
            If the target is out of reach, a name is unknown, or the folding file is wrong.
        """
        if self.folding_file is not None:
            plan = folding_from_json(network, read_text(self.folding_file), source=f"'{self.folding_file}'")
            return with_registers(plan, writable=writable, axi_lite=axi_lite)
        layers = writable_layers(network, writable)
        if self.board is not None:
            return fold_for_board(
                network,
                self.board,
                clock_mhz=self.clock_mhz,
                target_fps=self.target_fps,
                writable=layers,
                axi_lite=axi_lite,
            )
        clock_hz = (DEFAULT_CLOCK_MHZ if self.clock_mhz is None else self.clock_mhz) * 1e6
        setting = Setting(self.device or DEFAULT_DEVICE, clock_hz, layers, axi_lite)
        if self.target_fps is not None:
            return fold_for_rate(network, self.target_fps, setting)
        if self.max_throughput:
            return fold_for_throughput(network, setting)
        if self.min_area:
            return fold_for_area(network, setting)
        return fold_for_device(network, setting)


def read_text(path: str | Path) -> str:
    """Read a text file that the user named.

    Raises
    ------
    OptionError
        If it cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise OptionError(f"Cannot read '{path}': {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise OptionError(f"'{path}' is not a text file") from None
