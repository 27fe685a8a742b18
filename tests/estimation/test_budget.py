"""What an accelerator may take of a device."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hwgen.devices.boards import find_device
from hwgen.devices.usage import Usage
from hwgen.errors import OptionError
from hwgen.estimation.budget import RESOURCES, Budget, budget, overdrawn

UP5K = find_device("up5k")


FULL = {"luts": 100, "ffs": 90, "brams": 8, "lutrams": 7, "sprams": 6, "dsps": 5}
"""By resource, in the order of `RESOURCES`, what a budget of a device has whose flip-flops take no cells."""

LIMITS = Budget(find_device("ecp5-25"), FULL["luts"], Usage(**(FULL | {"luts": 0})))


def test_what_is_at_every_limit_is_within_the_budget() -> None:
    assert overdrawn(Usage(**FULL), LIMITS) == []


@pytest.mark.parametrize(("number", "resource"), list(enumerate(FULL)))
def test_each_resource_alone_is_overdrawn_by_one(number: int, resource: str) -> None:
    (sentence,) = overdrawn(Usage(**(FULL | {resource: FULL[resource] + 1})), LIMITS)
    assert sentence.startswith(f"{FULL[resource] + 1} {RESOURCES[number]} ")
    assert sentence.endswith(f" {FULL[resource]}")


def test_half_a_block_ram_is_too_much_as_well() -> None:
    assert len(overdrawn(Usage(**(FULL | {"brams": 8.5})), LIMITS)) == 1


def test_flipflops_that_need_a_cell_of_their_own_overdraw_cells() -> None:
    limits = replace(LIMITS, device=UP5K)
    assert overdrawn(Usage(luts=70, ffs=40), limits) == []
    (sentence,) = overdrawn(Usage(luts=70, ffs=41), limits)
    assert RESOURCES[0] in sentence


def test_registers_and_a_boot_loader_take_theirs_and_large_rams_need_the_loader() -> None:
    plain, reads, boots = (
        budget(UP5K, link=True, **more) for more in ({}, {"registers": True}, {"registers": True, "boots": True})
    )
    assert plain.cells - 100 > reads.cells > boots.cells + 200
    assert [limits.usage.sprams for limits in (plain, reads, boots)] == [0, 0, 4]
    assert budget(UP5K, link=False).usage.sprams == 4


def test_a_link_takes_its_share() -> None:
    alone, behind_link = (budget(UP5K, link=link) for link in (False, True))
    assert behind_link.cells < alone.cells - 500
    assert behind_link.usage.brams == 28
    assert overdrawn(Usage(brams=29), behind_link) == ["29 block RAMs where there are 28"]


@pytest.mark.parametrize(
    ("name", "cells"), [("ecp5-25", 3036), ("gw1nr-9", 270), ("lifcl-40", 3072), ("up5k", 0), ("ccgm1a1", 0)]
)
def test_lut_ram_is_counted_in_cells(name: str, cells: int) -> None:
    assert budget(find_device(name), link=False).usage.lutrams == cells


def test_flipflops_take_cells_of_gatemate_and_none_of_crosslink_nx() -> None:
    usage = Usage(luts=1000, ffs=1000)
    cells = {name: budget(find_device(name), link=True).needs(usage)[0] for name in ("ccgm1a1", "lifcl-40")}
    assert cells == {"ccgm1a1": 1900, "lifcl-40": 1000}


def test_a_family_without_a_model_is_refused() -> None:
    with pytest.raises(
        OptionError,
        match="no resource model of xc7a35t's family 'xilinx7', only of ice40, ecp5, gowin, nexus, gatemate;",
    ):
        budget(find_device("xc7a35t"), link=True)
