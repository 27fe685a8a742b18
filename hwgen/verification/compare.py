"""Hold what a network yields to what the file yields, tensor by tensor where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwgen.arrays import codec
from hwgen.arrays.expected import EXPECTED_ROUNDING, meant, meant_between
from hwgen.conversion import Trace
from hwgen.network import Network, OutputPort
from hwgen.verification.bounds import Interval
from hwgen.verification.record import Difference

__all__ = ["OutputCheck", "TensorCheck", "all_maps", "check_outputs", "check_tensors"]

DOUBLE = 2.0**-30
"""How much less float64 is off than float32 may be: what remains where an announced network yields zeros."""


@dataclass(frozen=True, eq=False)
class OutputCheck:
    """An output of the file beside what the golden model makes of it.

    Parameters
    ----------
    port : OutputPort
    file, golden : ndarray of float64, shape (frames, *port.onnx_shape)
    low, high : ndarray of float64, same shape
        Between which numbers announced roundings leave the file's; ``golden`` itself where there are none.
    slack : ndarray of float64, same shape
        How far float32 may be off.
    """

    port: OutputPort
    file: np.ndarray
    golden: np.ndarray
    low: np.ndarray
    high: np.ndarray
    slack: np.ndarray

    @property
    def differs(self) -> np.ndarray:
        """Whether each number differs by more than what is announced and float32's rounding; two that are no numbers do not."""
        with np.errstate(invalid="ignore"):
            within = (self.file >= self.low - self.slack) & (self.file <= self.high + self.slack)
        return np.asarray(~within & ~(np.isnan(self.file) & np.isnan(self.golden)))

    @property
    def frames(self) -> np.ndarray:
        """Whether each frame differs somewhere."""
        return np.any(self.differs.reshape(len(self.file), -1), axis=1)

    @property
    def bound(self) -> float:
        """How far announced roundings may put a number of these frames off."""
        return float(np.max(np.maximum(self.high - self.golden, self.golden - self.low), initial=0.0))

    def equal(self, largest: float = np.inf) -> bool:
        """Whether no number is off by more than float32's rounding, where no number on the way to it is larger than that.

        What could come out of a network that rounds may be many times what does, and its rounding is none of the file's.
        """
        return bool(np.all(np.abs(self.file - self.golden) <= np.minimum(self.slack, EXPECTED_ROUNDING * largest)))

    def share(self, kept: np.ndarray) -> float:
        """How far the numbers of some frames are off, as a share of how far the file's go: root mean squares of both."""
        off, file = (np.nan_to_num(x) for x in (self.file - self.golden, self.file))
        size = float(np.sqrt(np.mean((file - file.mean(axis=0)) ** 2))) or float(np.sqrt(np.mean(file**2)))
        return float(np.sqrt(np.mean(off[kept] ** 2))) / size if size and np.any(kept) else 0.0


def check_outputs(
    network: Network,
    maps: Mapping[str, np.ndarray],
    bounds: Mapping[str, Interval],
    found: Mapping[str, np.ndarray],
) -> list[OutputCheck]:
    """Compare the outputs, as `check_tensors` does."""
    checks = []
    for port in network.outputs:
        golden, slack = meant(network, maps[port.source], port, summed=True)
        low, high = bounds[port.source]
        ends = (golden, golden)
        if low is not high:
            ends = _between(network, port, low, high)
        file = np.asarray(found[port.name], dtype=np.float64).reshape(golden.shape)
        if network.announced:
            most = EXPECTED_ROUNDING * float(np.max(np.abs(np.nan_to_num(file)), initial=0.0))
            slack = np.minimum(slack, most + DOUBLE * slack)
        checks.append(OutputCheck(port, file, golden, *ends, slack))
    return checks


def _between(network: Network, port: OutputPort, low: np.ndarray, high: np.ndarray) -> Interval:
    """Give between which numbers an output lies; a table goes on beyond its ends by its largest step."""
    if port.values is None:
        return meant_between(network, low, high, port)
    kind = network.map_of(port.source)[1]
    inside = [np.clip(codes, kind.low, kind.high) for codes in (low, high)]
    least, greatest = meant_between(network, inside[0], inside[1], port)
    step = np.max(np.abs(np.diff(port.values, axis=1)), axis=1, initial=0.0)
    beyond = codec.unmap(port, step * (np.maximum(kind.low - low, 0) + np.maximum(high - kind.high, 0)))
    return least - beyond, greatest + beyond


@dataclass(frozen=True, eq=False)
class TensorCheck:
    """A tensor of the file beside what the network's codes say of it.

    Parameters
    ----------
    tensor, source : str
        In the file, and the layer or input whose map holds it.
    file, golden : ndarray of float64, frames first
    differs : ndarray of bool
        Where they are another code apart.
    """

    tensor: str
    source: str
    file: np.ndarray
    golden: np.ndarray
    differs: np.ndarray

    def first(self, number: int = 0) -> Difference:
        """Give the first number that differs, of which there is one; frames are counted from ``number``."""
        frame, *place = (int(axis[0]) for axis in np.nonzero(self.differs))
        at = (frame, *place)
        return Difference(
            self.tensor, self.source, number + frame, tuple(place), float(self.file[at]), float(self.golden[at])
        )


def check_tensors(
    network: Network,
    maps: Mapping[str, np.ndarray],
    bounds: Mapping[str, Interval],
    found: Mapping[str, np.ndarray],
    order: Sequence[str],
) -> Iterator[TensorCheck]:
    """Compare every tensor that the network holds, in the file's order.

    Parameters
    ----------
    network : Network
        With its traces.
    maps : mapping of str to ndarray
        The codes of every input and layer.
    bounds : mapping of str to (ndarray, ndarray)
        How low and how high announced roundings may have them.
    found : mapping of str to ndarray
        Tensors of the file, frames first.
    order : sequence of str
        The file's tensors in its order.
    """
    places = {name: place for place, name in enumerate(order)}
    outputs = {check.port.name: check for check in check_outputs(network, maps, bounds, found)}
    traces = {one.tensor: one for one in network.traces if one.tensor in found and one.tensor not in outputs}
    # An output that other nodes read comes before them.
    for name in sorted([*traces, *outputs], key=lambda one: places.get(one, -1)):
        if name in outputs:
            check = outputs[name]
            yield TensorCheck(name, check.port.source, check.file, check.golden, check.differs)
        elif (traced := _check_traced(network, maps, bounds, found, traces[name])) is not None:
            yield traced


def _check_traced(
    network: Network,
    maps: Mapping[str, np.ndarray],
    bounds: Mapping[str, Interval],
    found: Mapping[str, np.ndarray],
    trace: Trace,
) -> TensorCheck | None:
    file, golden = np.asarray(found[trace.tensor], dtype=np.float64), trace.values(maps[trace.source])
    if file.shape != golden.shape:
        return None
    most = EXPECTED_ROUNDING * float(np.max(np.abs(file), initial=0.0))
    # Where nothing is rounded, numbers less than a quarter of a step apart are the same code.
    slack = (
        most
        if network.announced
        else np.minimum(np.maximum(most, EXPECTED_ROUNDING * trace.step.max()), _quarter(trace))
    )
    ends = [trace.values(side) for side in bounds[trace.source]]
    with np.errstate(invalid="ignore"):
        within = (file >= np.minimum(*ends) - slack) & (file <= np.maximum(*ends) + slack)
    return TensorCheck(trace.tensor, trace.source, file, golden, ~within)


def _quarter(trace: Trace) -> np.ndarray:
    return np.where(trace.step > 0, trace.step / 4, np.inf)


def all_maps(network: Network, codes: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Run the golden model and give the codes of every input and layer."""
    maps = {port.name: one for port, one in zip(network.inputs, codes, strict=True)}

    def kept(name: str, golden: Callable[..., np.ndarray]) -> Callable[..., Any]:
        def step(*inputs: np.ndarray) -> np.ndarray:
            maps[name] = golden(*inputs)
            return maps[name]

        return step

    network.evaluate(codes, {layer.name: kept(layer.name, layer.golden) for layer in network.layers})
    return maps
