"""Types of codes in the hardware's terms."""

from __future__ import annotations

from amaranth.hdl import Shape

from hwgen.codes import CodeType
from hwgen.rtl_templates.compute.number import Coding

__all__ = ["coding", "shape_of"]


def coding(kind: CodeType) -> Coding:
    """Give how a number of a type stands in a field of a beat."""
    return Coding(kind.bits, signed=kind.signed, bipolar=kind.bipolar)


def shape_of(kind: CodeType) -> Shape:
    """Give the shape of a field that ranks as the codes do; the bits of bipolar codes do so without a sign."""
    return Shape(kind.bits, signed=kind.signed)
