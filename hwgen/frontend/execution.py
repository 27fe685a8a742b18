"""A model file as other people's executors run it: whole, with chosen tensors as outputs, or in steps round the operators of QONNX's domains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper

from hwgen.frontend.convert import model_inputs, sorted_nodes
from hwgen.frontend.domains import CUSTOM_OPERATORS, ONNX_DOMAINS, is_quantised_domain
from hwgen.frontend.load import load_model
from hwgen.frontend.narrow import array_of
from hwgen.graph import Value

__all__ = ["Executable", "Foreign", "Standard"]

QONNX_GENERAL = "qonnx.custom_op.general"
CHANNELS_LAST = "qonnx.custom_op.channels_last"

ALONE = ("Im2Col", "MaxPoolNHWC", "QuantAvgPool2d")
"""Operators of the general domain whose execution asks for the shape of what they yield, or mixes the frames of a batch."""

NEWEST_CONTAINER = 10
"""Version of the file format that all executors of the last years read; it changes the meaning of no operator."""


@dataclass(frozen=True, eq=False)
class Standard:
    """Nodes of ONNX's own operators that run together.

    Parameters
    ----------
    reads, gives : tuple of str
        Tensors that come from elsewhere, and all that the nodes yield.
    model : callable
        Gives the nodes as a file, once it is known of which dtype each tensor is that they read.
    """

    reads: tuple[str, ...]
    gives: tuple[str, ...]
    model: Callable[[Mapping[str, np.dtype]], bytes]


@dataclass(frozen=True, eq=False)
class Foreign:
    """One node of QONNX's domains.

    Parameters
    ----------
    reads, gives : tuple of str
    node : NodeProto
        In the domain by which QONNX's package knows the operator.
    version : int
        Of the domain's operators.
    graph : GraphProto
        What an operator looks up in its graph: of which type the tensors are annotated that it reads.
    alone : bool
        Whether the operator takes frames one by one only, and asks for the shape of what it yields.
    """

    reads: tuple[str, ...]
    gives: tuple[str, ...]
    node: Any
    version: int
    graph: Any
    alone: bool


class Executable:
    """A model file, to be run.

    Parameters
    ----------
    path : str or Path
    given : mapping of str to dtype
        Tensors between the nodes that are fed as inputs are, in place of what the file makes of them.

    Raises
    ------
    ModelError
        If the file cannot be read.
    """

    def __init__(self, path: str | Path, given: Mapping[str, np.dtype] | None = None) -> None:
        self._path = path
        self.given = dict(given or {})
        self._model = load_model(path)
        graph = self._model.graph
        read = {name for node in graph.node for name in node.input}
        _leave_out(graph, self.given)
        self.constants = {tensor.name: array_of(tensor) for tensor in graph.initializer}
        self._nodes = sorted_nodes(graph, {*self.constants, *self.given})
        self.inputs: tuple[Value, ...] = tuple(model_inputs(graph, self.constants, read))
        self.outputs = tuple(value.name for value in graph.output)

    def fed(self, given: Mapping[str, np.dtype]) -> Executable:
        """Give the same file with these tensors fed."""
        return Executable(self._path, given)

    @cached_property
    def foreign(self) -> bool:
        """Whether there are operators of QONNX's domains."""
        return any(map(_is_foreign, self._nodes))

    @cached_property
    def makers(self) -> dict[str, str]:
        """The operator that yields each tensor, in an order in which the nodes can run."""
        return {name: node.op_type for node in self._nodes for name in node.output if name}

    def whole(self, tensors: Iterable[str]) -> bytes:
        """Give the file with just these tensors as outputs."""
        model = self._cut(tensors)
        model.ir_version = min(model.ir_version, NEWEST_CONTAINER)
        return bytes(model.SerializeToString())

    def reference(self, tensors: Iterable[str]) -> Callable[[Mapping[str, np.ndarray]], list[np.ndarray]]:
        """Give onnx's own reference evaluator for these tensors."""
        # Here and not above: it is seldom needed, and slow to load.
        from onnx.reference import ReferenceEvaluator

        evaluator = ReferenceEvaluator(self._cut(tensors))
        return lambda feeds: list(evaluator.run(None, dict(feeds)))

    def _cut(self, tensors: Iterable[str]) -> onnx.ModelProto:
        model = onnx.load(self._path)
        _leave_out(model.graph, self.given)
        model.graph.input.extend(
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), None)
            for name, dtype in self.given.items()
        )
        _put_outputs(model, tensors)
        return model

    def steps(self) -> list[Standard | Foreign]:
        """Divide the nodes into those of QONNX's domains, one by one, and all others between them; what only constants reach comes first."""
        known = {*self.constants, ""}
        early: list[onnx.NodeProto] = []
        late: list[onnx.NodeProto] = []
        for node in self._nodes:
            constant = known.issuperset(node.input)
            (early if constant else late).append(node)
            known |= set(node.output) if constant else set()
        return [*self._divided(early), *self._divided(late)]

    def _divided(self, nodes: Iterable[onnx.NodeProto]) -> list[Standard | Foreign]:
        versions = {entry.domain: entry.version for entry in self._model.opset_import}
        steps: list[Standard | Foreign] = []
        waiting: list[onnx.NodeProto] = []
        for node in nodes:
            if not _is_foreign(node):
                waiting.append(node)
                continue
            steps += self._together(waiting)
            waiting = []
            renamed = onnx.NodeProto()
            renamed.CopyFrom(node)
            renamed.domain = CHANNELS_LAST if node.domain.endswith("channels_last") else QONNX_GENERAL
            version = versions.get(node.domain, 1) if node.domain.startswith("qonnx") else 1
            alone = renamed.domain == CHANNELS_LAST or node.op_type in ALONE
            graph = self._annotated(node.input)
            steps.append(Foreign(tuple(node.input), tuple(node.output), renamed, version, graph, alone))
        return steps + self._together(waiting)

    def _annotated(self, names: Iterable[str]) -> onnx.GraphProto:
        """Give a graph of nothing but the annotations of some tensors; what the file does not annotate is any float."""
        told = {one.tensor_name: one for one in self._model.graph.quantization_annotation}
        graph = onnx.GraphProto()
        for name in names:
            plain = onnx.TensorAnnotation(tensor_name=name)
            plain.quant_parameter_tensor_names.add(key="finn_datatype", value="FLOAT32")
            graph.quantization_annotation.append(told.get(name, plain))
        return graph

    def _together(self, nodes: list[onnx.NodeProto]) -> list[Standard | Foreign]:
        if not nodes:
            return []
        gives = tuple(name for node in nodes for name in node.output if name)
        reads = tuple({name: None for node in nodes for name in node.input if name and name not in gives})

        def model(dtypes: Mapping[str, np.dtype]) -> bytes:
            inputs = [
                helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtypes[name]), None)
                for name in reads
            ]
            graph = helper.make_graph(nodes, "step", inputs, [onnx.ValueInfoProto(name=name) for name in gives])
            opsets = [entry for entry in self._model.opset_import if not is_quantised_domain(entry.domain)]
            whole = helper.make_model(graph, opset_imports=opsets, ir_version=NEWEST_CONTAINER)
            return bytes(whole.SerializeToString())

        return [Standard(reads, gives, model)]


def _is_foreign(node: onnx.NodeProto) -> bool:
    return is_quantised_domain(node.domain) or (node.domain in ONNX_DOMAINS and node.op_type in CUSTOM_OPERATORS)


def _leave_out(graph: onnx.GraphProto, names: Mapping[str, np.dtype]) -> None:
    """Leave out what makes these tensors."""
    for node in [node for node in graph.node if names.keys() & set(node.output)]:
        if names.keys() >= set(node.output):
            graph.node.remove(node)
        else:
            node.output[:] = [f"{name} as made" if name in names else name for name in node.output]
    for value in [value for value in graph.value_info if value.name in names]:
        graph.value_info.remove(value)


def _put_outputs(model: onnx.ModelProto, tensors: Iterable[str]) -> None:
    kept = {value.name: value for value in model.graph.output}
    wanted = [kept.get(name) or onnx.ValueInfoProto(name=name) for name in tensors]
    del model.graph.output[:]
    model.graph.output.extend(wanted)
