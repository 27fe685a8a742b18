"""What a plan may take of its device: what stands beside it is taken off first."""

from __future__ import annotations

import pytest

from hwgen.devices.boards import find_device
from hwgen.estimation.budget import budget
from hwgen.fold import Fold, MemoryStyle
from hwgen.folding.fit import _limits
from hwgen.plan import Plan
from tests.small_networks import mlp

PLAIN, SPRAM = Fold(pe=1, simd=2), Fold(pe=1, simd=2, memory=MemoryStyle.SPRAM, writable=True)


@pytest.mark.parametrize(
    ("board", "axi_lite", "fold", "beside"),
    [
        (None, False, PLAIN, {"link": False}),
        (None, True, PLAIN, {"link": False}),
        (None, False, SPRAM, {"link": False}),
        ("icebreaker", False, PLAIN, {"link": True}),
        ("icebreaker", True, PLAIN, {"link": True, "registers": True}),
        ("icebreaker", False, SPRAM, {"link": True, "registers": True, "boots": True}),
    ],
)
def test_the_link_takes_room_on_a_board_and_with_it_registers_and_a_boot_loader(
    board: str | None, axi_lite: bool, fold: Fold, beside: dict[str, bool]
) -> None:
    device = find_device("up5k")
    target = {"device": "up5k"} if board is None else {"board": board}
    plan = Plan(mlp(8, 6, 4), {"dense0": PLAIN, "dense1": fold}, axi_lite=axi_lite, **target)
    found = _limits(plan, device)
    assert found == budget(device, **beside)
    rooms = [budget(device, link=False), budget(device, link=True), budget(device, link=True, registers=True)]
    assert (
        rooms[0].cells > rooms[1].cells > rooms[2].cells > budget(device, link=True, registers=True, boots=True).cells
    )
