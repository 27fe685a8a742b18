"""Data that scripts make: the same for ever."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from examples.data.shapes import pairs, solids


@pytest.mark.parametrize(("make", "digest"), [(solids, "66724b5cf1bc6cab"), (pairs, "3f807a1994299e4b")])
def test_made_data_are_the_same_everywhere(make, digest) -> None:
    made = make(50, seed=3)
    assert hashlib.sha256(b"".join(array.tobytes() for array in made)).hexdigest()[:16] == digest


def test_points_of_a_pair_are_on_the_solid_that_their_label_says() -> None:
    clouds, labels = pairs(30, seed=1)
    first = np.array([cloud[:, kind == kind[0]].mean(1) for cloud, kind in zip(clouds, labels, strict=True)])
    second = np.array([cloud[:, kind != kind[0]].mean(1) for cloud, kind in zip(clouds, labels, strict=True)])
    distance = np.hypot(*(first - second)[:, :2].T)
    assert distance.min() > 70, "their middles are 2.4 units of 40 codes apart"
