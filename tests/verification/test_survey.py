from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.arrays import codec
from hwgen.errors import DataError
from hwgen.streamlining import writing
from hwgen.verification.survey import Survey, classes_of, survey
from tests.streamlining.conftest import bipolar


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(8)


def scores(model, random, **options) -> tuple[Path, hwgen.Network]:
    """Give 8 numbers -> 6 signs -> 4 scores."""
    built = model(8).add("MatMul", bipolar(random, 8, 6)).add("Add", np.float32(0.5)).sign()
    path = built.add("MatMul", bipolar(random, 6, 4)).add("Add", np.float32([0.1, 0.2, 0.3, 0.4])).save()
    return path, hwgen.read(path, **({"input_type": "uint8"} | options))


def surveyed(path: Path, network: hwgen.Network, x: np.ndarray, **options) -> Survey:
    """Survey a network whose Verilog is as its golden model."""
    golden = codec.outputs_of(network, network.golden_maps(*codec.input_codes(network, x)))
    return survey(path, network, x, golden, **options)


def pixels(random, frames: int = 200) -> np.ndarray:
    return random.integers(0, 256, (frames, 8)).astype(np.uint8)


def right_labels(path: Path, network: hwgen.Network, x: np.ndarray) -> np.ndarray:
    return codec.outputs_of(network, network.golden_maps(*codec.input_codes(network, x))).argmax(axis=1)


def test_every_tensor_that_a_stream_holds_is_a_row(model, random) -> None:
    path, network = scores(model, random)
    found = surveyed(path, network, pixels(random))
    assert [(row.tensor, row.shape, row.frames, row.first) for row in found.rows] == [
        ("v3", (6,), 0, None),
        ("v5", (4,), 0, None),
    ]
    assert all(row.largest < 1e-6 for row in found.rows)
    assert (found.frames, found.differing, found.verilog_differing, found.agreement) == (200, 0, 0, 1.0)
    assert found.accuracy == {}
    assert np.sum(found.confusion) == np.trace(found.confusion) == 200
    assert found.warnings == ()


def test_the_first_tensor_that_differs_is_told_with_its_place(model, random, monkeypatch) -> None:
    path, network = scores(model, random)
    x, right = pixels(random), writing.thresholds

    def shifted(points, domain):
        found = right(points, domain)
        found.levels[0, 2] += 40
        return found

    monkeypatch.setattr(writing, "thresholds", shifted)
    broken = hwgen.read(path, input_type="uint8")
    found = surveyed(path, broken, x)
    codes = codec.input_codes(network, x)
    good, bad = (one.golden(*codes) for one in (network, broken))
    assert found.differing == np.sum(np.any(good != bad, axis=(1, 2, 3))) > 0
    row = found.rows[0]
    assert (row.tensor, row.first.place, row.first.file, row.first.golden, row.largest) == ("v3", (2,), 1.0, -1.0, 2.0)
    assert row.mean == pytest.approx(2 * row.frames / (64 * 6))
    assert found.agreement < 1


def test_the_verilog_is_held_to_the_golden_model(model, random) -> None:
    path, network = scores(model, random)
    x = pixels(random, 5)
    y = codec.outputs_of(network, network.golden_maps(*codec.input_codes(network, x)))
    y[3, 0] += 1
    assert survey(path, network, x, y).verilog_differing == 1


def test_labels_give_the_accuracy_of_each(model, random) -> None:
    path, network = scores(model, random)
    x = pixels(random)
    labels = right_labels(path, network, x)
    labels[:20] = (labels[:20] + 1) % 4
    found = surveyed(path, network, x, labels=labels)
    assert found.accuracy == {"file": 0.9, "golden": 0.9, "verilog": 0.9}
    assert np.sum(found.confusion, axis=1).tolist() == np.bincount(labels, minlength=4).tolist()
    assert found.warnings == ()


def test_probabilities_as_labels_are_told(model, random) -> None:
    path, network = scores(model, random)
    x = pixels(random)
    shares = np.full((200, 4), 0.1, dtype=np.float32)
    shares[np.arange(200), right_labels(path, network, x)] = 0.7
    found = surveyed(path, network, x, labels=shares)
    assert found.accuracy["golden"] == 1
    assert found.warnings[0].startswith("The labels are probabilities and the outputs are scores (logits)")


def test_classes_in_another_order_are_told(model, random) -> None:
    path, network = scores(model, random)
    x = pixels(random)
    labels = np.array([2, 0, 3, 1])[right_labels(path, network, x)]
    found = surveyed(path, network, x, labels=labels)
    order = {0: 2, 1: 0, 2: 3, 3: 1}
    mostly = ", ".join(f"{each} is {order[each]}" for each in np.unique(right_labels(path, network, x)).tolist())
    assert found.warnings == (
        f"The labels number the classes in another order than the file (class {mostly}): 100.0% would be right",
    )


def test_labels_that_fit_nothing_are_told(model, random) -> None:
    path, network = scores(model, random)
    x = pixels(random)
    (warning,) = surveyed(path, network, x, labels=random.integers(0, 4, 200)).warnings
    assert "little better than guessing among 4 classes: labels in another order than the frames" in warning


def test_a_wrong_scale_is_told_by_unused_codes(model, random) -> None:
    path, network = scores(model, random)
    (warning,) = surveyed(path, network, random.integers(0, 2, (50, 8))).warnings
    assert warning == (
        "The frames of input 'x' reach from code 0 to 1 only, of 0 to 255: is it really 1 that a code is worth? "
        "Pixels of 0 to 1 need --input-scale 1/255, and whole pixels in a model that divides by itself none."
    )


def test_a_wrong_scale_is_told_where_the_file_does_better_without(model, random) -> None:
    """Whole pixels in a model that expects them, declared as 255 parts."""
    path, right = scores(model, random)
    wrong = hwgen.read(path, input_type="uint8", input_scale=1 / 255)
    x = pixels(random)
    found = surveyed(path, wrong, x, labels=right_labels(path, right, x))
    assert any("if it gets the integers as they are" in one and "--input-scale 1" in one for one in found.warnings)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (np.zeros(7, int), "There are 7 labels for 200 frames; give one for each"),
        (np.arange(200) % 5, "Labels reach from 0 to 4, but the network has the classes 0 to 3; number them from 0"),
        (np.full(200, 0.5), r"Labels must be one class for each of 200 frames, or 4 scores, not of shape \(200,\)"),
        (np.zeros((200, 3), int), r"not of shape \(200, 3\)"),
    ],
)
def test_labels_that_are_none_are_refused(model, random, labels: np.ndarray, sentence: str) -> None:
    path, network = scores(model, random)
    with pytest.raises(DataError, match=sentence):
        surveyed(path, network, pixels(random), labels=labels)


def test_maps_have_no_classes(model, random) -> None:
    path = model(1, 4, 4).add("Conv", bipolar(random, 2, 1, 3, 3)).save()
    network = hwgen.read(path, input_type="uint4")
    x = random.integers(0, 16, (3, 1, 4, 4))
    found = surveyed(path, network, x)
    assert (found.agreement, found.confusion) == (None, None)
    with pytest.raises(DataError, match="Labels need a network of one output, which is scores of classes or an index"):
        surveyed(path, network, x, labels=np.zeros(3, int))


def test_the_class_is_the_first_of_the_largest_scores_or_the_index_itself() -> None:
    assert classes_of(np.array([[1, 3, 3], [2, 1, 0]])).tolist() == [1, 0]
    assert classes_of(np.array([[[1]], [[2]]])).tolist() == [1, 2]
    assert classes_of(np.array([4, 5])).tolist() == [4, 5]
    assert classes_of(np.array([0.5, 5])) is None
    assert classes_of(np.array([[[[1]], [[3]]]])).tolist() == [1]
