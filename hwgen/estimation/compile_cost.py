"""What compiling a network will take: a linear model of its sizes, known before anything is folded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hwgen.network import Network

__all__ = ["CompileCost", "Sizes", "compile_cost", "cost_of", "sizes_of"]


class Sizes(NamedTuple):
    """What the cost of a compile grows with.

    Parameters
    ----------
    layers : int
    weights : int
    positions : int
        Of all maps: each is at least a beat of a stream.
    """

    layers: int
    weights: int
    positions: int


@dataclass(frozen=True)
class CompileCost:
    """An estimate for one processor like that of the benchmarks.

    Parameters
    ----------
    seconds : float
        Processor time of folding, sizing FIFOs, and writing the build folder.
    megabytes : float
        Resident memory at its peak.
    """

    seconds: float
    megabytes: float


SECONDS = (2.0, 0.76, 18.0, 40.0)
"""Processor seconds in all, for each layer, each million weights, each million positions.

Fitted to the networks that ``benchmarks/real_sizes.json`` has whole and to the one of ``benchmarks/bireal18.json``, from before compiling became quicker:
the price of weights and positions rests on that one.
"""

MEGABYTES = (76.0, 1.8, 20.0, 5500.0)
"""Megabytes for the same: those of ``benchmarks/real_sizes.json``, and what sizing the FIFOs of ResNet-18's and ResNet-34's layers takes at 224 x 224."""


def sizes_of(network: Network) -> Sizes:
    """Count a network's layers, weights, and positions of maps."""
    weights = sum(array.size for layer in network.layers if (array := getattr(layer, "weights", None)) is not None)
    shapes = [port.shape for port in network.inputs] + [layer.out_shape for layer in network.layers]
    return Sizes(len(network.layers), weights, sum(height * width for height, width, _ in shapes))


def compile_cost(network: Network) -> CompileCost:
    """Estimate what compiling a network takes."""
    return cost_of(sizes_of(network))


def cost_of(sizes: Sizes) -> CompileCost:
    """Estimate what compiling a network of such sizes takes."""
    terms = (1.0, float(sizes.layers), sizes.weights / 1e6, sizes.positions / 1e6)
    seconds, megabytes = (
        sum(price * term for price, term in zip(prices, terms, strict=True)) for prices in (SECONDS, MEGABYTES)
    )
    return CompileCost(seconds, megabytes)
