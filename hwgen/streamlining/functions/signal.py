"""What the walk knows of a tensor: a function of an integer map, and how the tensor's elements lie on the map."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hwgen.activation import Positions
from hwgen.codes import CodeType
from hwgen.graph import Node
from hwgen.layers.protocol import MapShape
from hwgen.layers.window import Window
from hwgen.streamlining.functions.domain import Floats, Integers, codes_domain
from hwgen.streamlining.functions.linear import Bilinear, Linear
from hwgen.streamlining.functions.terms import Leaf, Parameter, Term, varies

__all__ = [
    "Codes",
    "Origin",
    "Pool",
    "Ring",
    "Rounded",
    "Signal",
    "coordinates_of",
    "differ",
    "flat_map",
    "identity",
    "signal_of",
]


@dataclass(frozen=True, eq=False)
class Codes:
    """A map of codes that a layer yields: value = ``scale[channel] * code + offset[channel]``.

    Parameters
    ----------
    source : str
    shape : MapShape
    type : CodeType
    scale, offset : ndarray of float64, shape (channels,)
    reach : Integers or None
        The codes that each channel can hold, alike at every position; None: all of the type.
    held : bool
        Rounded to float32, the value is to the last bit the number that the graph itself holds there.
    """

    source: str
    shape: MapShape
    type: CodeType
    scale: np.ndarray
    offset: np.ndarray
    reach: Integers | None = None
    held: bool = False

    @property
    def numbers(self) -> Integers:
        """The codes that each channel can hold, for the map as it is."""
        if self.reach is None:
            return codes_domain(self.type, self.shape)
        return replace(self.reach, positions=Positions.uniform(*self.shape[:2]))

    @property
    def uniform(self) -> bool:
        """Whether every channel has the same scale and offset."""
        return bool(np.all(self.scale == self.scale[0]) and np.all(self.offset == self.offset[0]))


@dataclass(frozen=True, eq=False)
class Rounded:
    """A sum of integers whose factors are rounded: what it stands for exactly.

    Parameters
    ----------
    node : Node
        The node that adds.
    numbers : tuple of Integers
        What each term can hold.
    scales : ndarray of float64, shape (terms, channels)
        What each term's integer is worth.
    factors : ndarray of int64, shape (terms, channels)
        What it is multiplied by instead.
    offset : ndarray of float64, shape (height or 1, width or 1, channels)
        What is added at each position.
    note : str
        What the report says of the rounding, where it matters.
    codes : float
        How far the integer sum is off at most.
    layer : str
        The layer that adds, once it is written down.
    """

    node: Node
    numbers: tuple[Integers, ...]
    scales: np.ndarray
    factors: np.ndarray
    offset: np.ndarray
    note: str
    codes: float = 0.0
    layer: str = ""


@dataclass(frozen=True, eq=False)
class Origin:
    """An integer map.

    Parameters
    ----------
    node : str
        The ONNX node or input that makes it.
    shape : MapShape
    domain : Integers or Floats
        What it can hold; Floats for an input that the host quantises.
    linear : Linear, Bilinear or None
        A linear layer that is not written down yet, because what follows decides its thresholds and signs.
    source : str
        The layer or input that yields it, if it is written down.
    type : CodeType or None
        Type of its codes, if it is written down.
    rounded : Rounded or None
        Its integers are a sum in fixed point, wider than what they are worth.
    symbols : MapShape or None
        Shape of a map of one symbol a pixel that chooses rows of a table: ``source`` and ``type`` are that map's, and the integers
        are its symbols, the same for every channel.
    """

    node: str
    shape: MapShape
    domain: Integers | Floats
    linear: Linear | Bilinear | None = None
    source: str = ""
    type: CodeType | None = None
    rounded: Rounded | None = None
    symbols: MapShape | None = None

    @property
    def turns(self) -> bool:
        """Whether its integers can still be negated, channel by channel."""
        return self.linear is not None and self.linear.turns


@dataclass(frozen=True, eq=False)
class Pool:
    """A max pool to be applied; ``before`` is the value that it sees, as a function of the origin."""

    window: Window
    before: Term
    node: Node


@dataclass(frozen=True, eq=False)
class Ring:
    """A border to be put around the map; ``values`` (channels,) is what it holds by now."""

    pads: tuple[int, int, int, int]
    values: np.ndarray
    node: Node


@dataclass(frozen=True, eq=False)
class Signal:
    """A tensor.

    Parameters
    ----------
    origin : Origin
    term : Term
        Its value as a function of the origin's integer.
    shape : MapShape
        The origin's map after ``edits``.
    index : ndarray of int64, shape of the tensor with a batch of one
        Element of the flattened map at each place.
    edits : tuple of Pool and Ring
        Maximum and padding on the way, in order. They are applied to codes, wherever they stand among the functions.
    dropped : tuple of str
        Trailing nodes that keep the ranking and are left out.
    tensor : str
        Its name in the graph, where it has one.
    """

    origin: Origin
    term: Term
    shape: MapShape
    index: np.ndarray
    edits: tuple[Pool | Ring, ...] = ()
    dropped: tuple[str, ...] = ()
    tensor: str = ""

    @property
    def varies(self) -> bool:
        """Whether a parameter of the term varies over the map."""
        return varies(self.term)

    def moved(self, index: np.ndarray) -> Signal:
        """Give the same elements in another layout."""
        return replace(self, index=index)


def signal_of(codes: Codes, node: str, index: np.ndarray, *, rounded: Rounded | None = None) -> Signal:
    """See a map of codes as a tensor whose element at each place is ``index``."""
    origin = Origin(node, codes.shape, codes.numbers, source=codes.source, type=codes.type, rounded=rounded)
    return Signal(origin, identity(codes.scale, codes.offset, held=codes.held), codes.shape, index)


def identity(scale: np.ndarray | float = 1.0, offset: np.ndarray | float = 0.0, *, held: bool = False) -> Leaf:
    """Give the meaning of a code whose scale and offset are numbers or one number a channel."""
    scale_of, offset_of = (
        Parameter(np.reshape(part, (1, 1, -1)) if np.ndim(part) else np.asarray(part)) for part in (scale, offset)
    )
    return Leaf(scale_of, offset_of, Parameter(np.zeros(())) if held else None)


def flat_map(shape: MapShape) -> np.ndarray:
    """Number the elements of a map (height, width, channels)."""
    return np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)


def coordinates_of(index: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Give the coordinates of elements of an array of that shape, one array of the index's shape an axis.

    Flattened in between: NumPy 2.4's `unravel_index` is wrong from the 8193rd element on where the index's last axis has length one.
    """
    found = np.unravel_index(index.ravel(), shape)
    return tuple(axis.reshape(index.shape) for axis in found)


def differ(index: np.ndarray) -> bool:
    """Tell whether elements of a map are all different: each leaves a mark, where NumPy's sets of a large map take hundreds of times as long."""
    if index.size < 2:
        return True
    low, high = int(index.min()), int(index.max())
    if high - low + 1 < index.size:
        return False
    marks = np.zeros(high - low + 1, dtype=bool)
    marks[index.ravel() - low] = True
    return int(np.count_nonzero(marks)) == index.size
