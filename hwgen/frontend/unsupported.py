"""What of a graph hwgen cannot follow, all of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hwgen.errors import ModelError, NodesError, Obstacle, OptionError
from hwgen.graph import Graph, Node
from hwgen.operators import Attributes
from hwgen.operators.evaluate import OPERATORS
from hwgen.operators.quantisers import ROUNDING
from hwgen.operators.shaping import COORDINATES

__all__ = ["all_at_once", "refuse_unsupported", "unsupported"]

_ONE_OUTPUT = frozenset(OPERATORS) - {"GRU", "LSTM", "RNN", "Split", "TopK"}


def unsupported(graph: Graph) -> tuple[Obstacle, ...]:
    """List every node whose meaning hwgen does not know, in the graph's order."""
    read = {name for node in graph.nodes for name in node.inputs} | set(graph.outputs)
    records = []
    for node in graph.nodes:
        reason = _reason(node, read)
        if reason:
            records.append(Obstacle(node.name, node.op, reason))
    return tuple(records)


def refuse_unsupported(graph: Graph) -> None:
    """Raise one error that lists all of `unsupported`.

    Raises
    ------
    NodesError
    """
    records = unsupported(graph)
    if records:
        raise NodesError(records)


@contextmanager
def all_at_once(obstacles: Sequence[Obstacle], order: Sequence[str]) -> Iterator[None]:
    """Raise obstacles together with those that the block finds, once each.

    Parameters
    ----------
    obstacles : sequence of Obstacle
        Known already.
    order : sequence of str
        Names of the graph's nodes.

    Raises
    ------
    NodesError
        If there are any.
    """
    try:
        yield
    except (ModelError, OptionError) as error:
        if not obstacles:
            raise
        more = error.obstacles if isinstance(error, NodesError) else (Obstacle(None, None, str(error)),)
        known = {obstacle.node for obstacle in obstacles}
        found = [*obstacles, *(obstacle for obstacle in more if obstacle.node not in known)]
        places = {name: place for place, name in enumerate(order)}
        found.sort(key=lambda obstacle: places.get(obstacle.node or "", len(places)))
        raise NodesError(tuple(found)) from None
    if obstacles:
        raise NodesError(tuple(obstacles))


def _reason(node: Node, read: set[str]) -> str:
    domain, _, op = node.op.rpartition("::")
    if domain.startswith(("finn.custom_op.fpgadataflow", "finn")) and domain:
        return "a FINN hardware layer; export the model before FINN's conversion to layers"
    if domain:
        return f"domain '{domain}' is not known"
    if op in ("If", "Loop", "Scan"):
        return "control flow; export with a fixed path (torch.jit.trace or torch.export)"
    if op == "Dropout":
        return "its mask or its training mode is computed; export in evaluation mode"
    if op not in OPERATORS:
        return "no hardware for this operator yet"
    if node.op in _ONE_OUTPUT and any(name in read for name in node.outputs[1:]):
        return "only its first output can be used"
    if op in ("AveragePool", "MaxPool") and _same_and_dilated(node.attributes):
        return "auto_pad with dilations, which executors pad in different ways; write the pads instead"
    if op == "Resize":
        return _resize_reason(node.attributes)
    if op == "Cast" and node.attributes["to"].kind not in "iufb":
        return f"a cast to {node.attributes['to']}, which NumPy cannot compute with; use QuantizeLinear for narrow integers"
    if op in ("Quant", "Trunc") and str(node.attributes["rounding_mode"]).upper() not in ROUNDING:
        return f"rounding mode '{node.attributes['rounding_mode']}'; known are {', '.join(ROUNDING)}"
    if op in ("QuantizeLinear", "DequantizeLinear") and node.attributes.get("block_size", 0):
        return f"blocked quantisation (block_size {node.attributes['block_size']})"
    return ""


def _same_and_dilated(attributes: Attributes) -> bool:
    """Whether pads depend on dilations, which ONNX Runtime leaves out of account in pools."""
    apart = any(int(number) > 1 for number in attributes.get("dilations") or ())
    return apart and str(attributes.get("auto_pad", "NOTSET")).startswith("SAME")


def _resize_reason(attributes: Attributes) -> str:
    if attributes.get("mode", "nearest") != "nearest":
        return f"interpolation '{attributes['mode']}'; only 'nearest' keeps the values of a quantised map"
    if attributes.get("coordinate_transformation_mode", COORDINATES[0]) not in COORDINATES:
        return f"coordinates '{attributes['coordinate_transformation_mode']}'; known are {', '.join(COORDINATES)}"
    return ""
