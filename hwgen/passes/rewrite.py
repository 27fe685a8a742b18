"""Tools that the passes share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from hwgen.graph import Graph, Node
from hwgen.operators.shapes import with_values

__all__ = ["Writing", "axis_constant", "bypass", "rebuilt", "shape_of", "unique", "uses"]


def shape_of(graph: Graph, name: str) -> tuple[int | None, ...]:
    """Give the shape of a constant or value."""
    return graph.constants[name].shape if name in graph.constants else graph.values[name].shape


def uses(graph: Graph) -> Counter[str]:
    """Count how often each tensor is read, as a node's input or as an output of the graph."""
    return Counter(name for node in graph.nodes for name in node.inputs) + Counter(graph.outputs)


def unique(graph: Graph, wish: str, others: Iterable[str] = ()) -> str:
    """Give a tensor name that the graph does not use yet."""
    taken = {*graph.constants, *graph.values, *others}
    name, number = wish, 1
    while name in taken:
        number += 1
        name = f"{wish}_{number}"
    return name


def axis_constant(values: Iterable[int]) -> np.ndarray:
    """Give axes, sizes or pads as ONNX stores them."""
    return np.array(list(values), dtype=np.int64)


def rebuilt(graph: Graph, nodes: Iterable[Node], constants: Mapping[str, np.ndarray]) -> Graph:
    """Give the graph with other nodes and further constants, and records for all values."""
    return with_values(replace(graph, nodes=tuple(nodes), constants={**graph.constants, **constants}))


class Writing:
    """Nodes and constants that take the place of one node.

    Parameters
    ----------
    graph : Graph
    replaced : Node
        Its name, and a part behind that, is the name of each node and tensor.
    constants : dict of str to ndarray
        Constants of all that is written; new ones are added.
    """

    def __init__(self, graph: Graph, replaced: Node, constants: dict[str, np.ndarray]) -> None:
        self.graph, self.replaced, self.constants = graph, replaced, constants
        self._nodes: list[Node] = []
        self._outputs: tuple[str, ...] = ()
        self._made: set[str] = set()

    def _name(self, part: str) -> str:
        name = unique(self.graph, f"{self.replaced.name}.{part}", {*self.constants, *self._made})
        self._made.add(name)
        return name

    def constant(self, part: str, array: np.ndarray) -> str:
        """Store a constant and give its name."""
        name = self._name(part)
        self.constants[name] = array
        return name

    def node(self, op: str, part: str, *inputs: str, **attributes: object) -> str:
        """Append a node of one output and give that."""
        name = self._name(part)
        self._nodes.append(Node(op, f"{self.replaced.name}.{part}", inputs, (name,), attributes))
        return name

    def shape(self, name: str) -> tuple[int | None, ...]:
        """Give the shape of a tensor of the graph as it was."""
        return shape_of(self.graph, name)

    def outputs(self, *names: str) -> None:
        """Say what yields each output of the node that is replaced, where there are several."""
        self._outputs = names

    def finished(self) -> list[Node]:
        """Give the nodes, of which the last has the name and the outputs of the one that is replaced, or several yield these."""
        if self._outputs:
            wanted = self.replaced.outputs
            renamed = {made: name for made, name in zip(self._outputs, wanted, strict=False) if name}
            return [
                replace(node, outputs=tuple(renamed.get(name, name) for name in node.outputs)) for node in self._nodes
            ]
        last = self._nodes[-1]
        return [*self._nodes[:-1], replace(last, name=self.replaced.name, outputs=self.replaced.outputs)]


def bypass(graph: Graph, drop: Mapping[str, str]) -> Graph:
    """Remove single-output nodes and let their readers read something else.

    A node that defines a graph output goes only if the tensor before it comes from a node and can take its name.

    Parameters
    ----------
    graph : Graph
    drop : mapping of str to str
        For each node to remove, by its output: the tensor to read instead, of the same values.

    Returns
    -------
    Graph
        The same object if no node could be removed.
    """
    made = {name for node in graph.nodes for name in node.outputs if name}
    alias: dict[str, str] = {}
    renamed: dict[str, str] = {}

    def resolve(name: str) -> str:
        while name in alias:
            name = alias[name]
        return name

    for out, source in drop.items():
        target = resolve(source)
        if out not in graph.outputs:
            alias[out] = target
        elif target in made and target not in graph.outputs and target not in renamed:
            alias[out] = target
            renamed[target] = out
    if not alias:
        return graph

    def final(name: str) -> str:
        name = resolve(name)
        return renamed.get(name, name)

    nodes = tuple(
        replace(
            node, inputs=tuple(map(final, node.inputs)), outputs=tuple(renamed.get(name, name) for name in node.outputs)
        )
        for node in graph.nodes
        if node.outputs[0] not in alias
    )
    values = dict(graph.values)
    for source, name in renamed.items():
        values[name] = replace(values[source], name=name)
        del values[source]
    for name in alias:
        if name not in renamed.values():
            values.pop(name, None)
    annotations = {renamed.get(name, name): kind for name, kind in graph.annotations.items()}
    return replace(graph, nodes=nodes, values=values, annotations=annotations)
