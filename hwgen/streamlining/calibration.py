"""Ranges of real numbers from data, and what they are worth: saturation, and agreement with the float model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from hwgen.arrays import codec
from hwgen.conversion import Conversion
from hwgen.errors import DataError
from hwgen.graph import Graph
from hwgen.layers.segments import Segments
from hwgen.network import InputPort, Network
from hwgen.operators import evaluate

__all__ = ["calibrated"]

Ranges = tuple[tuple[str, float, float], ...]
"""As in `Conversion`."""

FRAMES = 16
"""Frames evaluated at once."""


def calibrated(
    graph: Graph, x: codec.Inputs, conversion: Conversion, network: Callable[[Conversion], Network]
) -> Network:
    """Give the network whose streams of real numbers have the ranges that data show.

    Its notes say how many numbers saturate, and how well the integers agree with the float model before, with every range as large
    as can be reached, and after.

    Parameters
    ----------
    graph : Graph
    x : ndarray, shape (frames, ...), or mapping of str to ndarray
        Frames in the model's own units; integers are codes; of several inputs each by its name.
    conversion : Conversion
    network : callable
        Turns the graph into a network.

    Raises
    ------
    DataError
        If the frames do not fit the model.
    """
    frames = x if isinstance(x, Mapping) else dict.fromkeys(graph.inputs, x)
    before = network(replace(conversion, ranges=_input_ranges(frames)))
    given = [_model_input(port, one) for port, one in zip(before.inputs, codec.by_input(before, x), strict=True)]
    before.check_frames(given)
    count, feeds = len(given[0]), {port.name: one for port, one in zip(before.inputs, given, strict=True)}
    outputs, ranges = _float_run(graph, feeds, count)
    after = network(replace(conversion, ranges=ranges))
    agreement = (
        f"Calibrated on {count} frames; agreement with the float model before, with full ranges: "
        f"{_agreement(before, feeds, outputs)}; after: {_agreement(after, feeds, outputs)}"
    )
    return replace(after, notes=(*after.notes, agreement, *_saturation(after, feeds)))


def _input_ranges(frames: Mapping[str, np.ndarray]) -> Ranges:
    """Give the ranges of the inputs whose frames are real numbers."""
    ranges = []
    for name, x in frames.items():
        if np.issubdtype(x.dtype, np.integer):
            continue
        endless = np.argwhere(~np.isfinite(x))
        if len(endless):
            index = tuple(endless[0].tolist())
            raise DataError(
                f"The calibration frames of input '{name}' hold {x[index]:g} at {index}; every value must be finite"
            )
        ranges.append((name, float(x.min()), float(x.max())))
    return tuple(ranges)


def _model_input(port: InputPort, x: np.ndarray) -> np.ndarray:
    """Give what the float model is fed with."""
    shape = (len(x), *port.onnx_shape)
    if x.shape != shape:
        raise DataError(
            f"The calibration frames must have shape (frames, {', '.join(map(str, port.onnx_shape))}), not {x.shape}"
        )
    if np.issubdtype(x.dtype, np.integer) and port.steps is None:
        return np.asarray(x * port.scale + port.offset, dtype=np.float32)
    return x.astype(np.float32)


@dataclass
class _Range:
    """Least and greatest value so far."""

    low: float = np.inf
    high: float = -np.inf

    def take(self, array: np.ndarray) -> None:
        """Widen the range by what an array holds."""
        self.low, self.high = min(self.low, float(array.min())), max(self.high, float(array.max()))


def _float_run(graph: Graph, feeds: Mapping[str, np.ndarray], count: int) -> tuple[Mapping[str, np.ndarray], Ranges]:
    """Run the float model; give its outputs, and the range of every tensor."""
    ranges: dict[str, _Range] = {}
    outputs: dict[str, list[np.ndarray]] = {name: [] for name in graph.outputs}
    feeds = {name: _as_declared(x, graph.values[name].dtype) for name, x in feeds.items()}
    unread = {name: graph.values[name] for name in graph.inputs if name not in feeds}
    for first in range(0, count, FRAMES):
        part = {name: x[first : first + FRAMES] for name, x in feeds.items()}
        size = min(FRAMES, count - first)
        zeros = {name: np.zeros([axis or size for axis in one.shape], one.dtype) for name, one in unread.items()}
        values = evaluate.run(graph, part | zeros)
        for name, found in outputs.items():
            found.append(values[name])
        for name in graph.values:
            if values[name].dtype.kind == "f" and values[name].size:
                ranges.setdefault(name, _Range()).take(values[name])
    arrays = {name: np.concatenate(found) for name, found in outputs.items()}
    return arrays, tuple((name, one.low, one.high) for name, one in ranges.items())


def _as_declared(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Give frames in an input's dtype; ids are whole numbers."""
    return np.rint(x).astype(dtype) if dtype.kind in "iub" else x


def _agreement(network: Network, feeds: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> str:
    """Say how near the integers are to the float model."""
    maps = network.golden_maps(*codec.input_codes(network, feeds))
    return "; ".join(
        (f"'{port.name}' " if len(maps) > 1 else "")
        + _distance(codec.from_codes(network, codes, port), outputs[port.name])
        for port, codes in zip(network.outputs, maps, strict=True)
    )


def _distance(found: np.ndarray, outputs: np.ndarray) -> str:
    """Say how far two outputs are apart."""
    off = float(np.max(np.abs(found.astype(np.float64) - outputs)))
    text = f"off by at most {off:.3g} of {float(np.max(np.abs(outputs))):.3g}"
    if outputs.ndim == 2 and outputs.shape[1] > 1:
        same = int(np.sum(found.argmax(axis=1) == outputs.argmax(axis=1)))
        text += f", {same} of {len(outputs)} frames ranked first alike"
    return text


def _saturation(network: Network, feeds: Mapping[str, np.ndarray]) -> list[str]:
    """Count the numbers that streams of fixed point clip."""
    counts: dict[str, tuple[int, int]] = {}

    def counting(layer: Segments) -> Callable[[np.ndarray], np.ndarray]:
        def golden(x: np.ndarray) -> np.ndarray:
            wide = layer.unclipped(x)
            clipped = (wide < layer.out_type.low) | (wide > layer.out_type.high)
            counts[layer.name] = (int(np.sum(clipped)), wide.size)
            return layer.golden(x)

        return golden

    steps = {layer.name: counting(layer) if isinstance(layer, Segments) else layer.golden for layer in network.layers}
    network.evaluate(network.checked_codes(*codec.input_codes(network, feeds)), steps)
    return [
        f"'{name}' saturates {clipped} of {total} numbers of the calibration frames"
        for name, (clipped, total) in counts.items()
    ]
