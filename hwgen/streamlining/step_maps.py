"""A network whose layers are being replaced, and its maps seen as the steps of a sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from hwgen.codes import CodeType
from hwgen.layers.concat import COLUMNS, Concat
from hwgen.layers.conv import Conv
from hwgen.layers.crop import Crop
from hwgen.layers.dense import Dense
from hwgen.layers.protocol import Layer, MapShape, sources_of
from hwgen.layers.reorder import Reorder
from hwgen.layers.reshape import Reshape
from hwgen.layers.thresholding import Thresholding
from hwgen.layers.window import Window
from hwgen.streamlining.recurrences import alike

__all__ = ["Map", "StepMaps"]

Map = tuple[MapShape, CodeType]


class StepMaps:
    """The layers of a network by their names.

    Parameters
    ----------
    layers : sequence of Layer
    inputs : mapping
        Shape and type of what the network takes.
    name : callable
        Gives a layer a name that no other has.
    """

    def __init__(self, layers: Sequence[Layer], inputs: Mapping[str, Map], name: Callable[[str], str]) -> None:
        self.known = {layer.name: layer for layer in layers}
        self.inputs, self.name = inputs, name

    def map_of(self, name: str) -> Map:
        """Give shape and type of what a layer or input yields."""
        layer = self.known.get(name)
        return self.inputs[name] if layer is None else (layer.out_shape, layer.out_type)

    def step_map(self, names: Sequence[str]) -> str | None:
        """Give a map of which each step reads a pixel: step t pixel t; None if there is none.

        Parameters
        ----------
        names : sequence of str
            What each step reads: pixels of a map, or products of these with one matrix.
        """
        layers = [self.known.get(name) for name in names]
        products = [layer for layer in layers if isinstance(layer, Dense)]
        if len(products) < len(layers) or len({alike(layer) for layer in products}) > 1:
            return self._joined(names)
        if products[0].thresholds is not None:
            return None
        pixels = [self._pixel(layer.source) for layer in products]
        sources = {pixel[0] for pixel in pixels if pixel}
        if len(sources) > 1 or None in pixels:
            row = self._joined([layer.source for layer in products])
            return row and self._products(row, products[0])
        whole = self._products(next(iter(sources)), products[0])
        return self._row([pixel and (whole, pixel[1]) for pixel in pixels])

    def _joined(self, names: Sequence[str]) -> str | None:
        """Give a row of pixels: those of one map as they follow one another, or several such rows and other maps of a pixel side by side."""
        pixels = [self._pixel(name) for name in names]
        whole = self._row(pixels)
        if whole is not None:
            return whole
        maps = {self.map_of(name) for name in names}
        if len(maps) > 1 or next(iter(maps))[0][:2] != (1, 1):
            return None
        parts, begin = [], 0
        while begin < len(names):
            end = begin + 2
            while end <= len(names) and self._follow(pixels[begin:end]):
                end += 1
            end -= 1
            row = self._row(pixels[begin:end]) if end > begin + 1 else names[begin]
            parts += [row] if row else []
            begin = end
        shapes, kinds = zip(*(self.map_of(part) for part in parts), strict=True)
        return self.added(Concat(self.name("concat"), tuple(parts), shapes, kinds, kinds[0], COLUMNS))

    @staticmethod
    def _follow(pixels: Sequence[tuple[str, int] | None]) -> bool:
        """Whether all are of one map, one behind the other in either direction."""
        places = [pixel[1] for pixel in pixels if pixel]
        sources = {pixel[0] for pixel in pixels if pixel}
        return len(places) == len(pixels) and len(sources) == 1 and set(np.diff(places).tolist()) in ({1}, {-1})

    def _pixel(self, name: str) -> tuple[str, int] | None:
        """Give of which map a tensor is a pixel, and which in raster order."""
        layer = self.known.get(name)
        if not isinstance(layer, Crop) or layer.out_shape[:2] != (1, 1):
            return None
        return layer.source, layer.window[0] * layer.in_shape[1] + layer.window[1]

    def _row(self, pixels: Sequence[tuple[str, int] | None]) -> str | None:
        """Give a row of the pixels of a map that follow one another, or stand the other way round."""
        known = [pixel for pixel in pixels if pixel]
        if not self._follow(pixels):
            return None
        source, places = known[0][0], [place for _, place in known]
        (height, width, channels), kind = self.map_of(source)
        row = (1, height * width, channels)
        if places[1] < places[0]:
            order = np.array(places)[:, None] * channels + np.arange(channels)
            shape = (1, len(places), channels)
            name = self.name("reorder")
            return self.added(Reorder(name, source, (height, width, channels), kind, shape, order.ravel()))
        if height > 1:
            source = self.added(Reshape(self.name("reshape"), source, (height, width, channels), kind, row))
        if len(places) == row[1]:
            return source
        return self.added(Crop(self.name("crop"), source, row, kind, (0, places[0], 1, places[-1] + 1)))

    def _products(self, source: str, dense: Dense) -> str:
        """Multiply every pixel of a map, also those that no step reads but a layer of the same weights."""
        shape, kind = self.map_of(source)
        weights = dense.weights.reshape(dense.rows, 1, 1, -1)
        name = self.name(f"{dense.name}_steps")
        conv = Conv(name, source, shape, kind, weights, Window((1, 1)), 0, None, dense.out_type)
        whole = self.added(conv)
        for other in list(self.known.values()):
            pixel = self._pixel(other.source) if isinstance(other, Dense) else None
            if isinstance(other, Dense) and pixel and pixel[0] == source and other.rows == dense.rows:
                self._share(other, dense, whole, conv, pixel[1])
        return whole

    def _share(self, other: Dense, dense: Dense, whole: str, conv: Conv, place: int) -> None:
        """Let a layer of the same rows, or the negatives of some, take its sums from the products of all pixels."""
        negate = np.all(other.weights == -dense.weights, axis=1)
        if not np.all(negate | np.all(other.weights == dense.weights, axis=1)):
            return
        row, column = divmod(place, conv.out_shape[1])
        window, shape = (row, column, row + 1, column + 1), (1, 1, dense.rows)
        if other.thresholds is None:
            if other.out_type == conv.out_type and not np.any(negate):
                self.known[other.name] = Crop(other.name, whole, conv.out_shape, conv.out_type, window)
            return
        sums = self.added(Crop(self.name("crop"), whole, conv.out_shape, conv.out_type, window))
        turned = tuple(bool(each) for each in negate)
        levels = other.thresholds
        self.known[other.name] = Thresholding(other.name, sums, shape, conv.out_type, levels, turned, other.out_type)

    def added(self, layer: Layer) -> str:
        """Put a layer in, unless there is one that does the same."""
        for other in self.known.values():
            if type(other) is type(layer) and sources_of(other) == sources_of(layer) and alike(other) == alike(layer):
                return other.name
        self.known[layer.name] = layer
        return layer.name

    def in_order(self, wanted: Iterable[str]) -> tuple[Layer, ...]:
        """Give the layers that something reads, each behind those that it reads."""
        order: dict[str, Layer] = {}
        read, waiting = set(wanted), list(wanted)
        while waiting:
            name = waiting.pop()
            more = (
                [source for source in sources_of(self.known[name]) if source not in read] if name in self.known else []
            )
            read |= set(more)
            waiting += more
        left = [layer for name, layer in self.known.items() if name in read]
        while left:
            ready = [
                layer for layer in left if all(source in order or source in self.inputs for source in sources_of(layer))
            ]
            order |= {layer.name: layer for layer in ready}
            left = [layer for layer in left if layer.name not in order]
        return tuple(order.values())
