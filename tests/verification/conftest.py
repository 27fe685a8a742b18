"""Models of a few nodes for the tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import TensorProto

from tests.streamlining.conftest import Model


@pytest.fixture
def model(tmp_path: Path):
    """Start a model whose input x has this shape without batch."""
    return lambda *shape, dtype=TensorProto.FLOAT: Model(tmp_path / "net.onnx", shape, dtype)
