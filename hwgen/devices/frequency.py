"""Clock rates that people write: positive, and of this world."""

from __future__ import annotations

from typing import Any

from hwgen.errors import OptionError

__all__ = ["LEAST_MHZ", "MOST_MHZ", "check_mhz"]

LEAST_MHZ = 0.001
MOST_MHZ = 2000.0
"""Beyond what any FPGA's clock network carries; who writes more has written hertz."""


def check_mhz(value: Any, what: str = "The clock") -> float:
    """Give a clock rate, or refuse what is none.

    Parameters
    ----------
    value : any
        As a file or a caller says it.
    what : str
        What errors call it.

    Raises
    ------
    OptionError
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not LEAST_MHZ <= value <= MOST_MHZ:
        shown = f"{value:g}" if is_number and abs(value) < 1e300 else repr(value)
        raise OptionError(
            f"{what} must be a positive number of MHz, from {LEAST_MHZ:g} to {MOST_MHZ:g}, not {shown[:20]}"
        )
    return float(value)
