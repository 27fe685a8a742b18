"""What a lane of a matrix-vector unit costs."""

from __future__ import annotations

from hwgen.rtl_templates.dot_product import Lanes

__all__ = ["luts_per_lane"]


def luts_per_lane(lanes: Lanes, input_bits: int, weight_bits: int) -> float:
    """Estimate the LUTs of one lane of a row and of its share of the adders behind them, fitted to 16 lanes on iCE40."""
    if lanes.is_ternary and lanes.counts_planes:
        return 2.2 * input_bits
    if lanes.counts_planes:
        return 2.0 * input_bits * weight_bits
    if lanes is not Lanes.MULTIPLY:
        return 2.2 * input_bits + 0.7
    return 2.7 * input_bits * weight_bits - 0.4 * (input_bits + weight_bits) + 2.7
