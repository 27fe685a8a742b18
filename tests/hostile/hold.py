"""What hwgen makes of a hostile network, held to what ONNX Runtime and QONNX's operators make of it."""

from __future__ import annotations

import re
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
import onnx

import hwgen
from hwgen.arrays.codec import input_codes, outputs_of
from hwgen.errors import HwgenError
from hwgen.network import Network
from hwgen.verification.executor import executor_of
from hwgen.verification.frames import user_frames
from hwgen.verification.inquiry import Inquiry
from tests.hostile.net import FRAMES, session
from tests.hostile.networks import Hostile, hostile

__all__ = ["Held", "Outcome", "hold", "oracle"]

ROUNDING = 2.0**-16
"""How far float32 may be off, relative to the largest number of an output."""


class Outcome(Enum):
    """What became of a network."""

    EQUAL = "equal"
    ROUNDED = "float32 rounding in the file decides otherwise, as a note says"
    SIGN_AT_ZERO = "a Sign at zero is taken as the notes say"
    ANNOUNCED = "within what the notes announce"
    REFUSED = "refused"
    DIFFERS = "differs, and nothing announces it"
    CRASHED = "an exception that is no sentence"

    @property
    def fault(self) -> bool:
        """Whether it must not happen."""
        return self in (Outcome.DIFFERS, Outcome.CRASHED)


@dataclass(frozen=True)
class Held:
    """The outcome of a seed, and more about it: the reason of a refusal, where a difference is, the traceback."""

    seed: int
    outcome: Outcome
    detail: str = ""

    @property
    def reason(self) -> str:
        """Give the detail without names and numbers, to be counted."""
        plain = re.sub(r"'[^']*'( \(\w+\))?", "'...'", self.detail)
        plain = re.sub(r"-?\d[\d.,e+-]*", "#", plain)
        return plain[:160]


def oracle(case: Hostile) -> dict[str, np.ndarray]:
    """Give what the file answers: all of it in ONNX Runtime, or node by node where QONNX's operators are in it."""
    if case.foreign:
        return case.answers
    running = session(case.model.SerializeToString())
    names = list(case.answers)
    if case.model.graph.input[0].type.tensor_type.shape.dim[0].dim_value != 1:
        return dict(zip(names, running.run(names, case.frames), strict=True))
    parts = [running.run(names, {name: x[[frame]] for name, x in case.frames.items()}) for frame in range(FRAMES)]
    return {name: np.concatenate(pieces) for name, pieces in zip(names, zip(*parts, strict=True), strict=True)}


def hold(seed: int, folder: Path, network_of: Callable[[int], Hostile] = hostile) -> Held:
    """Read the network of a seed, and compare its golden model with the file."""
    case = network_of(seed)
    path = folder / "model.onnx"
    onnx.save(case.model, path)
    expected = oracle(case)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            network = hwgen.read(path, **case.options)
            maps = network.golden_maps(*input_codes(network, case.frames))
            found = outputs_of(network, list(maps))
            golden = found if isinstance(found, dict) else {network.outputs[0].name: found}
            different = _first_difference(network, golden, expected)
            if different is None:
                return Held(seed, Outcome.EQUAL)
            held = hwgen.verify(path, network, frames=case.frames)
    except HwgenError as error:
        return Held(seed, Outcome.REFUSED, str(error))
    except Exception:
        return Held(seed, Outcome.CRASHED, traceback.format_exc())
    outcome = Outcome[held.outcome.name]
    if outcome is Outcome.EQUAL:
        # Another order of the sums than in what verify ran.
        outcome = _by_rounding(case, path, network, expected)
        if outcome is not Outcome.ROUNDED:
            return Held(seed, Outcome.DIFFERS, f"verify finds nothing, but {different}")
    return Held(seed, outcome, f"{different}; {held.sentence}")


def _by_rounding(case: Hostile, path: Path, network: Network, expected: Mapping[str, np.ndarray]) -> Outcome:
    """Tell whether every difference is a decision on a number that the oracle's own float32 has moved to the other side, or follows from one."""
    executor = executor_of(path)
    inquiry, frames = Inquiry(path, network, executor), user_frames(network, executor.executable.inputs, case.frames)
    found = case.tensors if case.foreign else executor.run(case.frames, inquiry.tensors)
    if any(not np.array_equal(found[name], array.reshape(found[name].shape)) for name, array in expected.items()):
        return Outcome.DIFFERS
    for number in range(len(frames)):
        one = {name: array[[number]] for name, array in found.items() if name in inquiry.tensors}
        inquiry.look_into(frames.pick(np.array([number])), number, one)
    return Outcome[inquiry.outcome(equal=False).name]


def _first_difference(
    network: Network, golden: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]
) -> str | None:
    for port in network.outputs:
        file = np.asarray(expected[port.name], dtype=np.float64)
        ours = np.asarray(golden[port.name], dtype=np.float64).reshape(file.shape)
        off = np.abs(file - ours)
        if np.any(off > ROUNDING * np.max(np.abs(file))):
            place = tuple(int(axis) for axis in np.unravel_index(np.argmax(off), off.shape))
            return f"'{port.name}' at {place} is {file[place]:.9g} in the file, {ours[place]:.9g} in the golden model"
    return None
