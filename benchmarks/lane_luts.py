"""Measure LUTs per lane for every kind of lane, by bits of input and weight, without hard multipliers.

Run as ``python -m benchmarks.lane_luts`` from the root (about ten minutes); the record is ``benchmarks/lane_luts.json``.

Counted is one row of SIMD lanes with the adders behind them, weights and inputs from outside, registers inside the trees, feeding an accumulator. Lanes of
planes count the ones of each significance; lanes of words add a number a lane (``hwgen/rtl_templates/compute/dot_product.py``).
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

from amaranth.hdl import Shape, signed, unsigned

from benchmarks.mvtu_luts import FAMILIES, cells
from hwgen.rtl_templates.compute.dot_product import DotProduct, Lanes

BITS = (1, 2, 3, 4, 8)
SIMD = 16
OTHER_SIMD = (4, 64)
RECORD = Path(__file__).with_suffix(".json")


def weight_shape(lanes: Lanes, bits: int) -> Shape:
    """Give the shape in which ``bits``-bit weights are stored."""
    if lanes.is_ternary:
        return unsigned(2)
    return signed(bits) if bits > 1 and lanes in (Lanes.AND, Lanes.MULTIPLY) else unsigned(bits)


def cases() -> list[tuple[Lanes, int, int, int]]:
    """Give lanes, input bits, weight bits and SIMD of each measurement."""
    any_bits = [(kind, x, w, SIMD) for kind in (Lanes.AND, Lanes.MULTIPLY) for x in BITS for w in BITS]
    one_bit = [(kind, x, 1, SIMD) for kind in (Lanes.XNOR, Lanes.ADD_SUB) for x in BITS]
    ternary = [(kind, x, 2, SIMD) for kind in (Lanes.TERNARY_XNOR, Lanes.TERNARY_ADD_SUB) for x in BITS]
    wider = [
        (kind, x, w, simd) for simd in OTHER_SIMD for x, w in ((2, 2), (4, 4)) for kind in (Lanes.AND, Lanes.MULTIPLY)
    ]
    wider += [(kind, x, 1, simd) for simd in OTHER_SIMD for x in (2, 8) for kind in (Lanes.XNOR, Lanes.ADD_SUB)]
    return one_bit + ternary + any_bits + wider


def main() -> None:
    results = []
    for lanes, x, w, simd in cases():
        row = {"lanes": lanes.value, "input_bits": x, "weight_bits": w, "simd": simd}
        for family in ("ice40", "ecp5"):
            component = DotProduct(lanes, simd, unsigned(x), weight_shape(lanes, w), accumulates=True)
            found = cells(component, FAMILIES[family])
            row[family] = round((found["luts"] + (2 * found["carries"] if family == "ecp5" else 0)) / simd, 2)
        results.append(row)
        print(row, flush=True)
        RECORD.write_text(json.dumps({"yosys": version("pyosys"), "luts_per_lane": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
