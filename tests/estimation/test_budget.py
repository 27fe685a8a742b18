"""What an accelerator may take of a device."""

from __future__ import annotations

import pytest

from hwgen.devices.boards import find_device
from hwgen.devices.usage import Usage
from hwgen.errors import OptionError
from hwgen.estimation.budget import budget, overdrawn

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
    assert overdrawn(Usage(brams=29), behind_link) == ["29 block RAMs where there are 28"]


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
