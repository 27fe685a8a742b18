"""Who runs the file: ONNX Runtime, QONNX's own operators, onnx's reference; and last, where nobody else can, hwgen's operators.

Graph optimisation is off: it rounds otherwise, and its int8 kernels saturate on some processors. One thread, so that sums are added up in one order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime

from hwgen.errors import ModelError, ToolError
from hwgen.frontend import Executable, Foreign, read_onnx
from hwgen.graph import Graph, Node, Value
from hwgen.operators import evaluate

__all__ = ["Executor", "executor_of"]

Arrays = Mapping[str, np.ndarray]

SILENT = 4
"""ONNX Runtime's severity of log lines above which it says nothing."""


class _Engine(Protocol):
    """Runs the file on one batch."""

    def __call__(self, feeds: Arrays, tensors: Sequence[str]) -> list[np.ndarray]: ...


class Executor:
    """A model file and who runs it.

    Parameters
    ----------
    name : str
        Who, as reports call it.
    independent : bool
        Whether none of hwgen's own operators takes part.
    executable : Executable
    make : callable
        Gives what runs it on a batch.
    """

    def __init__(
        self, name: str, independent: bool, executable: Executable, make: Callable[[Executable], _Engine]
    ) -> None:
        self.name = name
        self.independent = independent
        self.executable = executable
        self._make = make
        self._engine = make(executable)
        self._batch = max((value.shape[0] for value in executable.inputs if value.shape[0] is not None), default=None)

    def given(self, tensors: Mapping[str, np.dtype]) -> Executor:
        """Give the same, but for tensors between the nodes that it is fed as it is inputs."""
        return Executor(self.name, self.independent, self.executable.fed(tensors), self._make)

    def run(self, feeds: Arrays, tensors: Sequence[str]) -> dict[str, np.ndarray]:
        """Run frames through the file.

        Parameters
        ----------
        feeds : mapping of str to ndarray
            As many frames of each input, in the model's own dtype and layout; an input without frames gets zeros.
        tensors : sequence of str
            Outputs, or any tensors between the nodes.

        Returns
        -------
        dict of str to ndarray
            Each with the frames first.
        """
        frames = len(next(iter(feeds.values())))
        whole = self.whole(feeds)
        if self._batch is None:
            found = self._at_once(whole, tensors)
            if found is not None and (frames == 1 or all(array.ndim and len(array) == frames for array in found)):
                return {name: _framed(array, frames) for name, array in zip(tensors, found, strict=True)}
        batch = self._batch or 1
        parts = [self._part(whole, tensors, first, batch, frames) for first in range(0, frames, batch)]
        return {
            name: np.concatenate(pieces)[:frames]
            for name, pieces in zip(tensors, zip(*parts, strict=True), strict=True)
        }

    def whole(self, feeds: Arrays) -> dict[str, np.ndarray]:
        """Give frames of every input, zeros where there are none."""
        frames = len(next(iter(feeds.values())))
        return {
            value.name: feeds.get(value.name, _zeros(value.shape, value.dtype, frames))
            for value in self.executable.inputs
        } | {name: feeds[name] for name in self.executable.given}

    def _at_once(self, feeds: Arrays, tensors: Sequence[str]) -> list[np.ndarray] | None:
        """Run all frames as one batch; None where a batch of one is built into the file."""
        try:
            return self._engine(feeds, tensors)
        except Exception:  # other people's executors raise whatever they like
            return None

    def _part(self, feeds: Arrays, tensors: Sequence[str], first: int, batch: int, frames: int) -> list[np.ndarray]:
        """Run one batch of a file that takes no other; the last frame fills it up."""
        chosen = np.minimum(np.arange(first, first + batch), frames - 1)
        return [
            _framed(array, batch) for array in self._engine({name: x[chosen] for name, x in feeds.items()}, tensors)
        ]


def _zeros(shape: Sequence[int | None], dtype: np.dtype, frames: int) -> np.ndarray:
    return np.zeros((frames, *(size or 1 for size in shape[1:])), dtype)


def _framed(array: np.ndarray, frames: int) -> np.ndarray:
    """Give a tensor with the frames first, also where a batch of one has lost its axis."""
    return array if array.ndim and len(array) == frames else array[None]


def executor_of(path: str | Path) -> Executor:
    """Choose the executor of a file: the first that runs it.

    Raises
    ------
    ModelError
        If the file cannot be read.
    ToolError
        If nobody can run it; it says why ONNX Runtime cannot.
    """
    executable = Executable(path)
    reasons = []
    for name, independent, make in _candidates(path, executable):
        try:
            found = Executor(name, independent, executable, make)
            found.run(
                {value.name: _zeros(value.shape, value.dtype, 1) for value in executable.inputs}, executable.outputs
            )
        except ModelError:
            raise
        except Exception as error:  # other people's executors raise whatever they like
            reasons.append(
                f"{name}: {str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__}"
            )
        else:
            return found
    raise ToolError(f"Nobody can run '{path}' to hold the build to it ({'; '.join(reasons)}); compile with --no-verify")


def _candidates(
    path: str | Path, executable: Executable
) -> Iterator[tuple[str, bool, Callable[[Executable], _Engine]]]:
    if executable.foreign:
        yield "QONNX", True, partial(_Stepwise, partial(_QonnxNodes, path))
    yield "ONNX Runtime", True, _OnnxRuntime
    if executable.foreign:
        yield "ONNX Runtime with hwgen's quantisers", False, partial(_Stepwise, partial(_OwnNodes, path))
    else:
        yield "onnx's reference evaluator", True, _Reference
    yield "hwgen's operators", False, partial(_Own, path)


def _session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = SILENT
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class _OnnxRuntime:
    """The whole file in ONNX Runtime."""

    def __init__(self, executable: Executable) -> None:
        self._executable = executable
        self._sessions: dict[tuple[str, ...], onnxruntime.InferenceSession] = {}

    def __call__(self, feeds: Arrays, tensors: Sequence[str]) -> list[np.ndarray]:
        wanted = tuple(tensors)
        if wanted not in self._sessions:
            self._sessions[wanted] = _session(self._executable.whole(wanted))
        return list(self._sessions[wanted].run(None, dict(feeds)))


class _Reference:
    """The whole file in onnx's reference evaluator."""

    def __init__(self, executable: Executable) -> None:
        self._executable = executable

    def __call__(self, feeds: Arrays, tensors: Sequence[str]) -> list[np.ndarray]:
        return self._executable.reference(tensors)(feeds)


class _Own:
    """The whole file by hwgen's own operators."""

    def __init__(self, path: str | Path, executable: Executable) -> None:
        graph = read_onnx(path)
        left = [node for node in graph.nodes if not executable.given.keys() & set(node.outputs)]
        self._graph = replace(graph, nodes=tuple(left))

    def __call__(self, feeds: Arrays, tensors: Sequence[str]) -> list[np.ndarray]:
        values = evaluate.run(self._graph, feeds)
        return [values[name] for name in tensors]


class _Stepwise:
    """ONNX's operators in ONNX Runtime, those of QONNX's domains one by one by somebody else."""

    def __init__(self, nodes: Callable[[], Any], executable: Executable) -> None:
        self._foreign = nodes()
        self._steps = executable.steps()
        self._sessions: dict[int, onnxruntime.InferenceSession] = {}
        self._known: dict[str, np.ndarray] = dict(executable.constants)
        constant = 0
        while constant < len(self._steps) and set(self._steps[constant].reads) <= {*self._known, ""}:
            self._do(constant, self._known)
            constant += 1
        self._first = constant

    def __call__(self, feeds: Arrays, tensors: Sequence[str]) -> list[np.ndarray]:
        context = {**self._known, **feeds}
        for number in range(self._first, len(self._steps)):
            self._do(number, context)
        return [context[name] for name in tensors]

    def _do(self, number: int, context: dict[str, np.ndarray]) -> None:
        step = self._steps[number]
        if isinstance(step, Foreign):
            self._foreign(step, context)
            return
        if number not in self._sessions:
            self._sessions[number] = _session(step.model({name: context[name].dtype for name in step.reads}))
        found = self._sessions[number].run(None, {name: context[name] for name in step.reads})
        context.update(zip(step.gives, found, strict=True))


class _QonnxNodes:
    """Operators as QONNX's package executes them, but for its rounding of tensors that are annotated as integers."""

    def __init__(self, path: str | Path) -> None:
        from qonnx.custom_op.registry import getCustomOp

        # Some of its operators start sessions of their own.
        onnxruntime.set_default_logger_severity(SILENT)
        self._operator = getCustomOp
        self._path = path

    @cached_property
    def _values(self) -> Mapping[str, Value]:
        return read_onnx(self._path).values

    def __call__(self, step: Foreign, context: dict[str, np.ndarray]) -> None:
        operator = self._operator(step.node, onnx_opset_version=step.version)
        if not step.alone:
            operator.execute_node(context, step.graph)
            return
        (source, *_), (target, *_) = step.reads, step.gives
        value, frames = self._values[target], []
        for frame in context[source]:
            own = {**context, source: frame[None], target: _zeros(value.shape, value.dtype, 1)}
            operator.execute_node(own, step.graph)
            frames.append(own[target])
        context[target] = np.concatenate(frames)


class _OwnNodes:
    """Operators of QONNX's domains as hwgen means them."""

    def __init__(self, path: str | Path) -> None:
        graph: Graph = read_onnx(path)
        self._constants = graph.constants
        self._makers: dict[str, Node] = {name: node for node in graph.nodes for name in node.outputs}

    def __call__(self, step: Foreign, context: dict[str, np.ndarray]) -> None:
        known = {**self._constants, **context}
        for name in step.gives:
            if name:
                context[name] = self._value(name, known)

    def _value(self, name: str, known: dict[str, np.ndarray]) -> np.ndarray:
        """Give a tensor, and remember it; an operator may have become several nodes."""
        if name not in known:
            node = self._makers[name]
            arrays = [self._value(each, known) if each else None for each in node.inputs]
            known.update(zip(node.outputs, evaluate.apply(node, arrays), strict=False))
        return known[name]
