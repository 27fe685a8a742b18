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
    slips,
    small_plan,
    table,
)
from examples.training.record import hits
from hwgen import host

FEW, SOME = 3, 40

QUICK = ("binarynet", "dorefa_1w2a", "embedding", "fsmn", "horq", "pointnet", "reactnet", "segmentation", "xnor_net_k")
"""Networks whose Verilog the quick suite compiles: one for each kind of structure."""


@functools.cache
def measured(name: str) -> dict:
    return json.loads((FOLDER / name / "measured.json").read_text())


COMPILED = [name for name in names() if "refused" not in measured(name)]
BUILT = [name for name in COMPILED if "verilog_frames" in measured(name)]


@functools.cache
def network(name: str) -> hwgen.Network:
    return read(name, kept(name)[0])


def both(name: str, frames: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Give the outputs of the golden model and of ONNX Runtime for the first kept frames."""
    made, (expected, codes, _) = network(name), kept(name)
    golden = made.golden(host.to_codes(made.input, codes[:frames]))
    return host.from_codes(made, golden), floats(name, expected, codes[:frames])


def check_golden(name: str, frames: int | None) -> None:
    golden, reference = both(name, frames)
    record = measured(name)
    if name in REAL:
        same, error = agreement(golden, reference)
        assert same >= record["agreement"] - 0.02
        assert error <= 1.01 * record["largest_error"]
        return
    assert slips(golden, reference) <= record["float32_slips"]


def check_verilog(name: str, frames: int | None, folder: Path) -> None:
    expected, codes, labels = kept(name)
    labels = labels[:frames] if labels.ndim == 1 else None
    result = hwgen.build(small_plan(network(name), expected), folder / "build").simulate(
        codes[:frames], expected=labels
    )
    assert result.frames == len(codes[:frames])
    assert (result.mismatches, result.beats_off_schedule) == (0, 0)
    assert result.ii_measured == result.ii_predicted


def test_the_page_shows_the_records() -> None:
    page = PAGE.read_text()
    assert page[page.index(BEGIN) + len(BEGIN) : page.index(END)].strip() == table()


@pytest.mark.parametrize("name", names())
def test_the_kept_model_does_what_its_record_says(name: str) -> None:
    expected, codes, _ = kept(name)
    reference = np.load(FOLDER / name / "reference.npz")["y"][:FEW]
    np.testing.assert_allclose(floats(name, expected, codes[:FEW]), reference, atol=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_the_float_model_is_as_right_as_recorded(name: str) -> None:
    expected, codes, labels = kept(name)
    assert hits(floats(name, expected, codes), labels) == pytest.approx(expected["accuracy_float"], abs=0.005)


@pytest.mark.parametrize("name", COMPILED)
def test_golden_equals_onnxruntime_or_is_as_near_as_recorded(name: str) -> None:
    check_golden(name, SOME)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPILED)
def test_golden_equals_onnxruntime_on_every_kept_frame(name: str) -> None:
    check_golden(name, None)


@pytest.mark.parametrize("name", [name for name in BUILT if name in QUICK])
def test_the_verilog_equals_golden_on_a_few_frames(name: str, tmp_path: Path) -> None:
    check_verilog(name, FEW, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT)
def test_the_verilog_equals_golden_on_every_kept_frame(name: str, tmp_path: Path) -> None:
    check_verilog(name, None, tmp_path)
