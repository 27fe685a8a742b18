"""Damaged models: each works, or is refused in a sentence; nothing else ever comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hwgen
from hwgen.errors import HwgenError
from tests.mutants import SEEDS, mutant, seed

DECLARATIONS: tuple[dict[str, Any], ...] = ({}, {"input_type": "int8", "input_scale": 0.25}, {"input_type": "bipolar"})

WORDS_OF_NUMPY = (
    "out of range",
    "broadcast",
    "cannot reshape",
    "object",
    "positional",
    "unpack",
    "ufunc",
    "<class",
    "dtype(",
)
"""What NumPy and Python say of mistakes: none of it is for users."""


def outcome(path: Path, declared: dict[str, Any]) -> str:
    """Read and plan a model: "" if that works, else the sentence."""
    try:
        hwgen.plan(hwgen.read(path, **declared), min_area=True)
    except HwgenError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", SEEDS)
def test_the_models_work_undamaged(tmp_path: Path, name: str) -> None:
    (tmp_path / "net.onnx").write_bytes(seed(name).SerializeToString())
    assert "" in [outcome(tmp_path / "net.onnx", declared) for declared in DECLARATIONS[1:]]


def hold(path: Path, number: int) -> None:
    random = np.random.default_rng(number)
    path.write_bytes(mutant(list(SEEDS)[number % len(SEEDS)], random))
    sentence = outcome(path, DECLARATIONS[random.integers(len(DECLARATIONS))])
    assert "\n" not in sentence
    assert not any(word in sentence for word in WORDS_OF_NUMPY), sentence


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_a_damaged_model_works_or_is_refused(tmp_path: Path, first: int) -> None:
    for number in range(first, first + 20):
        hold(tmp_path / "net.onnx", number)


REPAIRED = (520, 856, 1473, 1475, 1610, 1717, 1799, 3636, 3704, 6319, 6807, 9823, 20360)
"""Those that once ended in another exception."""


@pytest.mark.parametrize("number", REPAIRED)
def test_a_damaged_model_that_once_was_a_bug(tmp_path: Path, number: int) -> None:
    hold(tmp_path / "net.onnx", number)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(200, 10200, 500))
def test_many_damaged_models_work_or_are_refused(tmp_path: Path, first: int) -> None:
    for number in range(first, first + 500):
        hold(tmp_path / "net.onnx", number)
