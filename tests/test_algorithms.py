"""One network for each algorithm: ONNX Runtime == golden == Verilog, or what the records say of the difference."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import pytest

import hwgen
from examples.algorithms.measure import (
    BEGIN,
    END,
    FOLDER,
    PAGE,
    REAL,
    agreement,
    floats,
    kept,
    names,
    read,
    small_plan,
    table,
)
from examples.training.record import hits
from hwgen import host
from tests.scores import codes_of_scores

FEW = 3


def measured(name: str) -> dict:
    return json.loads((FOLDER / name / "measured.json").read_text())


REFUSED = [name for name in names() if "refused" in measured(name)]
COMPILED = [name for name in names() if name not in REFUSED]


@functools.cache
def network(name: str) -> hwgen.Network:
    return read(name, kept(name)[0])


@functools.cache
def golden(name: str) -> np.ndarray:
    made = network(name)
    return host.from_codes(made, made.golden(host.to_codes(made.input, kept(name)[1])))


@functools.cache
def reference(name: str) -> np.ndarray:
    expected, codes, _ = kept(name)
    return floats(name, expected, codes)


def test_the_page_shows_the_records() -> None:
    page = PAGE.read_text()
    assert page[page.index(BEGIN) + len(BEGIN) : page.index(END)].strip() == table()


@pytest.mark.parametrize("name", names())
def test_the_kept_model_does_what_its_record_says(name: str) -> None:
    expected, _, labels = kept(name)
    kept_outputs = np.load(FOLDER / name / "reference.npz")["y"]
    np.testing.assert_allclose(reference(name)[: len(kept_outputs)], kept_outputs[: expected["frames"]], atol=0.02)
    assert hits(reference(name), labels) == pytest.approx(expected["accuracy_float"], abs=0.005)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_refused_by_the_recorded_sentence(name: str) -> None:
    with pytest.raises(hwgen.HwgenError) as refusal:
        network(name)
    assert str(refusal.value) == measured(name)["refused"]


@pytest.mark.parametrize("name", [name for name in COMPILED if name not in REAL])
def test_golden_equals_onnxruntime_where_all_is_integer(name: str) -> None:
    if reference(name).dtype.kind == "i":
        assert np.array_equal(golden(name), reference(name))
    else:
        made = network(name)
        assert np.array_equal(codes_of_scores(made, golden(name)), codes_of_scores(made, reference(name)))


@pytest.mark.parametrize("name", [name for name in COMPILED if name in REAL])
def test_golden_in_fixed_point_is_as_near_as_recorded(name: str) -> None:
    record = measured(name)
    same, error = agreement(golden(name), reference(name))
    assert same == pytest.approx(record["agreement"], abs=0.01)
    assert error <= 1.5 * record["largest_error"]
    assert hits(golden(name), kept(name)[2]) == record["accuracy_golden"]


def check_verilog(name: str, frames: int | None, folder: Path) -> None:
    expected, codes, labels = kept(name)
    result = hwgen.build(small_plan(network(name), expected), folder / "build").simulate(
        codes[:frames], expected=labels[:frames]
    )
    assert result.frames == len(codes[:frames])
    assert (result.mismatches, result.beats_off_schedule) == (0, 0)
    assert result.ii_measured == result.ii_predicted


@pytest.mark.parametrize("name", COMPILED)
def test_the_verilog_equals_golden_on_a_few_frames(name: str, tmp_path: Path) -> None:
    check_verilog(name, FEW, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPILED)
def test_the_verilog_equals_golden_on_every_kept_frame(name: str, tmp_path: Path) -> None:
    check_verilog(name, None, tmp_path)
