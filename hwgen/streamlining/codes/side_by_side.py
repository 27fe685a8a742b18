"""Integers for numbers that stand side by side: one scale for maps that share channels, and codes for constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwgen.activation import Positions
from hwgen.codes import CodeType
from hwgen.graph import Node
from hwgen.layers.segments import Segments
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.fixed import step_of
from hwgen.streamlining.functions.scales import COMMON, SMALL, common_unit
from hwgen.streamlining.functions.signal import Codes

__all__ = ["Level", "Part", "levelled", "own_codes"]

Part = Codes | np.ndarray
"""A map of codes, or a constant map of numbers (height, width, channels)."""

FINEST = 16
"""Parts of a step of the maps in which constants may be counted exactly."""

FLOAT = 2.0**-21
"""Relative distance within which a constant in float32 is the number that it stands for."""

WIDEST = 24
"""Bits of codes that are only brought to another scale."""


@dataclass(frozen=True, eq=False)
class Level:
    """Maps, and constants as codes, with the scale and offset of each channel: of one scale, or channel after channel.

    Parameters
    ----------
    parts : list of Codes and ndarray of int64
    scale, offset : ndarray of float64, shape (channels,)
    off : float
        Codes that a constant is rounded by at most.
    """

    parts: list[Part]
    scale: np.ndarray
    offset: np.ndarray
    off: float


def levelled(node: Node, parts: Sequence[Part], builder: Builder) -> Level | None:
    """Bring maps and constants to one scale and offset for each channel; None if the maps' scales have no small ratios.

    Constants between the codes make the scale finer; what no few parts of a step reach is rounded, which is announced.

    Raises
    ------
    ModelError
        If a constant has to be rounded, and only exact calculation is allowed.
    """
    maps = [part for part in parts if isinstance(part, Codes)]
    unit, offset = common_unit(np.stack([codes.scale for codes in maps])), maps[0].offset
    if unit is None:
        return None
    fine = [(codes.offset - offset) / unit for codes in maps]
    if any(np.any(np.abs(part - np.rint(part)) > COMMON * np.maximum(1, np.abs(part))) for part in fine):
        return None
    constants = [part.astype(np.float64) for part in parts if isinstance(part, np.ndarray)]
    steps = _parts_of_step(constants, unit, offset)
    if steps is None:
        largest = max(float(np.max(np.abs(part))) for part in constants)
        wanted = step_of(-largest, largest, builder.conversion.fixed_bits)
        steps = 2 ** max(0, int(np.ceil(np.log2(unit.max() / wanted))))
    unit = unit / steps
    found: list[Part] = []
    off = 0.0
    for part in parts:
        if isinstance(part, np.ndarray):
            codes, rounding = _rounded(node, part, unit, offset, builder)
            found.append(codes)
            off = max(off, rounding)
            continue
        factors = np.rint(part.scale / unit).astype(np.int64)
        shifts = np.rint((part.offset - offset) / unit).astype(np.int64)
        ends = np.stack([part.type.low * factors, part.type.high * factors]) + shifts
        kind = CodeType(int(ends.min()), int(ends.max()))
        if kind.bits > max(WIDEST, part.type.bits):
            return None
        as_it_is = np.all(factors == 1) and not np.any(shifts)
        brought = part if as_it_is else _scaled(part, factors, shifts, kind, builder)
        found.append(replace(brought, scale=unit, offset=offset))
    return Level(found, unit, offset, off)


def own_codes(node: Node, parts: Sequence[Part], builder: Builder) -> Level:
    """Give constants codes of their own for each channel; the channels of all parts keep their scales.

    Raises
    ------
    ModelError
        If a constant has to be rounded, and only exact calculation is allowed.
    """
    found: list[Part] = []
    scales, offsets, off = [], [], 0.0
    (first,) = [part.scale[:1] for part in parts if isinstance(part, Codes)][:1]
    for part in parts:
        if isinstance(part, Codes):
            scale, offset = part.scale, part.offset
            found.append(part)
        else:
            values = part.astype(np.float64).reshape(-1, part.shape[2])
            # One number everywhere that nothing else is counted in is a constant of whatever reads it.
            alone = (np.ptp(values, axis=0) == 0) & np.array([not _fits(number, first) for number in values[0]])
            offset = np.where(alone, values[0], 0.0)
            step = step_of(float(min(values.min(), 0)), float(values.max()), builder.conversion.fixed_bits)
            units = np.array([_unit(channel) or step for channel in values.T])
            scale = np.where(alone, np.abs(first[0]) or 1.0, units)
            codes, rounding = _rounded(node, part, scale, offset, builder)
            found.append(codes)
            off = max(off, rounding)
        scales.append(scale)
        offsets.append(offset)
    return Level(found, np.concatenate(scales), np.concatenate(offsets), off)


def _fits(number: float, scale: np.ndarray) -> bool:
    """Whether a number and a scale have a ratio of small integers."""
    return common_unit(np.array([[number], scale])) is not None


def _unit(numbers: np.ndarray) -> float | None:
    """Give the greatest number of which all are small multiples, as float32 holds them; None if there is none."""
    different = np.unique(numbers)
    largest = float(np.max(np.abs(different)))
    if largest == 0:
        return 1.0
    multiples = different[:, None] / largest * np.arange(1, SMALL + 1)
    whole = np.all(np.abs(multiples - np.rint(multiples)) <= FLOAT * np.maximum(1, np.abs(multiples)), axis=0)
    return largest / (1 + int(np.argmax(whole))) if np.any(whole) else None


def _parts_of_step(constants: Sequence[np.ndarray], unit: np.ndarray, offset: np.ndarray) -> int | None:
    """Give the least number of parts of a step in which all constants are whole; None if there is none."""
    for parts in range(1, FINEST + 1):
        codes = [(part - offset) / unit * parts for part in constants]
        if all(np.all(np.abs(one - np.rint(one)) <= FLOAT * np.maximum(1, np.abs(one))) for one in codes):
            return parts
    return None


def _rounded(
    node: Node, constant: np.ndarray, scale: np.ndarray, offset: np.ndarray, builder: Builder
) -> tuple[np.ndarray, float]:
    """Give a constant's codes, and how many codes they are off at most, which a note says."""
    values = constant.astype(np.float64)
    codes = np.rint((values - offset) / scale).astype(np.int64)
    off = np.abs(codes * scale + offset - values)
    if not np.any(off > FLOAT * np.maximum(np.abs(values), scale)):
        return codes, 0.0
    builder.allow_rounding(node, "joins a constant of real numbers")
    builder.note(
        f"The constant that '{node.name}' joins is rounded to steps of {scale.max():.3g}: off by at most {off.max():.3g}"
    )
    return codes, float(np.max(off / scale))


def _scaled(codes: Codes, factors: np.ndarray, shifts: np.ndarray, kind: CodeType, builder: Builder) -> Codes:
    """Multiply codes by an integer, and add one, for each channel."""
    lines = factors[None, :, None]
    layer = Segments(
        builder.name("scaled"),
        codes.source,
        codes.shape,
        codes.type,
        lines[..., :0],
        lines,
        shifts[None, :, None],
        0,
        kind,
        Positions.uniform(*codes.shape[:2]),
    )
    return replace(codes, source=builder.add(layer), type=kind, reach=None, held=False)
