"""Frames of which an output differs: whether float32's rounding in the file is why."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np

from hwgen.arrays import codec
from hwgen.arrays.expected import EXPECTED_ROUNDING
from hwgen.network import Network
from hwgen.verification.bounds import Interval, intervals
from hwgen.verification.compare import TensorCheck, all_maps, check_outputs, check_tensors
from hwgen.verification.executor import Executor
from hwgen.verification.explain import Brackets
from hwgen.verification.frames import Frames
from hwgen.verification.record import Difference, Outcome

__all__ = ["Inquiry"]


class Inquiry:
    """Frames followed tensor by tensor: what float32 rounding explains, and what nothing does.

    Parameters
    ----------
    model : str or Path
    network : Network
    executor : Executor

    Attributes
    ----------
    turned : dict of str to set of int
        Channels of tensors that rounding in the file decides otherwise.
    turned_frames : set of int
        Frames with such.
    at_zero : bool
        Whether a Sign that sees exactly 0 is taken as told.
    unexplained : list of Difference
    """

    def __init__(self, model: str | Path, network: Network, executor: Executor) -> None:
        self._model, self._network, self._executor = model, network, executor
        chosen = network.conversion.sign_at_zero if network.conversion else 0
        self._sign_at_zero = chosen if network.ties else 0
        self.turned: dict[str, set[int]] = {}
        self.turned_frames: set[int] = set()
        self.at_zero = False
        self._largest = 0.0
        self.unexplained: list[Difference] = []
        self._executors: dict[tuple[str, ...], Executor] = {}

    @cached_property
    def _brackets(self) -> Brackets:
        return Brackets(self._model)

    @cached_property
    def tensors(self) -> list[str]:
        """Of the file, in its order."""
        return [name for name in self._executor.executable.makers if name in self._brackets.tensors]

    @property
    def largest(self) -> float:
        """The largest number of the file in frames of a network that rounds; no bound for another's."""
        return self._largest if self._network.announced else np.inf

    def look_into(self, one: Frames, number: int, found: Mapping[str, np.ndarray] | None = None) -> None:
        """Follow a frame; where float32 decided otherwise, the file goes on from the network's decision, so that what follows is held to it too.

        Parameters
        ----------
        one : Frames
            A single one.
        number : int
        found : mapping of str to ndarray, optional
            What an executor made of it; by default the file is run.
        """
        given = self._executor.whole(one.values)
        meant = given | _exact(self._network, one, given)
        maps, bounds = all_maps(self._network, one.codes), intervals(self._network, one.codes)
        held = {trace.tensor: trace.values(maps[trace.source]) for trace in self._network.traces}
        instead: dict[str, np.ndarray] = {}
        found = {**(self._run(one, instead) if found is None else found), **given}
        numbers = (np.abs(tensor[np.isfinite(tensor)]) for tensor in found.values() if tensor.dtype.kind == "f")
        self._largest = max(self._largest, *(float(tensor.max(initial=0.0)) for tensor in numbers), 0.0)
        while True:
            checks = check_tensors(self._network, maps, bounds, found, self.tensors)
            # What is the network's own there is settled.
            left = (each for each in checks if each.tensor not in instead and np.any(each.differs))
            check = next(left, None)
            if check is None:
                return
            told = self._sign_at_zero
            if _explained(check, self._brackets.of(found, meant, held)):
                self.turned_frames.add(number)
                self._tell(check.tensor, check.differs[0])
            elif told and _explained(check, self._brackets.of(found, meant, held, told)):
                self.at_zero = True
            elif self._replayed(found, meant, maps, bounds):
                self.turned_frames.add(number)
                return
            else:
                self.unexplained.append(check.first(number))
                return
            taken = np.where(check.differs, check.golden, check.file)
            instead[check.tensor] = taken.astype(found[check.tensor].dtype).reshape(found[check.tensor].shape)
            found = self._run(one, instead) | given

    def _run(self, one: Frames, instead: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the file with some of its tensors replaced."""
        names = [name for name in self.tensors if name not in instead]
        if not instead:
            return self._executor.run(one.values, names)
        key = tuple(instead)
        if key not in self._executors:
            self._executors[key] = self._executor.given({name: array.dtype for name, array in instead.items()})
        return self._executors[key].run({**one.values, **instead}, names) | dict(instead)

    def _replayed(
        self,
        found: Mapping[str, np.ndarray],
        inputs: Mapping[str, np.ndarray],
        maps: Mapping[str, np.ndarray],
        bounds: Mapping[str, Interval],
    ) -> bool:
        """Whether the outputs are what exact arithmetic makes of the inputs, so that the file's differ by its rounding alone."""
        exact = self._brackets.replayed(found, inputs)
        apart = None if exact is None else self._brackets.first_apart(found, exact)
        if exact is None or apart is None:
            return False
        if any(np.any(check.differs) for check in check_outputs(self._network, maps, bounds, exact)):
            return False
        tensor, places = apart
        differs = np.zeros(exact[tensor].shape, dtype=bool)
        differs[tuple(np.transpose(places))] = True
        self._tell(tensor, differs[0])
        return True

    def _tell(self, tensor: str, differs: np.ndarray) -> None:
        """Keep the channels of a frame's numbers that differ: those of the map that the tensor lies on, else its first axis."""
        index = next((one.index % len(one.scale) for one in self._network.traces if one.tensor == tensor), None)
        if index is None or index.shape != differs.shape:
            index = np.indices(differs.shape)[0] if differs.ndim else np.zeros((), dtype=np.int64)
        self.turned.setdefault(tensor, set()).update(index[differs].tolist())

    def outcome(self, equal: bool) -> Outcome:
        """Say how the network stands to the file, whose outputs are ``equal``, or not."""
        if self.unexplained:
            return Outcome.DIFFERS
        if self.at_zero:
            return Outcome.SIGN_AT_ZERO
        if equal:
            return Outcome.EQUAL
        return Outcome.ANNOUNCED if self._network.announced else Outcome.ROUNDED


def _exact(network: Network, frames: Frames, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Give what codes are worth before float32 rounds it; what the host quantises, and what is given as integers, is not among it."""
    return {
        port.name: codec.input_frames(port, port.scale * codes + port.offset)
        for port, codes in zip(network.inputs, frames.codes, strict=True)
        if port.steps is None and not port.rounds and given[port.name].dtype.kind == "f"
    }


def _explained(check: TensorCheck, brackets: Mapping[str, Interval]) -> bool:
    """Whether every number that differs lies among those that rounding in the file makes possible."""
    ends = brackets.get(check.tensor)
    if ends is None or ends[0].size != check.golden.size:
        return False
    low, high = (side.reshape(check.golden.shape) for side in ends)
    near = EXPECTED_ROUNDING * float(np.max(np.abs(check.golden)))
    within = (check.golden >= low - near) & (check.golden <= high + near)
    return bool(np.all(within[check.differs]))
