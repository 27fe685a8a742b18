"""Hold a network to the ONNX file that it was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import starmap
from pathlib import Path

import numpy as np

from hwgen.arrays import codec
from hwgen.arrays.expected import EXPECTED_ROUNDING
from hwgen.errors import ModelError
from hwgen.golden.network import PackedNetwork
from hwgen.layers.conv import Conv
from hwgen.network import Network
from hwgen.progress import Progress, silent
from hwgen.verification.bounds import Interval, intervals
from hwgen.verification.compare import OutputCheck, TensorCheck, all_maps, check_outputs, check_tensors
from hwgen.verification.executor import Executor, executor_of
from hwgen.verification.explain import Brackets
from hwgen.verification.frames import Frames, made_frames, user_frames
from hwgen.verification.record import Difference, Outcome, Verification

__all__ = ["frame_count", "verify"]

MOST_FRAMES = 64
"""Frames of a small network."""

LEAST_FRAMES = 2
"""Frames of a large one."""

BUDGET = 4_000_000_000
"""Multiplications in all frames: about a second of one core, file and golden model together."""

PER_NUMBER = 50
"""Multiplications that reading a number of a map counts as."""

FOLLOWED = 6
"""How many times as much work a network is whose roundings are followed from layer to layer."""

LOOKED_AT = 2
"""Frames of a network that rounds, of which every tensor is held to the file's."""

TOLD = 400
"""Characters of notes that a refusal quotes."""

REFUSED = 0.1
"""Share of an output's range above which an announced error is a refusal."""


def verify(
    model: str | Path, network: Network, *, frames: codec.Inputs | None = None, progress: Progress = silent
) -> Verification:
    """Run the file and the golden model on the same frames, and compare.

    Parameters
    ----------
    model : str or Path
        The ONNX file that the network was read from.
    network : Network
        As `hwgen.read` gives it; one from a build folder does not know where tensors of the file are, nor which errors were announced.
    frames : ndarray, mapping of str to ndarray, or None
        Frames of the user's own that are tried before random ones, as for `Accelerator.golden`.
    progress : callable
        Called with the name of each step.

    Returns
    -------
    Verification

    Raises
    ------
    ModelError
        If an announced error is more than a tenth of an output's range.
    ToolError
        If nobody can run the file.
    """
    progress("holding the network to the file")
    executor = executor_of(model)
    tried = _frames(network, executor, frames)
    found = executor.run(tried.values, [port.name for port in network.outputs])
    maps, bounds = _golden(network, tried)
    checks = check_outputs(network, maps, bounds, found)
    exact = not network.announced
    wrong = np.any([check.frames for check in checks], axis=0)
    if not exact:
        # A worst case that outputs stay within says little: the tensors before them are looked at too.
        wrong[:LOOKED_AT] = True
    inquiry = _Inquiry(model, network, executor)
    for frame in np.flatnonzero(wrong):
        inquiry.look_into(tried.pick(np.array([frame])), int(frame))
    outcome = inquiry.outcome(all(check.equal(inquiry.largest) for check in checks))
    if outcome is Outcome.ANNOUNCED:
        # Where a decision fell otherwise, what follows is no error of the network's.
        _refuse(checks, network, np.isin(np.arange(len(tried)), list(inquiry.turned_frames), invert=True))
    return Verification(
        executor.name,
        executor.independent,
        len(tried),
        outcome,
        {} if exact else {check.port.name: check.bound for check in checks},
        {check.port.name: float(np.max(np.abs(np.nan_to_num(check.file - check.golden)))) for check in checks},
        len(inquiry.unexplained),
        inquiry.unexplained[0] if inquiry.unexplained else None,
        tuple(starmap(_note, inquiry.turned.items())),
    )


def _golden(network: Network, tried: Frames) -> tuple[dict[str, np.ndarray], dict[str, Interval]]:
    """Give the codes of the outputs' layers, and how far they may be off."""
    sources = [port.source for port in network.outputs]
    maps = dict(zip(sources, PackedNetwork(network).golden_maps(*tried.codes), strict=True))
    if network.announced:
        return maps, intervals(network, tried.codes)
    return maps, {name: (codes, codes) for name, codes in maps.items()}


def _frames(network: Network, executor: Executor, given: codec.Inputs | None) -> Frames:
    """Choose frames; how many depends on the network alone, so that the same network is always held to the same."""
    count = frame_count(network)
    made = made_frames(network, executor.executable.inputs, count)
    if given is None:
        return made
    own = user_frames(network, executor.executable.inputs, given)
    first = own.pick(np.arange(min(len(own), max(1, count // 2))))
    return first.and_then(made.pick(np.arange(count - len(first))))


def frame_count(network: Network) -> int:
    """Give how many frames are tried."""
    numbers = sum(int(np.prod(entry.shape)) for layer in network.layers for entry in layer.inputs)
    products = sum(
        layer.weights.size * layer.out_shape[0] * layer.out_shape[1]
        for layer in network.layers
        if hasattr(layer, "weights")
    )
    work = (products + PER_NUMBER * numbers) * (FOLLOWED if network.announced else 1)
    return int(np.clip(BUDGET // max(1, work), LEAST_FRAMES, MOST_FRAMES))


def _refuse(checks: Sequence[OutputCheck], network: Network, kept: np.ndarray) -> None:
    for check in checks:
        if (share := check.share(kept)) > REFUSED:
            raise ModelError(
                f"Output '{check.port.name}' would be off by {share:.0%} of how far it goes, by what the notes announce: "
                f"{'; '.join(network.notes)[:TOLD]}. Give the range of real numbers with --calibrate, or more --fixed-bits and --weight-bits; "
                "or compile with --no-verify to build it all the same"
            )


class _Inquiry:
    """Frames followed tensor by tensor: what float32 rounding explains, and what nothing does."""

    def __init__(self, model: str | Path, network: Network, executor: Executor) -> None:
        self._model, self._network, self._executor = model, network, executor
        chosen = network.conversion.sign_at_zero if network.conversion else 0
        self._sign_at_zero = chosen if network.ties else 0
        self.turned: dict[str, set[int]] = {}
        self.turned_frames: set[int] = set()
        self.at_zero = False
        self._largest = 0.0
        self.unexplained: list[Difference] = []

    @cached_property
    def _brackets(self) -> Brackets:
        return Brackets(self._model)

    @cached_property
    def _names(self) -> list[str]:
        return [name for name in self._executor.executable.makers if name in self._brackets.tensors]

    @property
    def largest(self) -> float:
        """The largest number of the file in frames of a network that rounds; no bound for another's."""
        return self._largest if self._network.announced else np.inf

    def look_into(self, one: Frames, number: int) -> None:
        """Follow a frame up to the first number that is another."""
        given = self._executor.whole(one.values)
        found = self._executor.run(one.values, self._names) | given
        numbers = (np.abs(tensor[np.isfinite(tensor)]) for tensor in found.values() if tensor.dtype.kind == "f")
        self._largest = max(self._largest, *(float(tensor.max(initial=0.0)) for tensor in numbers), 0.0)
        meant = given | _exact(self._network, one, given)
        maps, bounds = all_maps(self._network, one.codes), intervals(self._network, one.codes)
        for check in check_tensors(self._network, maps, bounds, found, self._names):
            first = check.first(number)
            if first is None:
                continue
            if _explained(check, self._brackets.of(found, meant)):
                self.turned_frames.add(number)
                self._tell(check.tensor, check.differs[0])
            elif (self._sign_at_zero and _explained(check, self._brackets.of(found, meant, self._sign_at_zero))) or (
                self._sign_at_zero and self._taken(found, meant, maps)
            ):
                self.at_zero = True
            elif self._replayed(found, meant, maps, bounds):
                self.turned_frames.add(number)
            else:
                self.unexplained.append(first)
            return

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

    def _taken(
        self, found: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray], maps: Mapping[str, np.ndarray]
    ) -> bool:
        """Whether the outputs are what the inputs give with every Sign of 0 taken as told: some signs are on no stream as they are.

        Signs behind a border that a convolution takes over are 0 there and as told elsewhere, which nothing but the network says.
        """
        if any(isinstance(layer, Conv) and any(layer.window.pads) for layer in self._network.layers):
            traced = {trace.tensor for trace in self._network.traces}
            if self._brackets.zero_signs(found) - traced:
                return True
        told = self._brackets.replayed(found, inputs, self._sign_at_zero)
        codes = {port.source: (maps[port.source],) * 2 for port in self._network.outputs}
        return told is not None and all(check.equal() for check in check_outputs(self._network, maps, codes, told))

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


def _note(tensor: str, channels: set[int]) -> str:
    shown = ", ".join(map(str, sorted(channels)[:8])) + (", ..." if len(channels) > 8 else "")
    return (
        f"float32 rounding in the file decides '{tensor}' otherwise than exact arithmetic in {len(channels)} channel(s) ({shown}) "
        "on some of the frames that were tried: exact arithmetic is used"
    )
