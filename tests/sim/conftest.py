"""Simulators that the tests of this folder share, with one another and with all others."""

from pathlib import Path

import pytest

from hwgen.sim.verilate import cache_folder
from tests.sim.running_sum_case import Case


@pytest.fixture(scope="session")
def cache() -> Path:
    """Give the folder in which everybody's simulators are kept: what another test or worker has made is not made again."""
    return cache_folder()


@pytest.fixture(scope="session")
def one(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("build"), 3, 11)
