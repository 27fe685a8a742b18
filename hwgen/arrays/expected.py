"""Compare outputs with those that a user expects: labels, numbers in the model's units, or codes."""

from __future__ import annotations

import numpy as np

from hwgen.arrays import codec
from hwgen.errors import DataError
from hwgen.network import Network, OutputPort

__all__ = ["by_output", "check_expected", "correct_labels", "distances", "is_labels", "meant", "meant_between"]

EXPECTED_ROUNDING = 2.0**-16
"""How far, relative to its terms, an expected float output may lie from ``scale * code + offset``: the float32
rounding of whoever computed it; at most a quarter of a step between codes."""

SHARES_ROUNDING = 1e-6
"""How far float32 may be off in the shares of a Softmax, and in their logarithms."""


def is_labels(expected: np.ndarray) -> bool:
    """Whether an expectation is one label a frame."""
    return expected.ndim == 1 and np.issubdtype(expected.dtype, np.integer)


def correct_labels(outputs: np.ndarray, labels: np.ndarray) -> int:
    """Count the frames whose largest output (or only one) is the labelled class; the lowest index wins ties."""
    scores = outputs.reshape(len(outputs), -1)
    classes = scores.argmax(axis=1) if scores.shape[1] > 1 else scores[:, 0]
    return int(np.sum(classes == labels))


def distances(network: Network, codes: np.ndarray, expected: np.ndarray, port: OutputPort) -> tuple[np.ndarray, float]:
    """Tell of each frame whether an output is not the expected one, and how far it is from that at most.

    Parameters
    ----------
    network : Network
    codes : ndarray of int64, shape (frames, height, width, channels)
        What came out.
    expected : ndarray, shape (frames, *port.onnx_shape)
        Floats in the model's units, or integer codes.
    port : OutputPort
        Where numbers in the model's units are expected, what the host does behind the hardware (Softmax) is done first.

    Returns
    -------
    ndarray of bool, shape (frames,)
    float
        In the model's units, or in codes.
    """
    if np.issubdtype(expected.dtype, np.integer):
        off = np.abs(codec.unmap(port, codes) - expected.astype(np.int64))
        wrong = off > 0
    else:
        values, slack = meant(network, codes, port)
        off = np.abs(values - expected)
        wrong = ~(off <= slack)
    return np.any(wrong.reshape(len(codes), -1), axis=1), float(np.max(off))


def meant(
    network: Network, codes: np.ndarray, port: OutputPort, *, summed: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Give what an output's codes mean, and how far somebody's float32 may be from that.

    Parameters
    ----------
    network : Network
    codes : ndarray of int64, shape (frames, height, width, channels)
    port : OutputPort
    summed : bool
        Allow for sums of large numbers that are small, whose float32 is as far off as the largest that can come out of the channel would be.

    Returns
    -------
    ndarray of float64, shape (frames, *port.onnx_shape)
        In the model's units; what the hardware leaves to the host (Softmax) is done.
    ndarray of float64, same shape
        `EXPECTED_ROUNDING` of its terms, at most a quarter of a step between codes.
    """
    values = codec.exact_values(network, codes, port)
    if port.values is None:
        kind = network.map_of(port.source)[1]
        most = max(-kind.low, kind.high) if summed else np.abs(codes)
        terms = np.abs(port.scale) * most + np.abs(port.offset)
        slack = np.minimum(EXPECTED_ROUNDING * terms, np.where(port.scale == 0, np.inf, np.abs(port.scale) / 4))
    else:
        slack = EXPECTED_ROUNDING * (np.max(np.abs(port.values), axis=1) if summed else np.abs(values))
    slack = np.broadcast_to(slack, values.shape)
    for operator in port.dropped_operators:
        # A change of every score by less than d changes each share by less than d, and its logarithm by less than 2 d.
        values = codec.shares(values, operator)
        slack = np.broadcast_to(2 * slack.max(axis=-1, keepdims=True) + SHARES_ROUNDING, values.shape)
    return codec.unmap(port, values), codec.unmap(port, slack)


def meant_between(
    network: Network, low: np.ndarray, high: np.ndarray, port: OutputPort
) -> tuple[np.ndarray, np.ndarray]:
    """Give between which numbers an output's values lie if its codes lie between ``low`` and ``high``, each shape (frames, height, width, channels)."""
    ends = [codec.exact_values(network, codes, port) for codes in (low, high)]
    least, greatest = np.minimum(*ends), np.maximum(*ends)
    for operator in port.dropped_operators:
        least, greatest = _least_shares(least, greatest, operator), _least_shares(greatest, least, operator)
    return codec.unmap(port, least), codec.unmap(port, greatest)


def _least_shares(own: np.ndarray, others: np.ndarray, operator: str) -> np.ndarray:
    """Do what a Softmax or LogSoftmax over the channels does, each channel beside the ``others`` of all but itself."""
    before, after = np.full(own.shape, -np.inf), np.full(own.shape, -np.inf)
    before[..., 1:] = np.logaddexp.accumulate(others, axis=-1)[..., :-1]
    after[..., :-1] = np.logaddexp.accumulate(others[..., ::-1], axis=-1)[..., -2::-1]
    logarithms = own - np.logaddexp(own, np.logaddexp(before, after))
    return np.asarray(logarithms if operator == "LogSoftmax" else np.exp(logarithms))


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
