"""Data that scripts make: the same for ever; boxes and how right they are."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from examples.algorithms.measure import PICTURE, picture
from examples.data.boxes import decode, detections, encode, mean_average_precision, overlap
from examples.data.derive import NO_BOX, scenes
from examples.data.load import load
from examples.data.shapes import pairs, solids


def answers(boxes: np.ndarray) -> np.ndarray:
    """Give what a detector without fault answers."""
    classes, offsets = encode(boxes)
    scores = np.full((len(boxes), 11, classes.shape[1]), -4.0)
    np.put_along_axis(scores, classes[:, None], 4.0, 1)
    return np.concatenate([scores, offsets], 1)


def some_scenes() -> tuple[np.ndarray, np.ndarray]:
    images, labels = load("mnist_test")
    return scenes(images[:40], labels[:40])


@pytest.mark.parametrize(
    ("made", "digest"),
    [
        (lambda: solids(50, seed=3), "66724b5cf1bc6cab"),
        (lambda: pairs(50, seed=3), "3f807a1994299e4b"),
        (some_scenes, "fa224d81720d49d0"),
    ],
)
def test_made_data_are_the_same_everywhere(made, digest) -> None:
    assert hashlib.sha256(b"".join(array.tobytes() for array in made())).hexdigest()[:16] == digest


def test_points_of_a_pair_are_on_the_solid_that_their_label_says() -> None:
    clouds, labels = pairs(30, seed=1)
    first = np.array([cloud[:, kind == kind[0]].mean(1) for cloud, kind in zip(clouds, labels, strict=True)])
    second = np.array([cloud[:, kind != kind[0]].mean(1) for cloud, kind in zip(clouds, labels, strict=True)])
    distance = np.hypot(*(first - second)[:, :2].T)
    assert distance.min() > 70, "their middles are 2.4 units of 40 codes apart"


def test_boxes_come_back_from_their_codes() -> None:
    _, boxes = some_scenes()
    for found, *told in zip(boxes, *decode(answers(boxes)), strict=True):
        wanted = sorted(tuple(map(int, box)) for box in found[found[:, 0] != NO_BOX])
        assert sorted((digit, *map(round, box.tolist())) for digit, _, box in detections(*told)) == wanted


def test_precision_counts_what_is_found_and_what_is_not() -> None:
    _, boxes = some_scenes()
    right = answers(boxes)
    assert mean_average_precision(right, boxes) == 1
    silent = right.copy()
    silent[:20, 0], silent[:20, 1:11] = 4, -4
    there = boxes[:, :, 0]
    share = [(there[20:] == digit).sum() / (there == digit).sum() for digit in range(10) if digit in there]
    assert mean_average_precision(silent, boxes) == pytest.approx(np.mean(share))
    moved = right.copy()
    moved[:, 11] += 4
    assert mean_average_precision(moved, boxes) < 0.1


def test_of_two_boxes_on_one_spot_the_better_one_is_kept() -> None:
    edges = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]], float)
    assert overlap(edges[0], edges).tolist() == [1, 90 / 110, 0]
    found = detections(np.array([3, 4, 5]), np.array([1.0, 2.0, -1.0]), edges)
    assert [(digit, score) for digit, score, _ in found] == [(4, 2.0)]


def test_the_page_shows_what_the_golden_model_finds() -> None:
    assert PICTURE.read_text() == picture()
