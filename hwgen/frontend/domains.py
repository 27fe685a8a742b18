"""Which operators of which domains mean the same thing."""

from __future__ import annotations

from typing import Any

from hwgen.frontend.runtime_operators import RUNTIME_OPERATORS

__all__ = [
    "CUSTOM_OPERATORS",
    "ONNX_DOMAINS",
    "canonical_name",
    "defaults_of",
    "is_channels_last",
    "is_quantised_domain",
    "signature_of",
]

ONNX_DOMAINS = ("", "ai.onnx")

CUSTOM_OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "BipolarQuant": ("BipolarQuant", {}),
    "Im2Col": ("Im2Col", {"dilations": [1, 1], "pad_amount": [0, 0, 0, 0], "pad_value": 0, "depthwise": 0}),
    "IntQuant": ("Quant", {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}),
    "MultiThreshold": ("MultiThreshold", {"out_scale": 1.0, "out_bias": 0.0, "data_layout": ""}),
    "MaxPoolNHWC": ("MaxPool", {}),
    "Quant": ("Quant", {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}),
    "QuantAvgPool2d": ("QuantAvgPool2d", {"data_layout": "NCHW"}),
    "Trunc": ("Trunc", {"rounding_mode": "FLOOR", "signed": 1, "narrow": 0}),
    "XnorPopcountMatMul": ("XnorPopcountMatMul", {}),
}
"""Operators of the quantisation domains: canonical name and attribute defaults (those of QONNX's operator texts)."""

_ANY_NUMBER = 1 << 31

_CUSTOM_SIGNATURES: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "BipolarQuant": (2, 2, ()),
    "Im2Col": (1, 1, ("kernel_size", "stride")),
    "IntQuant": (4, 4, ()),
    "MultiThreshold": (2, 2, ()),
    "Quant": (4, 4, ()),
    "QuantAvgPool2d": (1, 1, ("kernel", "stride", "ibits", "obits")),
    "Trunc": (5, 6, ()),
    "XnorPopcountMatMul": (2, 2, ()),
}
"""How many inputs these operators have, and the attributes that have no default."""

_MICROSOFT: dict[str, tuple[int, int]] = {
    "DequantizeLinear": (2, 3),
    "QGemm": (6, 9),
    "QLinearAdd": (7, 8),
    "QLinearAveragePool": (4, 5),
    "QLinearConcat": (5, _ANY_NUMBER),
    "QLinearGlobalAveragePool": (4, 5),
    "QLinearLeakyRelu": (4, 5),
    "QLinearMul": (7, 8),
    "QLinearSigmoid": (4, 5),
    "QuantizeLinear": (2, 3),
    **RUNTIME_OPERATORS,
}
"""Operators of ONNX Runtime's own domain, which its quantiser and its optimiser write, and how many inputs they have."""

_MICROSOFT_DEFAULTS: dict[str, dict[str, Any]] = {
    "QGemm": {"alpha": 1.0, "transA": 0, "transB": 0},
    "QLinearLeakyRelu": {"alpha": 0.01},
    "SimplifiedLayerNormalization": {"axis": -1, "epsilon": 1e-5, "stash_type": 1},
    "SkipLayerNormalization": {"epsilon": 1e-12},
    "SkipSimplifiedLayerNormalization": {"epsilon": 1e-12},
}


def is_quantised_domain(domain: str) -> bool:
    """Whether a domain is one that Brevitas, QONNX or FINN write, old or new."""
    return domain == "onnx.brevitas" or domain.split(".")[0] in ("qonnx", "finn")


def defaults_of(op: str) -> dict[str, Any]:
    """Give the defaults of an operator that is not ONNX's own."""
    return CUSTOM_OPERATORS[op][1] if op in CUSTOM_OPERATORS else _MICROSOFT_DEFAULTS.get(op, {})


def signature_of(domain: str, op: str) -> tuple[int, int, tuple[str, ...]]:
    """Give the least and the greatest number of inputs of an operator that is not ONNX's own, and the attributes that it must have."""
    if op in CUSTOM_OPERATORS and (domain in ONNX_DOMAINS or is_quantised_domain(domain)):
        return _CUSTOM_SIGNATURES[op]
    return (*(_MICROSOFT.get(op, (0, _ANY_NUMBER)) if domain == "com.microsoft" else (0, _ANY_NUMBER)), ())


def is_channels_last(domain: str, op: str) -> bool:
    """Whether an operator is one of ONNX for maps of channels last."""
    if op == "MaxPoolNHWC":
        return is_quantised_domain(domain) or domain in ONNX_DOMAINS
    wrapped = op in ("Conv", "MaxPool", "BatchNormalization")
    return wrapped and is_quantised_domain(domain) and domain.endswith(".channels_last")


def canonical_name(domain: str, op: str) -> str:
    """Give an operator's name in a graph: bare if its meaning is known by that name, ``domain::op`` if not."""
    if domain in ONNX_DOMAINS:
        return CUSTOM_OPERATORS[op][0] if op in CUSTOM_OPERATORS else op
    if is_quantised_domain(domain) and op in CUSTOM_OPERATORS:
        return CUSTOM_OPERATORS[op][0]
    known = is_channels_last(domain, op) or (domain == "com.microsoft" and op in _MICROSOFT)
    return op if known else f"{domain}::{op}"
