"""Compare outputs with those that a user expects: labels, numbers in the model's units, or codes."""

from __future__ import annotations

import numpy as np

from hwgen.arrays import codec
from hwgen.errors import DataError
from hwgen.network import Network, OutputPort

__all__ = ["by_output", "check_expected", "correct_labels", "differing_frames", "is_labels"]

EXPECTED_ROUNDING = 2.0**-16
"""How far, relative to its terms, an expected float output may lie from ``scale * code + offset``: the float32
rounding of whoever computed it; at most a quarter of a step between codes."""


def is_labels(expected: np.ndarray) -> bool:
    """Whether an expectation is one label a frame."""
    return expected.ndim == 1 and np.issubdtype(expected.dtype, np.integer)


def correct_labels(outputs: np.ndarray, labels: np.ndarray) -> int:
    """Count the frames whose largest output (or only one) is the labelled class; the lowest index wins ties."""
    scores = outputs.reshape(len(outputs), -1)
    classes = scores.argmax(axis=1) if scores.shape[1] > 1 else scores[:, 0]
    return int(np.sum(classes == labels))


def differing_frames(
    network: Network, codes: np.ndarray, expected: np.ndarray, port: OutputPort | None = None
) -> np.ndarray:
    """Tell of each frame whether an output is not the expected one.

    Parameters
    ----------
    network : Network
    codes : ndarray of int64, shape (frames, height, width, channels)
        What came out.
    expected : ndarray, shape (frames, *port.onnx_shape)
        Floats in the model's units, or integer codes.
    port : OutputPort or None
        One of the network's outputs; None: its only one.

    Returns
    -------
    ndarray of bool, shape (frames,)
    """
    port = network.output if port is None else port
    if np.issubdtype(expected.dtype, np.integer):
        wrong = codec.unmap(port, codes) != expected
    else:
        values = codec.exact_values(network, codes, port)
        terms = np.abs(port.scale * codes) + np.abs(port.offset) if port.values is None else np.abs(values)
        slack = EXPECTED_ROUNDING * terms
        if port.values is None:
            slack = np.minimum(slack, np.abs(port.scale) / 4)
        wrong = ~(np.abs(codec.unmap(port, values) - expected) <= codec.unmap(port, slack))
    return np.any(wrong.reshape(len(codes), -1), axis=1)


def by_output(network: Network, expected: codec.Outputs, frames: int) -> dict[str, np.ndarray]:
    """Give what is expected of each output by its name.

    Raises
    ------
    DataError
        If a name is no output's, none is given where there are several, or an array has the wrong shape or dtype.
    """
    ports = {port.name: port for port in network.outputs}
    names = ", ".join(f"'{name}'" for name in ports)
    if not isinstance(expected, dict):
        if len(ports) > 1:
            raise DataError(
                f"The network has the outputs {names}: name what is expected of each (a dict, or a .npz file)"
            )
        expected = dict.fromkeys(ports, expected)
    for name, array in expected.items():
        if name not in ports:
            raise DataError(f"Expected outputs name '{name}', but the network has {names}")
        check_expected(ports[name], array, frames)
        if len(ports) > 1 and is_labels(array) and ports[name].onnx_shape != ():
            raise DataError(
                f"Labels need a network of one output, and this one has {names}; give the outputs themselves"
            )
    return expected


def check_expected(port: OutputPort, expected: np.ndarray, frames: int) -> None:
    """Raise DataError if what is expected of an output has the wrong shape or dtype."""
    numeric = np.issubdtype(expected.dtype, np.integer) or np.issubdtype(expected.dtype, np.floating)
    shape = tuple(port.onnx_shape)
    if not numeric:
        raise DataError(f"Expected outputs must be numbers, not {expected.dtype}")
    if expected.shape == (frames,) and is_labels(expected):
        return
    if expected.shape != (frames, *shape):
        raise DataError(
            f"Expected outputs must have shape {(frames, *shape)}, or be {frames} whole-number labels, "
            f"not {expected.dtype} of shape {expected.shape}"
        )
