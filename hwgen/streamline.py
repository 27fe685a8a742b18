"""Graph -> Network: float operators become layers of integers, exactly."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.codes import CodeType
from hwgen.errors import ModelError
from hwgen.graph import Graph
from hwgen.layers.protocol import Layer
from hwgen.network import Network, check
from hwgen.streamlining.builder import Builder, identifier
from hwgen.streamlining.heads import output_port
from hwgen.streamlining.input_port import declare_input
from hwgen.streamlining.precision import Precision
from hwgen.streamlining.signal import Signal
from hwgen.streamlining.walk import walk

__all__ = ["streamline"]


def streamline(
    graph: Graph,
    *,
    input_type: CodeType | str | None = None,
    input_scale: float | None = None,
    input_offset: float | None = None,
    strict: bool = False,
    precision: Precision | None = None,
) -> Network:
    """Turn a graph into a network of integers that computes the same.

    Thresholds are found by running the graph's own nodes, in float64, on every integer that an accumulator can reach. See
    `hwgen.streamlining`.

    Parameters
    ----------
    graph : Graph
        As `hwgen.passes.run` leaves it.
    input_type : CodeType, str or None
        What the host sends; None: what the graph says (an integer input, a quantiser or sign behind the input).
    input_scale, input_offset : float or None
        Meaning of an input code: the model's input is ``input_scale * code + input_offset``; 1 and 0 if not given.
    strict : bool
        Refuse a Sign that can see exactly 0, instead of taking +1.
    precision : Precision or None
        How real numbers become integers; None: by the defaults of `Precision`.

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
    declared = (input_type, input_scale, input_offset)
    shared: frozenset[str] = frozenset()
    real_input, network = False, None
    while network is None:
        builder = Builder(strict=strict, precision=precision, shared=shared, real_input=real_input)
        try:
            network = _network(graph, declared, builder)
        except ModelError:
            reals = (
                builder.wants_real_input and graph.inputs[0] in builder.precision.ranges and not builder.precision.exact
            )
            if builder.clashes <= shared and (real_input or not reals):
                raise
            real_input = real_input or reals
        if not builder.clashes <= shared:
            network = None
        # The readers of a map want different codes of it: it goes out as it is, which is known only now.
        shared |= builder.clashes
    check(network)
    return network


def _network(
    graph: Graph, declared: tuple[CodeType | str | None, float | None, float | None], builder: Builder
) -> Network:
    """Walk the graph once."""
    source = declare_input(graph, *declared, builder)
    tensors = walk(graph, source, builder)
    builder.raise_refusals()
    for name in graph.outputs:
        if name not in tensors:
            raise ModelError(f"Output '{name}' holds the values of a ranking; only its indices have hardware")
    outputs = []
    for name in dict.fromkeys(graph.outputs):
        signal = tensors[name]
        if isinstance(signal, Signal):
            outputs.append(output_port(graph, name, signal, builder))
        else:
            builder.note(f"Output '{name}' is left out: it is the same for every input")
    if not outputs:
        raise ModelError(f"The model needs an output that depends on its input; it has {', '.join(graph.outputs)}")
    layers = _read(builder.layers, {port.source for port in outputs})
    if not layers:
        raise ModelError("The model holds nothing but what the host does to its input; it needs at least one layer")
    if builder.input is None:
        raise TypeError("The input is declared first")
    return Network(identifier(graph.name) or "network", builder.input, layers, tuple(outputs), tuple(builder.notes))


def _read(layers: Sequence[Layer], wanted: set[str]) -> tuple[Layer, ...]:
    """Leave out layers that nothing reads."""
    kept = []
    for layer in reversed(layers):
        if layer.name in wanted:
            kept.append(layer)
            wanted |= set(layer.sources)
    return tuple(reversed(kept))
