"""Frames to hold a network to its file: random ones over the codes of each input, and the corners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.arrays import codec
from hwgen.graph import Value
from hwgen.network import InputPort, Network

__all__ = ["Frames", "made_frames", "user_frames"]

SEED = 11
"""Of the random frames: the same network is held to the same frames each time."""

NARROWEST = 6
"""The narrowest random frames reach over 1/2**6 of an input's range."""


@dataclass(frozen=True, eq=False)
class Frames:
    """The same frames for the file and for the golden model.

    Parameters
    ----------
    values : dict of str to ndarray
        What the file is fed with, in its own dtype and layout.
    codes : tuple of ndarray of int64
        What the network is fed with, a map for each input.
    """

    values: dict[str, np.ndarray]
    codes: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        return len(self.codes[0])

    def pick(self, chosen: np.ndarray) -> Frames:
        """Give some of the frames."""
        return Frames({name: x[chosen] for name, x in self.values.items()}, tuple(one[chosen] for one in self.codes))

    def and_then(self, more: Frames) -> Frames:
        """Give these frames, and more behind them."""
        values = {name: np.concatenate([x, more.values[name]]) for name, x in self.values.items()}
        return Frames(values, tuple(map(np.concatenate, zip(self.codes, more.codes, strict=True))))


def made_frames(network: Network, inputs: Sequence[Value], count: int) -> Frames:
    """Make frames: highest, lowest, around zero, a single highest code in a corner of the map or on its border, and random ones between them.

    Parameters
    ----------
    network : Network
    inputs : sequence of Value
        The file's inputs, with their dtypes.
    count : int
        How many; a few hold something of each kind.
    """
    random = np.random.default_rng(SEED)
    dtypes = {value.name: value.dtype for value in inputs}
    values, codes = {}, []
    for port in network.inputs:
        levels = np.stack([_frame(port, number, random) for number in range(count)])
        if port.steps is None:
            found = 2 * levels - 1 if port.type.bipolar else levels + port.type.low
            values[port.name] = as_dtype(port.scale * found + port.offset, dtypes[port.name])
        else:
            found = values[port.name] = _about_steps(port, port.steps, levels).astype(dtypes[port.name])
        codes.append(codec.to_codes(port, found))
    return Frames(values, tuple(codes))


def user_frames(network: Network, inputs: Sequence[Value], x: codec.Inputs) -> Frames:
    """Take a user's frames: numbers in the model's units, or codes.

    Raises
    ------
    DataError
        If they do not suit the network.
    """
    dtypes = {value.name: value.dtype for value in inputs}
    codes = codec.input_codes(network, x)
    values = {}
    for port, array, maps in zip(network.inputs, codec.by_input(network, x), codes, strict=True):
        array = np.asarray(array)
        if np.issubdtype(array.dtype, np.integer) and port.steps is None:
            array = port.scale * codec.input_frames(port, maps) + port.offset
        values[port.name] = as_dtype(array.reshape(len(maps), *port.onnx_shape), dtypes[port.name])
    return Frames(values, codes)


def as_dtype(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Give numbers in a dtype; whole numbers are rounded to."""
    return np.rint(array).astype(dtype) if dtype.kind in "iub" else array.astype(dtype)


def _frame(port: InputPort, number: int, random: np.random.Generator) -> np.ndarray:
    """Give frame ``number`` of an input: levels of its codes, 0 the lowest, in the layout of the file."""
    top, shape = port.type.levels - 1, port.onnx_shape
    zero = _zero(port)
    if number == 1:
        return np.full(shape, top)
    if number == 3:
        return np.zeros(shape, dtype=np.int64)
    if number == 5:
        return np.full(shape, zero)
    if number % 4 == 1:
        return _one_hot(port, number // 4 - 2, zero)
    if number % 4 in (0, 3):
        return random.integers(0, top, size=shape, endpoint=True)
    spread = max(1.0, top / 2 ** (1 + number // 4 % NARROWEST))
    return np.clip(np.rint(zero + spread * random.standard_normal(shape)), 0, top).astype(np.int64)


def _zero(port: InputPort) -> int:
    """Give the level that is nearest to the number 0."""
    if port.type.bipolar or port.steps is not None:
        return port.type.levels // 2
    return int(np.clip(round(-port.offset / port.scale) - port.type.low, 0, port.type.levels - 1))


def _one_hot(port: InputPort, number: int, zero: int) -> np.ndarray:
    """Give a frame of zeros but for one code, in the corners first, then anywhere on the border, of each channel in turn."""
    height, width, channels = port.shape
    corners = [(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1)]
    border = [(y, x) for y in range(height) for x in range(width) if y in (0, height - 1) or x in (0, width - 1)]
    y, x = (corners + border)[number % (len(corners) + len(border))]
    codes = np.full((1, *port.shape), zero)
    codes[0, y, x, number % channels] = 0 if zero > port.type.levels // 2 else port.type.levels - 1
    return codec.input_frames(port, codes)[0]


def _about_steps(port: InputPort, steps: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Give numbers for a host that quantises: at each of its steps, just below, and half way to the next."""
    finite = np.unique(steps[np.isfinite(steps)])
    if not len(finite):
        return levels
    gap = np.float32(max(np.max(np.abs(finite)), 1e-3) if len(finite) == 1 else np.max(np.diff(finite)))
    places = np.concatenate([[finite[0] - gap], finite])[np.minimum(levels, len(finite))].astype(np.float32)
    kind = (levels + np.arange(levels.size).reshape(levels.shape)) % 3
    found = np.select([kind == 0, kind == 1], [places, np.nextafter(places, np.float32(-np.inf))], places + gap / 2)
    return np.asarray(np.float32(port.direction) * found)
