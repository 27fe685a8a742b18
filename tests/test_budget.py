"""What an accelerator may take of a device."""

from __future__ import annotations

from hwgen.board import find_device
from hwgen.budget import budget, overdrawn
from hwgen.usage import Usage

UP5K = find_device("up5k")


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
    assert overdrawn(Usage(brams=29), behind_link) == ["29 block RAMs of 28"]
