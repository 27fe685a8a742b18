"""Measure the LUTs of the layers that stand between matrix products, and hold the estimates to them.

Run as ``python -m benchmarks.layer_luts`` from the root (about two minutes); the record is ``benchmarks/layer_luts.json``.

Each layer is synthesised alone, with its counters and output FIFO, for iCE40 UP5K and ECP5; mapping only. Tables lie in block RAM and
products in multipliers. *Estimate* is the LUT count that
the resource model gives for the UP5K.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.mvtu_luts import KINDS, cells
from hwgen.activation import Lookup, Positions, Thresholds
from hwgen.codes import BIPOLAR, CodeType, signed, unsigned
from hwgen.devices.boards import find_device
from hwgen.estimation.estimate import estimate
from hwgen.fold import Fold, MemoryStyle, WindowStyle
from hwgen.layers.argmax import ArgMax
from hwgen.layers.crop import Crop
from hwgen.layers.global_reduce import GlobalReduce, Reduction
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.protocol import Layer
from hwgen.layers.segments import Segments
from hwgen.layers.select import Select
from hwgen.layers.table import Table
from hwgen.layers.thresholding import Thresholding
from hwgen.layers.topk import TopK
from hwgen.layers.upsample import Upsample
from hwgen.layers.window import Window

UP5K = find_device("up5k")
RECORD = Path(__file__).with_suffix(".json")
SYNTH = {"up5k": "synth_ice40 -device u -dsp -flatten", "ecp5": "synth_ecp5 -nowidelut -flatten"}
CELLS = KINDS | {"block_rams": r"SB_RAM40_4K\w*|DP16KD|PDPW16KD", "multipliers": "SB_MAC16|MULT18X18D"}
SHAPE = (8, 8, 32)
BLOCK = MemoryStyle.BLOCK


def thresholding(steps: int, bits: int) -> Thresholding:
    """Give 32 channels with their own levels over numbers of so many bits."""
    levels = np.sort(np.random.default_rng(0).integers(-(1 << bits - 1), 1 << bits - 1, (1, 32, steps)), axis=-1)
    thresholds, out_type = Thresholds(levels, Positions.uniform(8, 8)), unsigned(steps.bit_length())
    return Thresholding("levels", "x", SHAPE, signed(bits), thresholds, (False,) * 32, out_type)


def segments(pieces: int, in_bits: int, factor_bits: int, shift: int, out_type: CodeType) -> Segments:
    """Give 32 channels with their own lines; with 0 factor bits all have the factor 1 and no offset."""
    random, low, where = np.random.default_rng(0), -(1 << in_bits - 1), Positions.uniform(*SHAPE[:2])
    breaks = np.sort(random.integers(low, -low, (1, 32, pieces - 1)), axis=-1)
    if factor_bits == 0:
        ones = np.ones((1, 32, 1), dtype=np.int64)
        return Segments("lines", "x", SHAPE, signed(in_bits), breaks, ones, 0 * ones, shift, out_type, where)
    bound = 1 << factor_bits - 1
    factors, offsets = (random.integers(-b, b, (1, 32, pieces)) for b in (bound, bound << shift // 2))
    return Segments("lines", "x", SHAPE, signed(in_bits), breaks, factors, offsets, shift, out_type, where)


def pool(bits: int, stride: int) -> MaxPool:
    """Give a 3x3 pool."""
    window = Window((3, 3), (stride, stride), pads=(1, 1, 1, 1))
    return MaxPool("pool", "x", SHAPE, signed(bits), window, (False,) * 32)


def cases() -> Iterator[tuple[str, Layer, Fold]]:
    """Give the layers with a typical folding."""
    yield "Thresholding, 3 levels of 12 bits", thresholding(3, 12), Fold(4, memory=BLOCK)
    yield "Thresholding, 15 levels of 20 bits", thresholding(15, 20), Fold(4, memory=BLOCK)
    yield "Thresholding, 255 levels of 20 bits", thresholding(255, 20), Fold(4, memory=BLOCK)
    table = np.random.default_rng(0).integers(-8, 8, (1, 32, 256))
    yield (
        "Table, 256 entries",
        Table("table", "x", SHAPE, signed(8), Lookup(table, -128, Positions.uniform(8, 8)), signed(4)),
        Fold(4, memory=BLOCK),
    )
    yield "Segments, shift and clip, 16 to 8 bits", segments(1, 16, 0, 4, signed(8)), Fold(4)
    yield "Segments, 1 piece, 16 x 8 to 8 bits", segments(1, 16, 8, 12, signed(8)), Fold(4, memory=BLOCK)
    yield "Segments, 2 pieces, 16 x 16 to 16 bits", segments(2, 16, 16, 15, signed(16)), Fold(4, memory=BLOCK)
    yield "Segments, 1 piece, 24 x 16 to 16 bits", segments(1, 24, 16, 23, signed(16)), Fold(4, memory=BLOCK)
    yield "Segments, 8 pieces, 16 x 16 to 16 bits", segments(8, 16, 16, 15, signed(16)), Fold(4, memory=BLOCK)
    sums = CodeType(-64 << 7, 64 << 7)
    yield (
        "GlobalReduce, sum of 8 bits, registers",
        GlobalReduce("mean", "x", SHAPE, signed(8), Reduction.SUM, sums),
        Fold(8, 8),
    )
    yield (
        "GlobalReduce, sum of 8 bits, memory",
        GlobalReduce("mean", "x", SHAPE, signed(8), Reduction.SUM, sums),
        Fold(2, 2),
    )
    yield (
        "GlobalReduce, sum of bits",
        GlobalReduce("count", "x", SHAPE, BIPOLAR, Reduction.SUM, CodeType(-64, 64)),
        Fold(8, 8),
    )
    yield (
        "GlobalReduce, maximum of 8 bits",
        GlobalReduce("peak", "x", SHAPE, signed(8), Reduction.MAX, signed(8)),
        Fold(8, 8),
    )
    yield "Upsample, 2 x 2, 8 bits", Upsample("grow", "x", SHAPE, signed(8), (2, 2)), Fold(4, 4)
    yield "Select, 16 of 32 channels", Select("some", "x", SHAPE, signed(8), tuple(range(0, 32, 2))), Fold(16, 32)
    yield "Crop to 6 x 6", Crop("inner", "x", SHAPE, signed(8), (1, 1, 7, 7)), Fold(4, 4)
    yield "TopK, 5 of 1000 numbers of 16 bits", TopK("best", "x", (1, 1, 1000), signed(16), 5), Fold()
    yield "ArgMax of 1000 numbers of 16 bits", ArgMax("winner", "x", (1, 1, 1000), signed(16)), Fold(1)
    yield "MaxPool 3x3, 8 bits, a tap at a time", pool(8, 2), Fold(4, 4)
    yield "MaxPool 3x3, 8 bits, parallel", pool(8, 2), Fold(4, 4, window=WindowStyle.PARALLEL)
    yield "MaxPool 3x3, 16 bits, parallel", pool(16, 1), Fold(4, 4, window=WindowStyle.PARALLEL)


def main() -> None:
    results = []
    for name, layer, fold in cases():
        layer.check()
        layer.folding.check(fold)
        row = {
            "layer": name,
            "lanes": layer.folding.input_lanes(fold)[0],
            "estimate": round(estimate(layer.resources(fold), UP5K).luts),
        }
        row |= {family: cells(layer.component(fold), synth, CELLS) for family, synth in SYNTH.items()}
        results.append(row)
        print(row, flush=True)
    RECORD.write_text(json.dumps({"yosys": version("pyosys"), "results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
