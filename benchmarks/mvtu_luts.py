"""Measure LUTs per XNOR lane of the matrix-vector-threshold unit on three device families.

Run as ``python -m benchmarks.mvtu_luts`` from the root (about two minutes); the record is ``benchmarks/mvtu_luts.json``.

Two things are counted at each PE x SIMD. *Unit*: all logic of the MVTU with 8 row folds and 8 column folds: lanes, adder trees, accumulators,
thresholds, counters, output FIFO; weights and levels come from block RAM and cost no LUTs. *Lanes*: the PE sums of SIMD products alone,
weights and inputs from outside, registers inside the trees. LUTs are mapped LUT cells of any size; carry cells (SB_CARRY and CARRY4 of four bits,
CCU2C of two bits) and flip-flops are listed beside them.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
from amaranth.back import rtlil
from amaranth.hdl import Module, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.codes import BIPOLAR
from hwgen.fold import Fold, MemoryStyle
from hwgen.layers.matvec import MatVec
from hwgen.rtl_templates.compute.dot_product import DotProduct, Lanes
from hwgen.tools.toolchain import yosys

SHAPES = ((4, 16), (16, 64))
ROW_FOLDS = COLUMN_FOLDS = 8
RECORD = Path(__file__).with_suffix(".json")

FAMILIES = {
    "ice40": "synth_ice40 -flatten",
    "ecp5": "synth_ecp5 -nowidelut -nodsp -flatten",
    "xc7": "synth_xilinx -noiopad -noclkbuf -flatten",
}
KINDS = {"luts": r"SB_LUT4|LUT\d", "carries": "SB_CARRY|CCU2C|CARRY4", "flipflops": r"SB_DFF\w*|TRELLIS_FF|FD[RSCP]E"}


class LaneArray(wiring.Component):
    """PE sums of SIMD XNOR lanes with weights from outside, and nothing else."""

    def __init__(self, pe: int, simd: int) -> None:
        self.rows = [DotProduct(Lanes.XNOR, simd, unsigned(1), unsigned(1), accumulates=True) for _ in range(pe)]
        members = {"inputs": In(simd), "weights": In(pe * simd)}
        for p, row in enumerate(self.rows):
            members |= {f"sum_{p}": Out(row.o.shape()), f"carry_{p}": Out(1)}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for p, row in enumerate(self.rows):
            m.submodules[f"row_{p}"] = row
            m.d.comb += [
                row.row_inputs.eq(self.inputs),
                row.row_weights.eq(self.weights.word_select(p, len(self.inputs))),
                getattr(self, f"sum_{p}").eq(row.o),
                getattr(self, f"carry_{p}").eq(row.carry),
            ]
        return m


def unit(pe: int, simd: int) -> wiring.Component:
    random = np.random.default_rng(0)
    columns = simd * COLUMN_FOLDS
    weights = random.choice(np.array([-1, 1]), (pe * ROW_FOLDS, columns))
    levels = random.integers(-columns // 4, columns // 4, (1, pe * ROW_FOLDS, 1))
    return MatVec(weights, BIPOLAR, BIPOLAR, levels).unit(Fold(pe=pe, simd=simd, memory=MemoryStyle.BLOCK))


def cells(component: wiring.Component, synth: str, kinds: Mapping[str, str] = KINDS) -> dict[str, int]:
    """Synthesise and count cells by kind."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "top.il").write_text(rtlil.convert(component, name="top", emit_src=False))
        commands = [
            "read_rtlil top.il",
            "scratchpad -set abc9.verify false",
            synth,
            "tee -o stat.json stat -json",
        ]
        yosys(commands, Path(folder), Path(folder) / "yosys.log")
        text = (Path(folder) / "stat.json").read_text()
    counted = Counter(json.loads(text[text.index("{") :])["design"]["num_cells_by_type"])
    return {kind: sum(n for name, n in counted.items() if re.fullmatch(match, name)) for kind, match in kinds.items()}


def main() -> None:
    results = []
    for pe, simd in SHAPES:
        for family in FAMILIES:
            for part, component in (("unit", unit(pe, simd)), ("lanes", LaneArray(pe, simd))):
                found = cells(component, FAMILIES[family])
                results.append(
                    {
                        "family": family,
                        "pe": pe,
                        "simd": simd,
                        "part": part,
                        **found,
                        "luts_per_lane": round(found["luts"] / (pe * simd), 3),
                    }
                )
                print(results[-1], flush=True)
    record = {"yosys": version("pyosys"), "row_folds": ROW_FOLDS, "column_folds": COLUMN_FOLDS, "results": results}
    RECORD.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
