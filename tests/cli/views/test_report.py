"""What is shown of a report."""

from typing import Any

import pytest

from hwgen.build_folder.report import REPORT_FRAMES, make_report
from hwgen.cli.views.report import render_report
from hwgen.folding.goals import Setting, fold_for_area
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.pipeline.layout import lay_out
from tests.cli.shown import rows, shown
from tests.small_networks import mlp


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    plan = size_fifos(fold_for_area(mlp(24, 12, 8, 5), Setting(clock_hz=50e6)))
    return make_report(lay_out(plan), lay_out(plan).predict(REPORT_FRAMES))


def test_every_layer_has_a_row(report: dict[str, Any]) -> None:
    found = {words[0]: words[1:] for words in rows(render_report(report))}
    stages = next(iter(report["estimates"].values()))["stages"]
    for layer in report["layers"]:
        output = "x".join(map(str, layer["out_shape"]))
        numbers = [f"{layer['cycles']:,}", f"{layer['busy']:.0%}", str(layer["weight_bits"])]
        lanes = [str(layer["pe"]), str(layer["simd"])]
        block = stages[layer["name"]]
        taken = [str(layer["fifo"]["depth"]), f"{block['luts']:,}", f"{block['brams']:g}"]
        assert found[layer["name"]] == ["Dense", output, layer["out_type"], *lanes, *numbers, *taken]


def test_sentences_follow_the_table(report: dict[str, Any]) -> None:
    queues = [
        {"reader": "a", "depth": 2, "memory": "distributed"},
        {"reader": "b", "depth": 4096, "memory": "block"},
    ]
    more = {
        **report,
        "forks": [{"source": "x", "width": 8, "branches": queues}],
        "input_fifos": [{"input": "left", "depth": 9, "memory": "distributed"}],
        "notes": ["3 channels of 'sign1' can reach 0 [taken as +1]"],
    }
    lines = shown(render_report(more), width=400).splitlines()
    held = {"sentence": "Held to ONNX Runtime on 64 frames: equal"}
    assert "Held to ONNX Runtime on 64 frames: equal." in shown(render_report(more | {"verification": held}), width=400)
    at = lines.index("Inputs in turn: FIFO of 9 for left")
    assert lines[at + 1] == "Fork of x, 8 bits a beat: FIFO of 2 to a, FIFO of 4,096 to b (block RAM)"
    assert lines[at + 2].startswith(f"A frame every {report['ii']:,} cycles, latency {report['latency']:,} cycles (")
    assert lines[at + 2].endswith(f"at 50 MHz; {24 * 12 + 12 * 8 + 8 * 5} weight bits")
    assert [line.split(":")[0] for line in lines[at + 3 : -3]] == [
        f"Estimate for {name}" for name in report["estimates"]
    ]
    assert lines[-3] == f"Columns LUTs and RAMs are estimates for {next(iter(report['estimates']))}."
    assert lines[-2] == "Not held to the file that it was made of."
    assert lines[-1] == "Note: 3 channels of 'sign1' can reach 0 [taken as +1]"


def test_an_estimate_names_what_is_taken_of_a_device(report: dict[str, Any]) -> None:
    estimate = {
        "stages": next(iter(report["estimates"].values()))["stages"],
        "total": {"luts": 1234, "ffs": 567, "brams": 1.5, "dsps": 2, "sprams": 0},
        "available": {"luts": 5280, "ffs": 5280, "brams": 30, "dsps": 8, "sprams": 4},
        "model_error": {"luts": {"unseen": {"within_10_percent": 0.925}}},
    }
    text = shown(render_report({**report, "estimates": {"up5k": estimate}}), width=400)
    assert (
        "\nEstimate for up5k: 1,234 of 5,280 LUTs, 567 of 5,280 flip-flops, 1.5 of 30 block RAMs, 2 of 8 multipliers "
        "(LUTs within 10 % on 92% of layers that the model was not fitted to)\n"
    ) in text
    assert "Columns LUTs and RAMs" not in text
    both = shown(render_report({**report, "estimates": {"up5k": estimate, "other": estimate}}), width=400)
    assert "\nColumns LUTs and RAMs are estimates for up5k.\n" in both


def test_what_the_device_has_no_room_for_is_said_in_one_line(report: dict[str, Any]) -> None:
    sentence = "'mlp' does not fit up5k: [it needs more]"
    assert sentence in shown(render_report({**report, "shortage": sentence}), width=400).splitlines()
    old = {key: value for key, value in report.items() if key not in ("device", "shortage")}
    assert shown(render_report(old), width=400) == shown(render_report(report), width=400)
