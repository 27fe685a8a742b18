"""A user's own data through the file, the golden model and the Verilog: how right each is, and which tensor differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.arrays import codec
from hwgen.errors import DataError
from hwgen.golden.network import PackedNetwork
from hwgen.network import InputPort, Network
from hwgen.progress import Progress, silent
from hwgen.verification.bounds import intervals
from hwgen.verification.compare import all_maps, check_outputs, check_tensors
from hwgen.verification.executor import Executor, executor_of
from hwgen.verification.frames import Frames, user_frames
from hwgen.verification.record import Difference

__all__ = ["Row", "Survey", "classes_of", "survey"]

TRACED = 64
"""Frames of which every tensor is compared; the outputs are compared on all."""

USED = 1 / 8
"""Share of an input's codes that frames should reach over."""

GUESSING = 2.0
"""How many times as often as by guessing a network that was trained is right at least."""

RENUMBERED = 0.8
"""Share of frames that are right once classes are renumbered, above which labels are taken to be in another order."""


@dataclass(frozen=True)
class Row:
    """A tensor of the file beside what the network holds of it.

    Parameters
    ----------
    tensor, source : str
        In the file, and the layer or input whose stream holds it.
    shape : tuple of int
        Without batch.
    largest, mean : float
        How far the numbers are apart.
    frames : int
        How many frames differ by more than float32's rounding.
    first : Difference or None
    """

    tensor: str
    source: str
    shape: tuple[int, ...]
    largest: float
    mean: float
    frames: int
    first: Difference | None


@dataclass(frozen=True)
class Survey:
    """What came of a user's data.

    Parameters
    ----------
    executor : str
    independent : bool
    frames : int
    differing : int
        Frames of which an output of the golden model is further from the file's than float32's rounding.
    verilog_differing : int
        Frames of which an output of the Verilog is not the golden model's.
    rows : tuple of Row
        In the file's order.
    agreement : float or None
        Share of frames that the file and the golden model put into the same class; None where outputs are no scores.
    accuracy : dict of str to float
        Of ``file``, ``golden`` and ``verilog``; empty without labels.
    confusion : tuple of tuple of int or None
        How often frames of each label, or without labels of each class of the file, are put into each class by the golden model.
    warnings : tuple of str
    """

    executor: str
    independent: bool
    frames: int
    differing: int
    verilog_differing: int
    rows: tuple[Row, ...]
    agreement: float | None
    accuracy: dict[str, float]
    confusion: tuple[tuple[int, ...], ...] | None
    warnings: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """Give everything in JSON types."""
        return asdict(self)


def survey(
    model: str | Path,
    network: Network,
    x: codec.Inputs,
    verilog: codec.Outputs,
    *,
    labels: np.ndarray | None = None,
    progress: Progress = silent,
) -> Survey:
    """Compare the file, the golden model and the Verilog on a user's data.

    Parameters
    ----------
    model : str or Path
    network : Network
        As `hwgen.read` gives it of ``model``.
    x : ndarray, or mapping of str to ndarray
    verilog : ndarray, or dict of str to ndarray
        What the Verilog made of it, in the model's units.
    labels : ndarray or None
        A class for each frame, or a score of each class.

    Raises
    ------
    DataError
        If the data or the labels do not suit the network.
    """
    progress("running the file")
    executor = executor_of(model)
    tried = user_frames(network, executor.executable.inputs, x)
    outputs = [port.name for port in network.outputs]
    found = executor.run(tried.values, outputs)
    maps = dict(
        zip((port.source for port in network.outputs), PackedNetwork(network).golden_maps(*tried.codes), strict=True)
    )
    checks = check_outputs(network, maps, {name: (codes, codes) for name, codes in maps.items()}, found)
    simulated = verilog if isinstance(verilog, dict) else {outputs[0]: verilog}
    golden = codec.outputs_of(network, list(maps.values()))
    expected = golden if isinstance(golden, dict) else {outputs[0]: golden}
    wrong = [np.any((simulated[name] != expected[name]).reshape(len(tried), -1), axis=1) for name in outputs]
    progress("comparing tensor by tensor")
    warnings = [*_unused(network, tried)]
    arrays = {"file": checks[0].file, "golden": expected[outputs[0]], "verilog": simulated[outputs[0]]}
    found_classes = {who: classes_of(array) for who, array in arrays.items()}
    classes = {who: one for who, one in found_classes.items() if one is not None and len(outputs) == 1}
    truth = classes.get("file")
    if labels is not None:
        if truth is None:
            raise DataError("Labels need a network of one output, which is scores of classes or an index")
        told_classes, told = _labels(labels, checks[0].file)
        warnings += [*told, *_suspicious(executor, network, x, outputs, told_classes, truth)]
        truth = told_classes
    return Survey(
        executor.name,
        executor.independent,
        len(tried),
        int(np.sum(np.any([check.frames for check in checks], axis=0))),
        int(np.sum(np.any(wrong, axis=0))),
        tuple(_rows(network, executor, tried)),
        float(np.mean(classes["file"] == classes["golden"])) if classes else None,
        {} if labels is None else {who: float(np.mean(one == truth)) for who, one in classes.items()},
        None if truth is None else _confusion(truth, classes["golden"]),
        tuple(warnings),
    )


def classes_of(outputs: np.ndarray) -> np.ndarray | None:
    """Give each frame's class: the largest of its scores, the first of several, or its only whole number; None if there are none."""
    scores = outputs.reshape(len(outputs), -1)
    if outputs.ndim > 2 and scores.shape[1] != outputs.shape[1]:
        return None
    if scores.shape[1] > 1:
        return np.asarray(scores.argmax(axis=1))
    return np.asarray(scores[:, 0].astype(np.int64)) if np.all(scores == np.rint(scores)) else None


def _rows(network: Network, executor: Executor, tried: Frames) -> Iterator[Row]:
    part = tried.pick(np.arange(min(len(tried), TRACED)))
    known = executor.executable.makers
    names = [trace.tensor for trace in network.traces if trace.tensor in known]
    found = executor.run(part.values, list(dict.fromkeys([*names, *(port.name for port in network.outputs)])))
    maps = all_maps(network, part.codes)
    order = list(known)
    for check in check_tensors(network, maps, intervals(network, part.codes), found, order):
        off = np.abs(np.nan_to_num(check.file - check.golden))
        frames = int(np.sum(np.any(check.differs.reshape(len(part), -1), axis=1)))
        first = check.first() if frames else None
        shape = check.file.shape[1:]
        yield Row(check.tensor, check.source, shape, float(off.max()), float(off.mean()), frames, first)


def _confusion(rows: np.ndarray, columns: np.ndarray) -> tuple[tuple[int, ...], ...]:
    size = int(max(rows.max(), columns.max())) + 1
    table = np.zeros((size, size), dtype=np.int64)
    np.add.at(table, (rows, columns), 1)
    return tuple(map(tuple, table.tolist()))


def _unused(network: Network, tried: Frames) -> Iterator[str]:
    """Warn where frames reach over little of what an input's codes can say."""
    for port, codes in zip(network.inputs, tried.codes, strict=True):
        low, high = int(codes.min()), int(codes.max())
        if port.type.levels > 2 and high - low < USED * (port.type.levels - 1):
            yield (
                f"The frames of input '{port.name}' reach from code {low} to {high} only, of {port.type.low} to {port.type.high}: "
                f"is it really {port.scale:g} that a code is worth?{_pixels(port, high - low)}"
            )


def _pixels(port: InputPort, reach: int) -> str:
    hint = " Pixels of 0 to 1 need --input-scale 1/255, and whole pixels in a model that divides by itself none."
    return hint if port.type.levels == 256 and reach <= 1 else ""


def _labels(labels: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Give a class for each frame.

    Raises
    ------
    DataError
        If there are more or fewer labels than frames, or classes that the network does not have.
    """
    frames, count = len(outputs), int(np.prod(outputs.shape[1:]))
    if len(labels) != frames:
        raise DataError(f"There are {len(labels)} labels for {frames} frames; give one for each")
    told = []
    if labels.ndim > 1 and labels.size == frames * count and count > 1:
        if _shares(labels) and not _shares(outputs):
            told.append(
                "The labels are probabilities and the outputs are scores (logits): only which is the largest is compared; "
                "put the Softmax behind the outputs to compare numbers"
            )
        return np.asarray(labels.reshape(frames, -1).argmax(axis=1)), told
    classes = labels.reshape(frames, -1)
    if classes.shape[1] != 1 or np.any(classes != np.rint(classes)):
        raise DataError(
            f"Labels must be one class for each of {frames} frames, or {count} scores, not of shape {labels.shape}"
        )
    truth = classes[:, 0].astype(np.int64)
    if truth.min() < 0 or (count > 1 and truth.max() >= count):
        raise DataError(
            f"Labels reach from {truth.min()} to {truth.max()}, but the network has the classes 0 to {count - 1}; number them from 0"
        )
    return truth, told


def _shares(scores: np.ndarray) -> bool:
    rows = scores.reshape(len(scores), -1)
    return bool(np.all(rows >= 0) and np.all(np.abs(rows.sum(axis=1) - 1) < 1e-3))


def _suspicious(
    executor: Executor,
    network: Network,
    x: codec.Inputs,
    outputs: Sequence[str],
    truth: np.ndarray,
    classes: np.ndarray,
) -> Iterator[str]:
    """Warn of what makes even the file wrong: another meaning of the input, or other labels."""
    right, count = float(np.mean(classes == truth)), int(max(truth.max(), classes.max())) + 1
    raw = _as_numbers(executor, network, x)
    if raw is not None:
        plain = classes_of(executor.run(raw, outputs)[outputs[0]])
        better = 0.0 if plain is None else float(np.mean(plain == truth))
        if better > right + 0.1:
            yield (
                f"The file is right on {better:.1%} of the frames if it gets the integers as they are, and on {right:.1%} if a code is "
                f"worth {network.inputs[0].scale:g}: compile with --input-scale 1"
            )
            return
    table = np.array(_confusion(classes, truth))
    named = {each: int(row.argmax()) for each, row in enumerate(table) if row.any()}
    renumbered = float(table.max(axis=1).sum() / len(truth))
    if right < RENUMBERED <= renumbered and len(set(named.values())) == len(named):
        mostly = ", ".join(f"{each} is {label}" for each, label in named.items())
        yield f"The labels number the classes in another order than the file (class {mostly}): {renumbered:.1%} would be right"
    elif right < GUESSING / count:
        yield (
            f"The file itself is right on {right:.1%} of the frames, little better than guessing among {count} classes: "
            "labels in another order than the frames, or frames prepared otherwise than in training"
        )


def _as_numbers(executor: Executor, network: Network, x: codec.Inputs) -> Mapping[str, np.ndarray] | None:
    """Give whole numbers as they are, where the build takes them for codes that are worth something else."""
    (port, *others), arrays = network.inputs, codec.by_input(network, x)
    if (
        others
        or not np.issubdtype(arrays[0].dtype, np.integer)
        or port.steps is not None
        or (port.scale, port.offset) == (1, 0)
    ):
        return None
    dtype = next(value.dtype for value in executor.executable.inputs if value.name == port.name)
    return {port.name: arrays[0].reshape(-1, *port.onnx_shape).astype(dtype)}
