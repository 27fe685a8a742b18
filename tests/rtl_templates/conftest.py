"""Fixtures of the component tests."""

import gc
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture
def refused_components() -> Iterator[None]:
    """Forget components whose constructor raised, which Amaranth would report as created but never used."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()
