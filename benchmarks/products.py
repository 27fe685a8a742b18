"""Measure what a product of two streams costs beside a dense layer of the same shape, types and lanes.

Run as ``python -m benchmarks.products`` from the root (five minutes); the record is ``benchmarks/products.json``.

Both are mapped to ECP5 by the recipe of `hwgen synth`, each with its buffers, thresholds of every row, and output FIFO; weights and thresholds lie in block RAM. The
product holds a matrix of 64 columns and 64 rows twice, the dense layer its weights once.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

from benchmarks.layer_kinds import dense, matmul
from benchmarks.resources import measure
from hwgen.devices.boards import find_device

SIZE = 64
LANES = ((4, 16), (8, 16), (16, 8), (8, 32))
KINDS = (("b", "b", "b"), ("u1", "b", "b"))
"""Types of vector, matrix, and output."""
RECORD = Path(__file__).with_suffix(".json")


def main() -> None:
    device = find_device("ecp5-25")
    rows = []
    for x, w, y in KINDS:
        products = [matmul(SIZE, 1, SIZE, SIZE, *lanes, x, w, y, "b", by_rows=False) for lanes in LANES]
        layers = [dense(SIZE, SIZE, *lanes, x, w, y, "b") for lanes in LANES]
        counts = [row["luts"] for row in measure([*products, *layers], device)]
        for (pe, simd), product, layer in zip(LANES, counts, counts[len(LANES) :], strict=False):
            row = {"vector": x, "matrix": w, "out": y, "pe": pe, "simd": simd, "luts": product, "dense_luts": layer}
            rows.append({**row, "ratio": round(product / layer, 2)})
            print(rows[-1], flush=True)
        lines = ",\n".join(map(json.dumps, rows))
        RECORD.write_text(f'{{"yosys": "{version("pyosys")}", "rows": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
