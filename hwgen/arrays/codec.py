"""What the host does: turn the ONNX model's arrays into the codes of the input stream, and codes back into outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import DataError
from hwgen.network import InputPort, Network, OutputPort

__all__ = [
    "Inputs",
    "Outputs",
    "by_input",
    "exact_values",
    "from_codes",
    "input_codes",
    "input_frames",
    "named",
    "outputs_of",
    "shares",
    "to_codes",
    "unmap",
]

Inputs = np.ndarray | Mapping[str, np.ndarray]
"""The frames of a network's only input, or of each input by its name."""

Outputs = np.ndarray | dict[str, np.ndarray]
"""The array of a network's only output, or of each of several by its name."""

ROUNDING = 4 * np.finfo(np.float32).eps
"""How far, relative to its terms, a float may lie from ``scale * code + offset``: the float32 rounding of the host's
own preprocessing. Steps between 16-bit codes are thirty times larger, so a code is never in doubt."""


def input_codes(network: Network, x: Inputs, frames: int | None = None) -> tuple[np.ndarray, ...]:
    """Turn the frames of every input into codes, a map for each input in the network's order.

    Parameters
    ----------
    network : Network
    x : ndarray, or mapping of str to ndarray
        As for `to_codes`; of several inputs each by its name.
    frames : int or None
        Only the first so many.

    Raises
    ------
    DataError
        If a name is no input's, an input is missing, they have different numbers of frames, or one does not suit its port.
    """
    codes = [to_codes(port, one) for port, one in zip(network.inputs, by_input(network, x), strict=True)]
    network.check_frames(codes)
    return tuple(one[:frames] for one in codes)


def by_input(network: Network, x: Inputs) -> list[np.ndarray]:
    """Give the array of each input, in the network's order.

    Raises
    ------
    DataError
        If a name is no input's, or an input is missing.
    """
    ports = [port.name for port in network.inputs]
    names = ", ".join(f"'{name}'" for name in ports)
    if not isinstance(x, Mapping):
        if len(ports) > 1:
            raise DataError(
                f"The network has the inputs {names}: name the frames of each (a dict, NAME=FILE, or a .npz file)"
            )
        return [x]
    for name in x:
        if name not in ports:
            raise DataError(f"There is no input '{name}': the network has {names}")
    for name in ports:
        if name not in x:
            raise DataError(f"Input '{name}' has no frames: the network has the inputs {names}, and needs all of them")
    return [x[name] for name in ports]


def to_codes(port: InputPort, x: np.ndarray) -> np.ndarray:
    """Turn input frames into codes.

    Parameters
    ----------
    port : InputPort
        What the network takes.
    x : ndarray, shape (frames, *port.onnx_shape) or port.onnx_shape
        Floats are in the ONNX model's units; integers are codes.

    Returns
    -------
    ndarray of int64, shape (frames, height, width, channels)

    Raises
    ------
    DataError
        If the shape or dtype is wrong, a value is not a number, lies between two codes or outside of the type.
    """
    x = _frames(port, np.asarray(x))
    axes = (0, *(1 + axis for axis in port.permutation))
    maps = x.transpose(axes).reshape(len(x), *port.shape)
    if np.issubdtype(x.dtype, np.integer):
        # First, as what int64 does not hold would wrap to a code.
        _check(maps, port.type, maps, x, port)
        return maps.astype(np.int64)
    if not np.all(np.isfinite(x)):
        index, value = _first(x, ~np.isfinite(x))
        raise DataError(f"Input '{port.name}': value {value} at {index} is not a number; every value must be finite")
    if port.steps is not None:
        return _quantise(port, port.steps, maps)
    return _affine(port, maps, x)


def named(network: Network, arrays: Sequence[np.ndarray]) -> Outputs:
    """Give an array for each output as users get them."""
    names = [port.name for port in network.outputs]
    return arrays[0] if len(names) == 1 else dict(zip(names, arrays, strict=True))


def outputs_of(network: Network, maps: Sequence[np.ndarray], *, codes: bool = False) -> Outputs:
    """Turn the map of each output into the ONNX model's own outputs, or into raw integers in their layout."""
    pairs = list(zip(network.outputs, maps, strict=True))
    if codes:
        return named(network, [unmap(port, found) for port, found in pairs])
    return named(network, [from_codes(network, found, port) for port, found in pairs])


def from_codes(network: Network, codes: np.ndarray, port: OutputPort | None = None) -> np.ndarray:
    """Turn the codes of an output into the ONNX model's own.

    Parameters
    ----------
    network : Network
    codes : ndarray of int64, shape (frames, height, width, channels)
        What the output's layer yields. What the hardware leaves to the host (Softmax) is done.
    port : OutputPort or None
        One of the network's outputs; None: its only one.

    Returns
    -------
    ndarray of the model's dtype, shape (frames, *port.onnx_shape)
    """
    port = network.output if port is None else port
    values, dtype = exact_values(network, codes, port), np.dtype(port.dtype)
    for operator in port.dropped_operators:
        values = shares(values, operator)
    if np.issubdtype(dtype, np.integer):
        values = np.rint(values)
    return unmap(port, values).astype(dtype)


def exact_values(network: Network, codes: np.ndarray, port: OutputPort) -> np.ndarray:
    """Give the meaning of an output's codes in float64: (frames, height, width, channels) -> same shape."""
    if port.values is None:
        return np.asarray(port.scale * codes + port.offset, dtype=np.float64)
    _, kind = network.map_of(port.source)
    entries = kind.to_bits(codes).astype(np.int64) if kind.bipolar else codes - kind.low
    values: np.ndarray = port.values[np.arange(codes.shape[-1]), entries]
    return values


def shares(scores: np.ndarray, operator: str) -> np.ndarray:
    """Do what a Softmax or LogSoftmax over the channels does."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    logarithms = shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))
    return np.asarray(logarithms if operator == "LogSoftmax" else np.exp(logarithms))


def unmap(port: OutputPort, maps: np.ndarray) -> np.ndarray:
    """Bring maps (frames, height, width, channels) into the layout of the ONNX model's output (frames, *onnx_shape)."""
    if port.order is not None:
        return maps.reshape(len(maps), -1)[:, port.order]
    permuted = [0] * len(port.onnx_shape)
    for axis, size in zip(port.permutation, port.onnx_shape, strict=True):
        permuted[axis] = size
    return maps.reshape(len(maps), *permuted).transpose(0, *(1 + axis for axis in port.permutation))


def _frames(port: InputPort, x: np.ndarray) -> np.ndarray:
    """Give the array with a frame axis, once its shape and dtype are found right."""
    shape = tuple(port.onnx_shape)
    wanted = f"(frames, {', '.join(map(str, shape))})"
    if not (np.issubdtype(x.dtype, np.integer) or np.issubdtype(x.dtype, np.floating)):
        raise DataError(f"Input '{port.name}' must be floats (the model's units) or integers (codes), not {x.dtype}")
    if x.shape == shape:
        return x[None]
    if x.ndim == len(shape) + 1 and x.shape[1:] == shape:
        if len(x) == 0:
            raise DataError(f"Input '{port.name}' of shape {x.shape} holds no frame; give at least one")
        return x
    hint = ""
    if x.ndim > 0 and len(x) > 0 and x.size == len(x) * int(np.prod(shape)):
        hint = f"; reshape it to ({', '.join(map(str, (len(x), *shape)))})"
    raise DataError(f"Input '{port.name}' must have shape {wanted}, or {shape} for one frame, not {x.shape}{hint}")


def _first(x: np.ndarray, wrong: np.ndarray) -> tuple[tuple[int, ...], object]:
    """Give index and value of the first wrong element, the frame counted first."""
    index = tuple(int(axis[0]) for axis in np.nonzero(wrong))
    return index, x[index]


def _quantise(port: InputPort, steps: np.ndarray, maps: np.ndarray) -> np.ndarray:
    values = np.float32(port.direction) * maps.astype(np.float32)
    if len(steps) == 1:
        reached = np.searchsorted(steps[0], values, side="right")
    else:
        columns = [np.searchsorted(row, values[..., number], side="right") for number, row in enumerate(steps)]
        reached = np.stack(columns, axis=-1)
    return 2 * reached - 1 if port.type.bipolar else port.type.low + reached


def _affine(port: InputPort, maps: np.ndarray, x: np.ndarray) -> np.ndarray:
    values = maps.astype(np.float64)
    codes = np.rint((values - port.offset) / port.scale)
    if port.rounds:
        return np.asarray(np.clip(codes, port.type.low, port.type.high), dtype=np.int64)
    terms = np.maximum(np.abs(port.scale * codes), abs(port.offset))
    between = np.abs(port.scale * codes + port.offset - values) > ROUNDING * terms
    if np.any(between):
        index, value = _first(x, input_frames(port, between))
        raise DataError(
            f"Input '{port.name}': value {value} at {index} lies between two codes: values must be {_meaning(port)} with a code "
            f"of type {port.type}; quantise the input, or compile with another --input-type, --input-scale or "
            "--input-offset"
        )
    _check(codes, port.type, maps, x, port)
    return codes.astype(np.int64)


def _check(codes: np.ndarray, kind: CodeType, maps: np.ndarray, x: np.ndarray, port: InputPort) -> None:
    legal = (codes == 1) | (codes == -1) if kind.bipolar else (codes >= kind.low) & (codes <= kind.high)
    if np.all(legal):
        return
    index, value = _first(x, input_frames(port, ~legal))
    range_ = "-1 and +1" if kind.bipolar else f"{kind.low} to {kind.high}"
    if np.issubdtype(maps.dtype, np.integer):
        raise DataError(
            f"Input '{port.name}': code {value} at {index} is not of type {kind} ({range_}); integers are codes, "
            "give floats for values in the model's units"
        )
    raise DataError(
        f"Input '{port.name}': value {value} at {index} is outside of what {kind} codes ({range_}) can say: {_meaning(port)}"
    )


def _meaning(port: InputPort) -> str:
    return f"{port.scale:g} * code" + (f" + {port.offset:g}" if port.offset else "")


def input_frames(port: InputPort, maps: np.ndarray) -> np.ndarray:
    """Bring maps (frames, height, width, channels) back into the layout of the ONNX model's input (frames, *onnx_shape)."""
    permuted = maps.reshape(len(maps), *(port.onnx_shape[axis] for axis in port.permutation))
    return permuted.transpose(0, *(1 + np.argsort(port.permutation)))
