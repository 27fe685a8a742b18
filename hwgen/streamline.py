"""Graph -> Network: float operators become layers of integers, exactly."""

from __future__ import annotations

from hwgen.codes import CodeType
from hwgen.errors import ModelError
from hwgen.graph import Graph
from hwgen.network import Network, check
from hwgen.streamlining.builder import Builder, identifier
from hwgen.streamlining.heads import output_port
from hwgen.streamlining.input_port import declare_input
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
    builder = Builder(strict=strict)
    source = declare_input(graph, input_type, input_scale, input_offset, builder)
    tensors = walk(graph, source, builder)
    reached = {name: tensors[name] for name in graph.outputs if isinstance(tensors.get(name), Signal)}
    if len(reached) != 1:
        raise ModelError(
            f"The model needs one output that depends on its input, not {len(reached)} ({', '.join(graph.outputs)})"
        )
    ((name, signal),) = reached.items()
    for other in graph.outputs:
        if other != name:
            builder.note(f"Output '{other}' is left out: the hardware yields '{name}'")
    if not isinstance(signal, Signal) or builder.input is None:
        raise TypeError("The walk gives signals, and the input is declared first")
    output = output_port(graph, name, signal, builder)
    if not builder.layers:
        raise ModelError("The model holds nothing but what the host does to its input; it needs at least one layer")
    network = Network(
        identifier(graph.name) or "network", builder.input, tuple(builder.layers), output, tuple(builder.notes)
    )
    check(network)
    return network
