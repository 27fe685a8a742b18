"""The network as integers: layers between integer codes, with its input and output conventions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hwgen.codes import CodeType
from hwgen.conversion import Announced, Conversion, Trace
from hwgen.errors import DataError
from hwgen.layers.protocol import Layer, MapShape, sources_of

__all__ = ["InputPort", "Network", "OutputPort", "check"]

UNSTORED = {"stored": "never"}
"""Metadata of a field that a build folder does not keep."""

IF_ANY = {"stored": "if any"}
"""Metadata of a field that a build folder keeps only where there is something in it."""


@dataclass(frozen=True, eq=False)
class InputPort:
    """What the host sends, and how it makes it of the ONNX model's own input.

    Exactly one of two conventions holds. *Affine*: ``steps`` is None, and a code stands for ``scale * code + offset``.
    *Quantising*: the graph begins with a quantiser that the host applies; with ``v = direction * x`` the code is the
    type's lowest plus the number of ``steps`` (float32, exact by bisection of the graph's own float32 arithmetic) that ``v`` reaches
    (bipolar: -1 or +1 for zero or one).

    Parameters
    ----------
    name : str
        Name of the graph's input; layers refer to it as their source.
    onnx_shape : tuple of int
        Shape of one frame in the ONNX model, without batch.
    permutation : tuple of int
        Axes of ``onnx_shape`` in the order in which they are flattened into the map.
    shape : MapShape
        The map on the stream.
    type : CodeType
        Type of the codes.
    scale, offset : float
        Meaning of a code.
    steps : ndarray of float32, shape (channels or 1, levels), or None
        Levels of the host's quantiser.
    direction : int
        +1 or -1.
    rounds : bool
        Real numbers between two codes are rounded to the nearest by the host, and those beyond the last saturate.
    """

    name: str
    onnx_shape: tuple[int, ...]
    permutation: tuple[int, ...]
    shape: MapShape
    type: CodeType
    scale: float = 1.0
    offset: float = 0.0
    steps: np.ndarray | None = None
    direction: int = 1
    rounds: bool = False

    def checked(self, codes: np.ndarray) -> np.ndarray:
        """Return codes (frames, *shape) as int64 once shape and values are found right.

        Raises
        ------
        DataError
            If they are not.
        """
        if codes.ndim != 4 or codes.shape[1:] != self.shape:
            raise DataError(
                f"Codes of input '{self.name}' must have shape (frames, {', '.join(map(str, self.shape))}), not {codes.shape}"
            )
        if not np.issubdtype(codes.dtype, np.integer) or not self.type.contains(codes):
            raise DataError(f"Codes of input '{self.name}' must be integers of type {self.type}")
        return codes.astype(np.int64)


@dataclass(frozen=True, eq=False)
class OutputPort:
    """What comes out, and how it becomes the ONNX model's own output.

    The value of output channel ``c`` is ``scale[c] * code + offset[c]``, or ``values[c, code - low]`` where a table is given.

    Parameters
    ----------
    name, source : str
        The graph's output, and the layer that yields it.
    onnx_shape : tuple of int
        Shape of one frame in the ONNX model, without batch.
    permutation : tuple of int
        Where each axis of the ONNX frame is found after the map is reshaped to the permuted shape: the inverse of `InputPort.permutation`'s rule.
    dtype : str
        NumPy dtype of the model's output.
    scale, offset : ndarray of float64, shape (channels,)
        The affine map to the model's units.
    values : ndarray of float64, shape (channels, levels), or None
        Table that replaces the affine map.
    dropped : tuple of str
        Trailing nodes that the hardware leaves to the host because they keep the ranking (Softmax).
    dropped_operators : tuple of str
        The operator of each, Softmax or LogSoftmax over the channels.
    order : ndarray of int64, shape onnx_shape, or None
        Element of the flattened map at each place of the frame, where no permutation of axes (which is empty then) gives it.
    """

    name: str
    source: str
    onnx_shape: tuple[int, ...]
    permutation: tuple[int, ...]
    dtype: str
    scale: np.ndarray
    offset: np.ndarray
    values: np.ndarray | None = None
    dropped: tuple[str, ...] = ()
    dropped_operators: tuple[str, ...] = field(default=(), metadata=IF_ANY)
    order: np.ndarray | None = field(default=None, metadata=IF_ANY)


@dataclass(frozen=True)
class Network:
    """Layers in topological order between the inputs and the outputs: a directed acyclic graph, whose maps may have several readers.

    Parameters
    ----------
    name : str
        A Verilog identifier.
    inputs : tuple of InputPort
        At least one, under different names; they arrive in this order.
    layers : tuple of Layer
        Sources come before their readers; names are unique Verilog identifiers.
    outputs : tuple of OutputPort
        At least one, under different names; they leave in this order.
    notes : tuple of str
        What the report must say of the conversion (reachable zeros under ``Sign``, steps near a float32 boundary, dropped operators).
    conversion : Conversion or None
        None: it was made of no ONNX model.
    traces : tuple of Trace
        Where tensors of the ONNX file are; a build folder does not keep them.
    announced : tuple of Announced
        The roundings that notes tell, in numbers; a build folder does not keep them.
    ties : tuple of (str, int)
        Nodes behind which a Sign can see exactly 0, and in how many channels; a build folder does not keep them.
    """

    name: str
    inputs: tuple[InputPort, ...]
    layers: tuple[Layer, ...]
    outputs: tuple[OutputPort, ...]
    notes: tuple[str, ...] = ()
    conversion: Conversion | None = None
    traces: tuple[Trace, ...] = field(default=(), compare=False, repr=False, metadata=UNSTORED)
    announced: tuple[Announced, ...] = field(default=(), compare=False, repr=False, metadata=UNSTORED)
    ties: tuple[tuple[str, int], ...] = field(default=(), compare=False, repr=False, metadata=UNSTORED)

    def layer(self, name: str) -> Layer:
        """Give the layer of that name."""
        return next(layer for layer in self.layers if layer.name == name)

    @property
    def input(self) -> InputPort:
        """The input of a network that has one; ValueError if it has several."""
        (port,) = self.inputs
        return port

    @property
    def output(self) -> OutputPort:
        """The output of a network that has one; ValueError if it has several."""
        (port,) = self.outputs
        return port

    def map_of(self, name: str) -> tuple[MapShape, CodeType]:
        """Give the shape and the type of a map: an input's, or what a layer yields."""
        for port in self.inputs:
            if name == port.name:
                return port.shape, port.type
        layer = self.layer(name)
        return layer.out_shape, layer.out_type

    def golden(self, *codes: np.ndarray) -> np.ndarray:
        """Run a network of one output on integers: the one map of `golden_maps`."""
        (found,) = self.golden_maps(*codes)
        return found

    def golden_maps(self, *codes: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run the network on integers.

        Parameters
        ----------
        *codes : ndarray of int, shape (frames, height, width, channels)
            Codes of each input's type, as many frames of each.

        Returns
        -------
        tuple of ndarray of int64, shape (frames, height, width, channels)
            One for each output.

        Raises
        ------
        DataError
            If the shape or a code is not an input's, or the inputs have different numbers of frames.
        """
        return self.evaluate(self.checked_codes(*codes), {layer.name: layer.golden for layer in self.layers})

    def evaluate(
        self, codes: Sequence[np.ndarray], steps: Mapping[str, Callable[..., np.ndarray]]
    ) -> tuple[np.ndarray, ...]:
        """Run a function for each layer, by name, on the maps that the layer reads; a map is forgotten after its last reader.

        Returns the maps of the outputs.
        """
        left = Counter({source: len(readers) for source, readers in self.readers().items()})
        maps = {port.name: x for port, x in zip(self.inputs, codes, strict=True)}
        for layer in self.layers:
            sources = sources_of(layer)
            maps[layer.name] = steps[layer.name](*(maps[source] for source in sources))
            left.subtract(sources)
            for source in set(sources):
                if not left[source]:
                    del maps[source]
        return tuple(maps[port.source] for port in self.outputs)

    def readers(self) -> dict[str, list[str]]:
        """Give who reads each map: a layer of one input by its name, input k of a join as ``name.k``, an output as ``output.name``."""
        names = [port.name for port in self.inputs] + [layer.name for layer in self.layers]
        found: dict[str, list[str]] = {name: [] for name in names}
        for layer in self.layers:
            for number, source in enumerate(sources_of(layer)):
                reader = layer.name if len(layer.inputs) == 1 else f"{layer.name}.{number}"
                found.setdefault(source, []).append(reader)
        for port in self.outputs:
            found.setdefault(port.source, []).append(f"output.{port.name}")
        return found

    def forks(self) -> dict[str, list[str]]:
        """Give the readers of each map that has several."""
        return {source: readers for source, readers in self.readers().items() if len(readers) > 1}

    def checked_codes(self, *codes: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the codes of each input as int64 once shapes and values are found right."""
        checked = tuple(port.checked(one) for port, one in zip(self.inputs, codes, strict=True))
        self.check_frames(codes)
        return checked

    def check_frames(self, arrays: Sequence[np.ndarray]) -> None:
        """Refuse arrays of the inputs, frames first, that do not all hold as many.

        Raises
        ------
        DataError
            Naming two inputs.
        """
        first, *others = zip(self.inputs, map(len, arrays), strict=True)
        for port, frames in others:
            if frames != first[1]:
                raise DataError(
                    f"Input '{first[0].name}' has {first[1]} frames and input '{port.name}' {frames}; give as many of each"
                )


def check(network: Network) -> None:
    """Hold the law of a legal network.

    Raises
    ------
    ValueError
        If there is no input or output, a name is used twice, a source is unknown or comes later, shapes and types of neighbours differ, or nothing reads a map.
    """
    maps: dict[str, tuple[MapShape, CodeType]] = {port.name: (port.shape, port.type) for port in network.inputs}
    if not maps or len(maps) < len(network.inputs):
        names = ", ".join(f"'{port.name}'" for port in network.inputs) or "none"
        raise ValueError(f"A network has at least one input, each of another name, not {names}")
    for layer in network.layers:
        if layer.name in maps:
            raise ValueError(f"Two layers are named '{layer.name}'")
        # First, as a record may have shapes and types for more or fewer sources than it names.
        layer.check()
        for entry in layer.inputs:
            if entry.source not in maps:
                raise ValueError(f"Layer '{layer.name}' reads '{entry.source}', which nothing before it yields")
            if maps[entry.source] != (entry.shape, entry.type):
                shape, kind = maps[entry.source]
                raise ValueError(
                    f"Layer '{layer.name}' takes {entry.shape} {entry.type}, but '{entry.source}' gives {shape} {kind}"
                )
        maps[layer.name] = (layer.out_shape, layer.out_type)
    if not network.outputs or len({port.name for port in network.outputs}) < len(network.outputs):
        names = ", ".join(f"'{port.name}'" for port in network.outputs) or "none"
        raise ValueError(f"A network has at least one output, each of another name, not {names}")
    for port in network.outputs:
        if port.source not in maps:
            raise ValueError(f"Output '{port.name}' reads '{port.source}', which no layer yields")
    for source, readers in network.readers().items():
        if not readers:
            raise ValueError(f"Nothing reads the map of '{source}'")
