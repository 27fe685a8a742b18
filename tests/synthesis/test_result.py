"""What fits a device."""

from __future__ import annotations

import pytest

from hwgen.devices.boards import find_device
from hwgen.devices.usage import Usage
from hwgen.synthesis.result import fits

UP5K = find_device("up5k")
HAS = {"luts": UP5K.luts, "ffs": UP5K.ffs, "brams": UP5K.bram_blocks, "sprams": UP5K.spram_blocks, "dsps": UP5K.dsps}
HARNESS = {"luts": 2, "ffs": 3, "brams": 1, "sprams": 1, "dsps": 1}
REST = {name: has - HARNESS[name] for name, has in HAS.items()}


def test_all_of_a_device_fits_it() -> None:
    assert fits(Usage(**REST), Usage(**HARNESS), UP5K)


@pytest.mark.parametrize("resource", HAS)
def test_one_more_of_any_resource_does_not(resource: str) -> None:
    assert not fits(Usage(**(REST | {resource: REST[resource] + 1})), Usage(**HARNESS), UP5K)
    assert not fits(Usage(**REST), Usage(**(HARNESS | {resource: HARNESS[resource] + 1})), UP5K)


def test_resources_that_are_packed_are_no_measure() -> None:
    assert fits(Usage(carries=10**6, lutrams=10**6), Usage(), UP5K)
