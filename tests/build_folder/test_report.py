"""The report holds what a plan amounts to."""

import json
from dataclasses import replace

import numpy as np
import pytest

from hwgen.build_folder.report import REPORT_FRAMES, make_report, weight_bits
from hwgen.errors import HwgenError
from hwgen.folding.goals import Setting, fold_for_area
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.pipeline.layout import lay_out
from tests.small_networks import mlp


@pytest.fixture(scope="module")
def report() -> dict:
    plan = size_fifos(fold_for_area(mlp(24, 12, 8, 5), Setting(clock_hz=50e6)))
    return make_report(lay_out(plan), lay_out(plan).predict(REPORT_FRAMES))


def test_the_report_is_json(report: dict) -> None:
    assert json.loads(json.dumps(report)) == report


def test_the_largest_layer_sets_the_rate(report: dict) -> None:
    assert report["ii"] == max(layer["cycles"] for layer in report["layers"])
    assert report["fps"] == 50e6 / report["ii"]
    assert max(layer["busy"] for layer in report["layers"]) == 1
    assert report["latency_us"] == pytest.approx(report["latency"] / 50)


def test_every_fifo_is_as_deep_as_it_gets_full(report: dict) -> None:
    for layer in report["layers"]:
        assert 1 <= layer["fifo"]["occupancy"] <= layer["fifo"]["depth"]


def test_weights_of_one_bit_count_one_bit(report: dict) -> None:
    assert [layer["weight_bits"] for layer in report["layers"]] == [24 * 12, 12 * 8, 8 * 5]
    assert report["weight_bits"] == 24 * 12 + 12 * 8 + 8 * 5


def test_other_weights_count_their_width() -> None:
    layer = mlp(4, 3).layers[0]
    for weights, bits in (([-1, 0, 1], 2), ([-3, 2, 1], 3), ([0, 7, 1], 3), ([-8, 7, 0], 4)):
        layer.weights[:] = np.array(weights)[:, None]
        assert weight_bits(layer) == bits * 12


def test_every_error_is_an_hwgen_error() -> None:
    from hwgen import errors

    kinds = [kind for name, kind in vars(errors).items() if name.endswith("Error")]
    assert HwgenError in kinds
    assert all(issubclass(kind, HwgenError) and kind.__doc__ for kind in kinds)


def test_a_report_names_the_device_of_the_folding_and_estimates_it_first() -> None:
    plan = size_fifos(fold_for_area(mlp(24, 12, 5), Setting("gw1nr-9")))
    facts = make_report(lay_out(plan), lay_out(plan).predict(REPORT_FRAMES))
    assert (facts["board"], facts["device"], facts["shortage"]) == (None, "gw1nr-9", None)
    assert list(facts["estimates"]) == ["gw1nr-9", "up5k", "ecp5-25"]
    unknown = lay_out(replace(plan, device=None))
    facts = make_report(unknown, unknown.predict(REPORT_FRAMES))
    assert (facts["device"], facts["shortage"], next(iter(facts["estimates"]))) == (None, None, "up5k")
