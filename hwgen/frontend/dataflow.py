"""The nodes of a model that depend on its inputs: what is before and behind each, and chosen ones as a model of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

import onnx

from hwgen.errors import ModelError
from hwgen.frontend.convert import sorted_nodes

__all__ = ["Dataflow"]


class Dataflow:
    """The nodes of a model that depend on its inputs, by their number, each with a name of its own."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        graph = model.graph
        constants = {tensor.name for tensor in (*graph.initializer, *(s.values for s in graph.sparse_initializer))}
        ordered = [onnx.NodeProto.FromString(node.SerializeToString()) for node in sorted_nodes(graph, constants)]
        graph.ClearField("node")
        graph.node.extend(ordered)
        taken: set[str] = set()
        for node in graph.node:
            wish = node.name or next(filter(None, node.output), node.op_type)
            node.name = next(name for n in range(len(taken) + 1) if (name := f"{wish}_{n}" if n else wish) not in taken)
            taken.add(node.name)
        self.inputs = [value.name for value in graph.input if value.name not in constants]
        self.outputs = [value.name for value in graph.output]
        self.ports = {*self.inputs, *self.outputs}
        self.maker = {name: number for number, node in enumerate(graph.node) for name in node.output if name}
        self.reads = [_read(node) for node in graph.node]
        self.tensors = set(self.inputs)
        self.order: list[int] = []
        for number, node in enumerate(graph.node):
            if self.tensors & self.reads[number]:
                self.order.append(number)
                self.tensors |= set(node.output) - {""}
        known = set(self.order)
        self.needs = {
            number: {self.maker[name] for name in self.reads[number] if name in self.maker} & known for number in known
        }

    def before(self, nodes: Iterable[int]) -> set[int]:
        """Give nodes and all that they depend on."""
        found: set[int] = set()
        waiting = list(nodes)
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += self.needs.get(node, ())
        return found & set(self.order)

    def after(self, nodes: Iterable[int]) -> set[int]:
        """Give nodes and all that depends on them."""
        found = set(nodes)
        for node in self.order:
            if self.needs[node] & found:
                found.add(node)
        return found

    def find(self, names: Iterable[str | None]) -> set[int]:
        """Give the nodes of these names, or of which nodes of these names were made."""
        numbers = {self.model.graph.node[number].name: number for number in self.order}
        found = set()
        for name in filter(None, names):
            whole = [known for known in numbers if name == known or name.startswith(f"{known}.")]
            if whole:
                found.add(numbers[max(whole, key=len)])
        return found

    def made_by(self, nodes: Set[int]) -> list[str]:
        """Give the tensors that nodes yield, in the graph's order."""
        return [name for node in self.order if node in nodes for name in self.model.graph.node[node].output if name]

    def across(self, nodes: Set[int], sources: Iterable[str]) -> tuple[str, ...]:
        """Give those of some tensors that nodes read, in the graph's order."""
        read = set().union(*(self.reads[node] for node in nodes)) & set(sources)
        known = [*self.inputs, *self.made_by(set(self.order))]
        return tuple(name for name in known if name in read)

    def titles(self, nodes: Set[int]) -> tuple[str, ...]:
        """Name nodes and their operators."""
        chosen = [self.model.graph.node[node] for node in self.order if node in nodes]
        return tuple(f"'{node.name}' ({node.op_type})" for node in chosen)

    def part(self, nodes: Set[int], inputs: Sequence[str], outputs: Sequence[str]) -> onnx.ModelProto:
        """Give nodes as a model of their own, with the constants that they read."""
        graph = self.model.graph
        chosen, read, waiting = set(nodes), set(outputs), list(nodes)
        while waiting:
            node = waiting.pop()
            read |= self.reads[node]
            constant = {self.maker[name] for name in self.reads[node] if name in self.maker} - set(self.order)
            waiting += constant - chosen
            chosen |= constant
        values = self._values()
        part = onnx.ModelProto()
        part.CopyFrom(self.model)
        for field in ("node", "input", "output", "initializer", "sparse_initializer", "value_info"):
            part.graph.ClearField(field)
        part.graph.node.extend(graph.node[node] for node in sorted(chosen))
        part.graph.initializer.extend(tensor for tensor in graph.initializer if tensor.name in read)
        part.graph.sparse_initializer.extend(s for s in graph.sparse_initializer if s.values.name in read)
        part.graph.input.extend(_typed(name, values) for name in inputs)
        part.graph.output.extend(_typed(name, values) for name in outputs)
        mine = read.union(*(graph.node[node].output for node in chosen)) - {*inputs, *outputs}
        part.graph.value_info.extend(value for value in graph.value_info if value.name in mine)
        return part

    def _values(self) -> dict[str, onnx.ValueInfoProto]:
        try:
            model = onnx.shape_inference.infer_shapes(self.model, data_prop=True)
        except (onnx.shape_inference.InferenceError, RuntimeError, ValueError):
            model = self.model
        graph = model.graph
        return {value.name: value for value in (*graph.value_info, *graph.output, *graph.input)}


def _read(node: onnx.NodeProto) -> set[str]:
    """Give what a node reads, with what graphs inside it read from outside."""
    names = set(node.input) - {""}
    for attribute in node.attribute:
        for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
            names |= set().union(*(_read(inner) for inner in graph.node), {value.name for value in graph.output})
            names -= {name for inner in graph.node for name in inner.output}
            names -= {value.name for value in (*graph.input, *graph.initializer)}
    return names


def _typed(name: str, values: dict[str, onnx.ValueInfoProto]) -> onnx.ValueInfoProto:
    value = values.get(name)
    if value is None or not value.type.tensor_type.HasField("shape"):
        raise ModelError(
            f"The shape of tensor '{name}', where the model is cut, is not known; write it into the file with onnx.shape_inference, "
            "or cut elsewhere"
        )
    return value
