"""What a plan shall reach, as a user says it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from hwgen.errors import OptionError
from hwgen.folding.file import folding_from_json
from hwgen.folding.goals import fold_for_area, fold_for_luts, fold_for_rate, fold_for_throughput
from hwgen.network import Network
from hwgen.plan import Plan

__all__ = ["DEFAULT_CLOCK_MHZ", "Target", "read_text"]

DEFAULT_CLOCK_MHZ = 100.0


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

    Raises
    ------
    OptionError
        If two goals are given, or a number is not positive.
    """

    target_fps: float | None = None
    clock_mhz: float | None = None
    max_throughput: bool = False
    min_area: bool = False
    folding_file: str | Path | None = None
    board: str | None = None

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
        for value, what in ((self.target_fps, "frames a second"), (self.clock_mhz, "MHz")):
            if value is not None and not 0 < value < math.inf:
                raise OptionError(f"The target must be a positive number of {what}, not {value:g}")

    def fold(self, network: Network) -> Plan:
        """Choose the foldings of a network; FIFOs are left open.

        Raises
        ------
        OptionError
            If the target is out of reach, or the folding file is wrong.
        """
        if self.folding_file is not None:
            return folding_from_json(network, read_text(self.folding_file), source=f"'{self.folding_file}'")
        clock_hz = (DEFAULT_CLOCK_MHZ if self.clock_mhz is None else self.clock_mhz) * 1e6
        if self.target_fps is not None:
            return fold_for_rate(network, frames_per_second=self.target_fps, clock_hz=clock_hz)
        if self.max_throughput:
            return fold_for_throughput(network, clock_hz=clock_hz)
        if self.min_area:
            return fold_for_area(network, clock_hz=clock_hz)
        return fold_for_luts(network, clock_hz=clock_hz)


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
