"""Whether a node has the inputs and attributes that its operator demands, before anything looks at them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx
from onnx import AttributeProto, defs

from hwgen.errors import ModelError
from hwgen.frontend.domains import (
    CUSTOM_OPERATORS,
    ONNX_DOMAINS,
    canonical_name,
    defaults_of,
    is_channels_last,
    signature_of,
)

__all__ = ["hold_signature", "schema_of"]

_KINDS = {
    AttributeProto.FLOAT: "a number",
    AttributeProto.FLOATS: "numbers",
    AttributeProto.GRAPH: "a graph",
    AttributeProto.INT: "a whole number",
    AttributeProto.INTS: "whole numbers",
    AttributeProto.SPARSE_TENSOR: "a sparse tensor",
    AttributeProto.STRING: "text",
    AttributeProto.STRINGS: "texts",
    AttributeProto.TENSOR: "a tensor",
}

_KINDS_OF_DEFAULTS = {
    float: (AttributeProto.FLOAT, AttributeProto.INT),
    int: (AttributeProto.INT,),
    list: (AttributeProto.INTS, AttributeProto.INT),
    str: (AttributeProto.STRING,),
}
"""How an attribute may be written whose default is of a type; old files have one number for all axes."""


def schema_of(domain: str, op: str, opset: int) -> defs.OpSchema | None:
    """Give what ONNX says of an operator, None of one that is not ONNX's own.

    An operator that came later, or was withdrawn, is what it was when it was in force.
    """
    wrapped = is_channels_last(domain, op)
    op = canonical_name(domain, op) if wrapped else op
    if not (wrapped or domain in ONNX_DOMAINS) or op in CUSTOM_OPERATORS or not defs.has(op):
        return None
    schema = defs.get_schema(op, opset) if defs.has(op, opset) else defs.get_schema(op)
    before = schema.since_version - 1
    return defs.get_schema(op, before) if schema.deprecated and defs.has(op, before) else schema


def hold_signature(node: onnx.NodeProto, name: str, opset: int) -> None:
    """Hold a node to its operator: how many inputs, which attributes, and of which type.

    Parameters
    ----------
    node : NodeProto
        As the file has it. Of an operator that is not known nothing is held.
    name : str
        What errors call it.
    opset : int

    Raises
    ------
    ModelError
        Naming the node and what it lacks.
    """
    where = f"Node '{name}' ({node.op_type})"
    given = {attribute.name: attribute for attribute in node.attribute}
    schema = schema_of(node.domain, node.op_type, opset)
    if len(given) < len(node.attribute):
        raise ModelError(f"{where} says an attribute twice; export the model again")
    if schema is None:
        least, most, demanded = signature_of(node.domain, node.op_type)
        _hold_inputs(node, where, least, most)
        for key in demanded:
            if key not in given:
                raise ModelError(f"{where} lacks its attribute '{key}'; export the model again")
        _hold_custom(where, given, defaults_of(node.op_type))
        return
    single = [entry.option == defs.OpSchema.FormalParameterOption.Single for entry in schema.inputs]
    _hold_inputs(node, where, schema.min_input, schema.max_input, single)
    if not schema.min_output <= len(node.output) <= schema.max_output:
        raise ModelError(f"{where} has {_count(len(node.output), 'output')}; export the model again")
    for key, attribute in schema.attributes.items():
        if attribute.required and key not in given:
            raise ModelError(
                f"{where} lacks its attribute '{key}', which opset {opset} demands; export the model again"
            )
        if key in given and given[key].type != attribute.type.value:
            wanted = _KINDS.get(attribute.type.value, "something else")
            raise ModelError(f"{where} has {_kind(given[key])} as its attribute '{key}', which must be {wanted}")
    for key in given:
        if key not in schema.attributes:
            known = ", ".join(schema.attributes) or "none"
            raise ModelError(f"{where} has an attribute '{key}', which opset {opset} does not know; known are {known}")


def _hold_inputs(node: onnx.NodeProto, where: str, least: int, most: int, single: list[bool] | None = None) -> None:
    count = len(node.input)
    if not least <= count <= most:
        wanted = f"{least}" if least == most else f"at least {least}" if count < least else f"at most {most}"
        raise ModelError(f"{where} has {_count(count, 'input')}, but needs {wanted}; export the model again")
    demanded = single or [True] * least
    for place, (entry, needed) in enumerate(zip(node.input, demanded, strict=False)):
        if needed and not entry:
            raise ModelError(f"{where} lacks its input {place}, which is demanded; export the model again")


def _hold_custom(where: str, given: Mapping[str, AttributeProto], defaults: Mapping[str, Any]) -> None:
    for key, default in {"axis": 0, **defaults}.items():
        kinds = _KINDS_OF_DEFAULTS[type(default)]
        if key in given and given[key].type not in kinds:
            raise ModelError(
                f"{where} has {_kind(given[key])} as its attribute '{key}', which must be {_KINDS[kinds[0]]}"
            )


def _kind(attribute: AttributeProto) -> str:
    return _KINDS.get(attribute.type, "something unknown")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
