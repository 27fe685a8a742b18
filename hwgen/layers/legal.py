"""Legal numbers of lanes: divisors, and the sentence that refuses anything else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.activation import Positions
from hwgen.errors import OptionError
from hwgen.fold import Fold, MemoryStyle, WindowStyle

__all__ = [
    "check_divides",
    "check_memory",
    "check_no_columns",
    "check_no_window",
    "check_positions",
    "check_same_lanes",
    "check_slots",
    "check_tables",
    "divisors",
]


def divisors(total: int) -> Iterator[int]:
    """Give the divisors of a positive number, rising."""
    return (number for number in range(1, total + 1) if total % number == 0)


def check_divides(kind: str, value: int, total: int, what: str, layer: str) -> None:
    """Refuse a number of lanes that does not divide the work.

    Raises
    ------
    OptionError
        With the nearest legal values, as in "PE must divide 64 output channels, not 48 (layer 'conv3'): use 32 or 64".
    """
    if value >= 1 and total % value == 0:
        return
    legal = list(divisors(total))
    below = max((number for number in legal if number < value), default=legal[0])
    above = min((number for number in legal if number > value), default=legal[-1])
    nearest = f"{below}" if below == above else f"{below} or {above}"
    raise OptionError(f"{kind} must divide {total} {what}, not {value} (layer '{layer}'): use {nearest}")


def check_slots(fold: Fold, layer: str) -> None:
    """Refuse an output FIFO without a slot.

    Raises
    ------
    OptionError
        Naming the layer.
    """
    if fold.slots is not None and fold.slots < 1:
        raise OptionError(f"Layer '{layer}' needs at least 1 slot in its output FIFO, not {fold.slots}")


def check_positions(positions: Positions, height: int, width: int, layer: str) -> None:
    """Refuse classes of positions that are not those of the layer's map.

    Raises
    ------
    ValueError
        Naming the layer and both sizes.
    """
    covered = len(positions.rows), len(positions.columns)
    if covered != (height, width):
        raise ValueError(
            f"Layer '{layer}': positions cover {covered[0]} x {covered[1]}, but the map has {height} x {width}"
        )


def check_same_lanes(fold: Fold, layer: str) -> None:
    """Refuse a folding that has no meaning for a layer that gives the channels that it takes, tap by tap.

    Raises
    ------
    OptionError
        If PE is not SIMD, or the window is parallel.
    """
    if fold.pe != fold.simd:
        raise OptionError(f"PE and SIMD must be the same, not {fold.pe} and {fold.simd} (layer '{layer}')")
    if fold.window is WindowStyle.PARALLEL:
        raise OptionError(f"Layer '{layer}' takes a sequential window, not a parallel one")


def check_no_columns(fold: Fold, layer: str) -> None:
    """Refuse a folding that has no meaning for a layer without columns and window, or a memory that is none for its tables.

    Raises
    ------
    OptionError
        Naming the layer.
    """
    if fold.simd != 1:
        raise OptionError(f"SIMD must be 1, not {fold.simd}, as layer '{layer}' has no columns to fold")
    check_no_window(fold, layer)
    check_slots(fold, layer)
    check_tables(fold, layer)


def check_no_window(fold: Fold, layer: str) -> None:
    """Refuse a parallel window of a layer that has none.

    Raises
    ------
    OptionError
        Naming the layer.
    """
    if fold.window is WindowStyle.PARALLEL:
        raise OptionError(f"Layer '{layer}' has no window to hand over in parallel")


def check_memory(fold: Fold, weights: np.ndarray, words: int, layer: str) -> None:
    """Refuse a memory style that cannot hold a layer's weights, or weights that a writable layer was not made for.

    Raises
    ------
    OptionError
        Naming the layer.
    """
    check_tables(fold, layer, spram=True)
    if fold.memory is MemoryStyle.SPRAM and words == 1:
        raise OptionError(f"Layer '{layer}' computes all at once and has no memory for SPRAM; use a smaller PE or SIMD")
    if fold.weights is not None and not fold.weights.contains(weights):
        raise OptionError(
            f"Layer '{layer}' is made for weights of type {fold.weights}, but these are {weights.min()}..{weights.max()}"
        )


def check_tables(fold: Fold, layer: str, *, spram: bool = False) -> None:
    """Refuse constants that shall be written, and SPRAM for what cannot be in it or is never written.

    Raises
    ------
    OptionError
        Naming the layer.
    """
    if fold.writable and fold.memory is MemoryStyle.CONSTANT:
        raise OptionError(f"Layer '{layer}' cannot be writable with its memory 'constant'; choose another memory")
    if fold.memory is not MemoryStyle.SPRAM:
        return
    if not spram:
        raise OptionError(f"Layer '{layer}' has no weights for SPRAM; choose another memory")
    if not fold.writable:
        raise OptionError(f"Layer '{layer}' must be writable to be in SPRAM, which starts with no contents")
