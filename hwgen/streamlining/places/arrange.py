"""Maps whose elements a reader takes in other places: by crops, selections and repetitions, else by a memory, as the places tell.

A reader says which element of the map it takes at each place of the map that it wants. What moved them (Slice, Split, Gather, Resize,
Expand, DepthToSpace, a channel shuffle, any order of these) does not matter.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from hwgen.errors import OrderError
from hwgen.graph import Node
from hwgen.layers.crop import Crop
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.protocol import MapShape
from hwgen.layers.reshape import Reshape
from hwgen.layers.select import Select
from hwgen.layers.upsample import Upsample
from hwgen.layers.window import Window
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.functions.signal import Codes, coordinates_of, flat_map
from hwgen.streamlining.places.reorder import reordered

__all__ = ["arranged", "channel_order", "default_layout", "places_of", "seen_as"]


def places_of(index: np.ndarray) -> np.ndarray:
    """See a tensor (1, ...) as a map: channels on axis 1 and up to two axes behind it, or a vector."""
    if index.ndim == 4:
        return index[0].transpose(1, 2, 0)
    if index.ndim == 3:
        return index[0].T[None]
    return index.reshape(1, 1, -1)


def channel_order(places: np.ndarray, shape: MapShape) -> np.ndarray | None:
    """Give the channel of the map at each channel of the places, if these are the map but for the order of channels."""
    height, width, channels = shape
    order: np.ndarray = places[0, 0] % channels
    expected = flat_map((height, width, 1)) * channels + order
    same = places.shape == shape and len(np.unique(order)) == channels and np.array_equal(places, expected)
    return order if same else None


def arranged(codes: Codes, places: np.ndarray, node: Node, builder: Builder, *, buffered: bool = True) -> Codes:
    """Give the map that holds at each place the element of that number; writes the layers down.

    Parameters
    ----------
    codes : Codes
    places : ndarray of int64, shape (height, width, channels)
        Numbers of elements of the flattened map.
    node : Node
        The reader, named in errors.
    builder : Builder
    buffered : bool
        Whether a memory brings elements where no few layers do.

    Raises
    ------
    OrderError
        If no few layers bring the elements there, and no memory is to.
    """
    found = _direct(codes, places, builder)
    if found is None and buffered:
        return reordered(codes, places, node, builder)
    if found is None:
        raise OrderError(
            f"Node '{node.name}' ({node.op}) reads a map of {places.shape} whose elements lie on the map {codes.shape} of "
            f"'{codes.source}' in no order that crops, repetitions and choices of channels give; reshape or transpose it otherwise"
        )
    return found


def _direct(codes: Codes, places: np.ndarray, builder: Builder) -> Codes | None:
    """Choose rows, columns and channels apart from one another."""
    if np.array_equal(places, flat_map(codes.shape)):
        return codes
    if places.size == math.prod(codes.shape) and np.array_equal(places.ravel(), np.arange(places.size)):
        return seen_as(codes, (places.shape[0], places.shape[1], places.shape[2]), builder)
    if (
        codes.shape[:2] == (1, 1)
        and places.shape[:2] != (1, 1)
        and len(np.unique(places)) == codes.shape[2] == places.size
    ):
        return _direct(_chosen(codes, places.ravel(), builder), np.arange(places.size).reshape(places.shape), builder)
    y, x, c = coordinates_of(places, codes.shape)
    rows, columns, channels = y[:, :1, :1], x[:1, :, :1], c[:1, :1, :]
    if not (np.all(y == rows) and np.all(x == columns) and np.all(c == channels)):
        return None
    down, across = _axis(rows.ravel()), _axis(columns.ravel())
    if down is None or across is None:
        return None
    (top, bottom, step_y, times_y), (left, right, step_x, times_x) = down, across
    if (top, left, bottom, right) != (0, 0, *codes.shape[:2]):
        crop = Crop(builder.name("crop"), codes.source, codes.shape, codes.type, (top, left, bottom, right))
        codes = replace(codes, source=builder.add(crop), shape=crop.out_shape)
    codes = _chosen(codes, channels.ravel(), builder)
    if (step_y, step_x) != (1, 1):
        window = Window((1, 1), (step_y, step_x))
        pool = MaxPool(
            builder.name("subsample"), codes.source, codes.shape, codes.type, window, (False,) * codes.shape[2]
        )
        codes = replace(codes, source=builder.add(pool), shape=pool.out_shape)
    if (times_y, times_x) != (1, 1):
        upsample = Upsample(builder.name("upsample"), codes.source, codes.shape, codes.type, (times_y, times_x))
        codes = replace(codes, source=builder.add(upsample), shape=upsample.out_shape)
    return codes


def seen_as(codes: Codes, shape: MapShape, builder: Builder) -> Codes | None:
    """See the same order of codes as another map; None if its channels then had different scales from pixel to pixel."""
    scale, offset = (
        np.broadcast_to(part, codes.shape).reshape(shape).reshape(-1, shape[2]) for part in (codes.scale, codes.offset)
    )
    if np.any(scale != scale[0]) or np.any(offset != offset[0]):
        return None
    layer = Reshape(builder.name("reshape"), codes.source, codes.shape, codes.type, shape)
    return Codes(builder.add(layer), shape, codes.type, scale[0], offset[0], held=codes.held)


def _axis(numbers: np.ndarray) -> tuple[int, int, int, int] | None:
    """Write rising numbers as first, one past the last, step, and how often each is repeated; None if they are not so."""
    times = int(np.argmax(numbers != numbers[0])) or len(numbers)
    if len(numbers) % times or np.any(numbers.reshape(-1, times) != numbers[::times, None]):
        return None
    kept = numbers[::times]
    steps = np.diff(kept)
    step = int(steps[0]) if len(steps) else 1
    if step < 1 or np.any(steps != step):
        return None
    return int(kept[0]), int(kept[-1]) + 1, step, times


def _chosen(codes: Codes, channels: np.ndarray, builder: Builder) -> Codes:
    if np.array_equal(channels, np.arange(codes.shape[2])):
        return codes
    select = Select(builder.name("select"), codes.source, codes.shape, codes.type, tuple(map(int, channels)))
    reach = codes.reach and replace(
        codes.reach,
        low=codes.reach.low[:, channels],
        step=codes.reach.step[:, channels],
        count=codes.reach.count[:, channels],
    )
    scale, offset = codes.scale[channels], codes.offset[channels]
    return Codes(builder.add(select), select.out_shape, codes.type, scale, offset, reach, codes.held)


def default_layout(shape: tuple[int, ...]) -> tuple[np.ndarray, MapShape]:
    """Lay a tensor (1, ...) out as a map with the channels on axis 1; give the index, and the map's shape."""
    places = places_of(np.arange(math.prod(shape)).reshape(shape))
    index = np.empty(places.size, dtype=np.int64)
    index[places.ravel()] = np.arange(places.size)
    height, width, channels = places.shape
    return index.reshape(shape), (height, width, channels)
