"""The AXI4-Lite port of whole accelerators, under cocotb with a master that we did not write: see sim/register_bench.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.fold import Fold, MemoryStyle, WindowStyle
from hwgen.folding.writable import with_registers
from hwgen.host.reload import reload
from hwgen.network import Network
from hwgen.pipeline.memory_image import as_writes
from hwgen.plan import Plan
from hwgen.sim.run import write_vectors, write_writes
from tests.conftest import write_image
from tests.pipeline.test_accelerator import channelwise_plan
from tests.sim.test_example import run_tests
from tests.small_networks import mlp


def dense() -> tuple[Plan, Network]:
    """Words of several parts, in block RAM, LUTs and a huge RAM."""
    network = mlp(70, 12, 8, 5)
    folds = {
        "dense0": Fold(pe=2, simd=35, memory=MemoryStyle.SPRAM, writable=True),
        "dense1": Fold(pe=8, simd=6, memory=MemoryStyle.DISTRIBUTED),
        "dense2": Fold(pe=5, simd=8),
    }
    return with_registers(Plan(network, folds), writable="all"), mlp(70, 12, 8, 5, seed=8)


def image(tmp_path: Path) -> tuple[Plan, Network]:
    """Padding that takes its share of the sums back, pooling, and a sequential and a parallel window."""
    networks = [
        hwgen.read(write_image(tmp_path / "image.onnx", seed), input_type="uint8", input_scale=1.0) for seed in (2, 3)
    ]
    conv = networks[0].layers[0].name
    plan = with_registers(hwgen.plan(networks[0], min_area=True), writable="all")
    parallel = replace(plan.folds[conv], window=WindowStyle.PARALLEL, pe=2, simd=18, slots=None, buffer_beats=None)
    return replace(plan, folds={**plan.folds, conv: parallel}), networks[1]


def channelwise() -> tuple[Plan, Network]:
    """Thresholds that fall in other channels, and a table."""
    plan, (quantise, curve, winner) = channelwise_plan(), channelwise_plan().network.layers
    thresholds = replace(quantise.thresholds, levels=31 - quantise.thresholds.levels[..., ::-1])
    lookup = replace(curve.lookup, table=curve.lookup.table[:, ::-1].copy())
    layers = (
        replace(quantise, thresholds=thresholds, negate=quantise.negate[::-1]),
        replace(curve, lookup=lookup),
        winner,
    )
    return with_registers(plan, writable="quantise,curve"), replace(plan.network, layers=layers)


@pytest.mark.parametrize(
    ("case", "simulator"),
    [
        ("dense", "verilator"),
        pytest.param("image", "icarus", marks=pytest.mark.icarus),
        pytest.param("channelwise", "icarus", marks=pytest.mark.icarus),
    ],
)
def test_ids_counters_errors_and_rewritten_memories(case: str, simulator: str, tmp_path: Path) -> None:
    plan, other = {"dense": dense, "image": lambda: image(tmp_path), "channelwise": channelwise}[case]()
    accelerator = hwgen.build(plan, tmp_path / "build")
    loaded = reload(accelerator, other)
    folder = accelerator.folder / "sim"
    write_writes(folder / "other.txt", as_writes(loaded.image, "image"))
    source, sink = accelerator.pipeline.source, accelerator.pipeline.sink
    bytes_ = [bytes.fromhex(line)[::-1] for line in (folder / "input.txt").read_text().split()]
    codes = source.unpack(np.frombuffer(b"".join(bytes_), np.uint8).reshape(-1, source.bytes))
    golden = loaded.plan.network.golden_maps(*codes)
    last = np.arange(1, len(codes[0]) * sink.count + 1) % sink.count == 0
    write_vectors(folder / "other_expected.txt", sink.pack(golden), last)
    result = run_tests(folder, "--simulator", simulator)
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr
    assert result.stdout.endswith("12 of 12 tests passed\n")
