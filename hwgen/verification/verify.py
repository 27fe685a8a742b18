"""Hold a network to the ONNX file that it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap
from pathlib import Path

import numpy as np

from hwgen.arrays import codec
from hwgen.errors import ModelError
from hwgen.golden.network import PackedNetwork
from hwgen.network import Network
from hwgen.progress import Progress, silent
from hwgen.verification.bounds import Interval, intervals
from hwgen.verification.compare import OutputCheck, check_outputs
from hwgen.verification.executor import Executor, executor_of
from hwgen.verification.frames import Frames, made_frames, user_frames
from hwgen.verification.inquiry import Inquiry
from hwgen.verification.record import Outcome, Verification

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
    inquiry = Inquiry(model, network, executor)
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


def _note(tensor: str, channels: set[int]) -> str:
    shown = ", ".join(map(str, sorted(channels)[:8])) + (", ..." if len(channels) > 8 else "")
    return (
        f"float32 rounding in the file decides '{tensor}' otherwise than exact arithmetic in {len(channels)} channel(s) ({shown}) "
        "on some of the frames that were tried: exact arithmetic is used"
    )
