"""Graph -> Network: float operators become layers of integers, exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Graph, Node
from hwgen.layers.protocol import Layer, sources_of
from hwgen.network import Network, OutputPort, check
from hwgen.streamlining.builder import Builder, identifier
from hwgen.streamlining.cells import folded
from hwgen.streamlining.declaration import Declaration, declarations
from hwgen.streamlining.functions.signal import Signal
from hwgen.streamlining.nodes.heads import output_port
from hwgen.streamlining.nodes.host_quantiser import several_quantisers
from hwgen.streamlining.nodes.input_port import declare_input
from hwgen.streamlining.nodes.walk import walk
from hwgen.streamlining.options import Options

__all__ = ["streamline"]


def streamline(graph: Graph, options: Options) -> Network:
    """Turn a graph into a network of integers that computes the same.

    Thresholds are found by running the graph's own nodes, in float64, on every integer that an accumulator can reach. See
    `hwgen.streamlining`.

    Parameters
    ----------
    graph : Graph
        As `hwgen.passes.run` leaves it.
    options : Options
        What the host sends, and how real numbers become integers. Its frames for calibration are for `hwgen.streamlining.calibration`.

    Returns
    -------
    Network

    Raises
    ------
    ModelError
        If something in the graph cannot become hardware; names the ONNX node.
    OptionError
        If the declared input has no meaning.
    """
    declared = declarations(graph.inputs, options.input_type, options.input_scale, options.input_offset)
    shared: frozenset[str] = frozenset()
    real_inputs: frozenset[str] = frozenset()
    divided: frozenset[str] = frozenset()
    bounds: dict[str, np.ndarray] = {}
    network = None
    while network is None:
        builder = Builder(options.conversion, shared=shared, real_inputs=real_inputs, bounds=bounds, divided=divided)
        try:
            network = _network(graph, declared, builder)
        except ModelError:
            # Ranges let the host round what nothing in the graph quantises.
            ranges = () if options.conversion.exact else options.conversion.ranges
            reals = builder.wants_real & {name for name, _, _ in ranges}
            known = builder.clashes <= shared and reals <= real_inputs and builder.divided <= divided
            if known and not several_quantisers(builder):
                raise
            real_inputs |= reals
        if not builder.clashes <= shared or several_quantisers(builder):
            network = None
        bounds |= several_quantisers(builder)
        # The readers of a map want different codes of it: it goes out as it is, which is known only now.
        shared |= builder.clashes
        divided |= builder.divided
    check(network)
    return network


def _network(graph: Graph, declared: Mapping[str, Declaration], builder: Builder) -> Network:
    """Walk the graph once."""
    read = {name for node in graph.nodes for name in node.inputs} | set(graph.outputs)
    sources = {name: declare_input(graph, name, declared[name], builder) for name in graph.inputs if name in read}
    tensors = walk(graph, sources, builder)
    outputs = []
    for name in dict.fromkeys(graph.outputs):
        try:
            with builder.assuming(name in builder.assumed):
                port = _output(graph, name, tensors, builder)
        except ModelError as error:
            builder.refuse(Node("Output", name, (), ()), error)
        else:
            outputs += [port] if port else []
    builder.raise_refusals()
    if not outputs:
        raise ModelError(f"The model needs an output that depends on its input; it has {', '.join(graph.outputs)}")
    ends = frozenset(port.source for port in outputs)
    maps = {port.name: (port.shape, port.type) for port in builder.inputs.values()}
    rounded = frozenset(one.layer for one in builder.announced)
    layers = folded(_read(builder.layers, set(ends)), maps, ends, rounded, builder.name, builder.note)
    if not layers:
        raise ModelError("The model holds nothing but what the host does to its input; it needs at least one layer")
    wanted = {source for layer in layers for source in sources_of(layer)} | {port.source for port in outputs}
    inputs = tuple(builder.inputs[name] for name in graph.inputs if name in wanted)
    for name in graph.inputs:
        if name not in wanted:
            builder.note(f"Input '{name}' is left out: no output depends on it")
    name = identifier(graph.name) or "network"
    yields = {port.name for port in inputs} | {layer.name for layer in layers}
    traces = tuple(trace for trace in builder.traces.values() if trace.source in yields)
    announced = tuple(one for one in builder.announced if one.layer in yields)
    return Network(
        name,
        inputs,
        layers,
        tuple(outputs),
        tuple(builder.notes),
        builder.conversion,
        traces,
        announced,
        tuple((node, len(channels)) for node, channels in builder.ties.items()),
    )


def _output(graph: Graph, name: str, tensors: Mapping[str, Signal | np.ndarray], builder: Builder) -> OutputPort | None:
    """Write an output down; None if there is nothing to write."""
    if name in builder.lost:
        return None
    if name not in tensors:
        raise ModelError(
            f"Output '{name}' holds the values of a ranking; only its indices have hardware, and a value alone (k = 1)"
        )
    signal = tensors[name]
    if isinstance(signal, Signal):
        return output_port(graph, name, signal, builder)
    builder.note(f"Output '{name}' is left out: it is the same for every input")
    return None


def _read(layers: Sequence[Layer], wanted: set[str]) -> tuple[Layer, ...]:
    """Leave out layers that nothing reads."""
    kept = []
    for layer in reversed(layers):
        if layer.name in wanted:
            kept.append(layer)
            wanted |= set(sources_of(layer))
    return tuple(reversed(kept))
