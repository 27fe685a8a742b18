"""Which operators of which domains mean the same thing."""

from __future__ import annotations

from typing import Any

__all__ = ["CUSTOM_OPERATORS", "ONNX_DOMAINS", "canonical_name", "is_quantised_domain"]

ONNX_DOMAINS = ("", "ai.onnx")

CUSTOM_OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "BipolarQuant": ("BipolarQuant", {}),
    "IntQuant": ("Quant", {"signed": 1, "narrow": 1, "rounding_mode": "ROUND"}),
    "MultiThreshold": ("MultiThreshold", {"out_scale": 1.0, "out_bias": 0.0, "data_layout": ""}),
    "Quant": ("Quant", {"signed": 1, "narrow": 1, "rounding_mode": "ROUND"}),
    "Trunc": ("Trunc", {"rounding_mode": "FLOOR", "signed": 1, "narrow": 0}),
    "XnorPopcountMatMul": ("XnorPopcountMatMul", {}),
}
"""Operators of the quantisation domains: canonical name and attribute defaults (those of qonnx)."""


def is_quantised_domain(domain: str) -> bool:
    """Whether a domain is one that Brevitas, QONNX or FINN write, old or new."""
    return domain == "onnx.brevitas" or domain.split(".")[0] in ("qonnx", "finn")


def canonical_name(domain: str, op: str) -> str:
    """Give an operator's name in a graph: bare if its meaning is known by that name, ``domain::op`` if not."""
    if domain in ONNX_DOMAINS:
        return CUSTOM_OPERATORS[op][0] if op in CUSTOM_OPERATORS else op
    if is_quantised_domain(domain) and op in CUSTOM_OPERATORS:
        return CUSTOM_OPERATORS[op][0]
    return f"{domain}::{op}"
