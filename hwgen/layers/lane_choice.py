"""What a lane of a matrix-vector unit costs."""

from __future__ import annotations

from hwgen.rtl_templates.compute.dot_product import Lanes

__all__ = ["luts_per_lane"]


def luts_per_lane(lanes: Lanes, input_bits: int, weight_bits: int, simd: int) -> float:
    """Estimate the LUTs of one of ``simd`` lanes of a row and of its share of the adders, fitted to iCE40 (`benchmarks/lane_luts.json`).

    Sums of words grow bit by bit from level to level, so their short rows are cheaper; counts of planes cost the same in any row.
    """
    if lanes.is_ternary and lanes.counts_planes:
        return 2.2 * input_bits
    if lanes.counts_planes:
        return 2.0 * input_bits * weight_bits
    if lanes is not Lanes.MULTIPLY:
        return input_bits + 1.2 * (input_bits + 1) * max(0.5, 1 - 1.4 / simd)
    return 2.7 * input_bits * weight_bits - 0.4 * (input_bits + weight_bits) + 2.7
