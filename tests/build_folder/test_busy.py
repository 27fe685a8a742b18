"""What a build folder says of how busy its layers are: the report, the register bench, and the counters of the hardware."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import hwgen
from hwgen.activation import Positions, Thresholds
from hwgen.build_folder.report import REPORT_FRAMES, make_report
from hwgen.build_folder.write import BENCH_FRAMES, bench_counts
from hwgen.codes import BIPOLAR
from hwgen.fold import Fold
from hwgen.layers.conv import Conv
from hwgen.layers.window import Window
from hwgen.network import InputPort, Network, OutputPort
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.pipeline.layout import lay_out
from hwgen.plan import Plan
from tests.random_networks import graphs, networks, plans
from tests.sim.test_example import run_tests


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.one_of(plans(networks()), plans(graphs())))
def test_report_and_registers_agree_on_every_kind_of_layer(plan: Plan) -> None:
    pipeline = lay_out(plan)
    prediction = pipeline.predict(REPORT_FRAMES)
    report, counts = make_report(pipeline, prediction), bench_counts(pipeline, prediction)
    for layer in report["layers"]:
        assert layer["busy"] == counts["busy"][layer["name"]] / (BENCH_FRAMES * report["ii"])
        assert layer["busy"] <= 1
    assert plan.cycles == max(layer["cycles"] for layer in report["layers"])


def strided() -> Plan:
    """A 1x1 convolution that looks at one pixel of four: its stage waits for beats most of the time."""
    random = np.random.default_rng(0)
    weights = random.choice([-1, 1], (4, 1, 1, 4)).astype(np.int64)
    levels = np.sort(random.integers(-3, 4, (1, 4, 1)))
    window = Window((1, 1), (2, 2))
    thresholds = Thresholds(levels, Positions.uniform(4, 4))
    conv = Conv("conv", "x", (8, 8, 4), BIPOLAR, weights, window, 0, thresholds, BIPOLAR)
    ones, shape = np.ones(4), (4, 4, 4)
    ports = (
        InputPort("x", (8, 8, 4), (0, 1, 2), (8, 8, 4), BIPOLAR, 1.0, 0.0),
        OutputPort("y", "conv", shape, (0, 1, 2), "float32", ones, 0 * ones),
    )
    network = Network("strided", (ports[0],), (conv,), (ports[1],))
    return size_fifos(Plan(network, {"conv": Fold(pe=4, simd=4)}, axi_lite=True))


def test_a_strided_convolution_is_as_busy_in_the_report_as_its_counter_counts(tmp_path: Path) -> None:
    folder = hwgen.build(strided(), tmp_path / "build").folder
    report, registers = (json.loads((folder / name).read_text()) for name in ("report.json", "sim/registers.json"))
    (layer,) = report["layers"]
    # 16 windows of a step each, but 64 beats come in.
    frames = json.loads((folder / "sim/bench.json").read_text())["out_beats"] // 16
    assert (layer["cycles"], registers["busy"]["conv"]) == (64, 16 * frames)
    assert layer["busy"] == 16 / report["ii"]
    result = run_tests(folder / "sim", "--simulator", "verilator")
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr
