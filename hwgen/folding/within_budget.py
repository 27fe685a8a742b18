"""Fold a network for a device: the fastest folding whose estimate stays within what the device has."""

from __future__ import annotations

from hwgen.errors import OptionError
from hwgen.estimation.budget import Budget, overdrawn, taken
from hwgen.folding.catalogue import Catalogue
from hwgen.folding.prices import Pricing, excess_of
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.pipeline.layout import draft
from hwgen.plan import Plan

__all__ = ["NothingFits", "fold_for_budget"]


class NothingFits(OptionError):
    """No folding is within a budget.

    Parameters
    ----------
    sentence : str
        What is short.
    nearest : Plan
        Of the plans that were tried, the one that exceeds the budget least.
    """

    def __init__(self, sentence: str, nearest: Plan) -> None:
        super().__init__(sentence)
        self.nearest = nearest


def fold_for_budget(
    catalogue: Catalogue,
    limits: Budget,
    *,
    clock_hz: float,
    most_cycles: int | None = None,
    axi_lite: bool = False,
) -> Plan:
    """Give the fastest plan whose estimate is within a budget, with the depths of its FIFOs.

    Among the foldings of every layer, and the memories of each, the search looks for the least interval between frames
    that some choice within the budget reaches: by bisection over the intervals, with a price for each scarce resource
    that rises until the cheapest choice is within it.

    Parameters
    ----------
    catalogue : Catalogue
        Of the network.
    limits : Budget
    clock_hz : float
    most_cycles : int or None
        Cycles a frame that it must not exceed: not the fastest plan but the cheapest of these.
    axi_lite : bool
        Whether the accelerator has registers though nothing is writable.

    Raises
    ------
    NothingFits
        If no folding is within the budget; says what is short.
    OptionError
        If no folding is that fast.
    """
    pricing = Pricing(catalogue, limits, clock_hz, axi_lite=axi_lite)
    rates = [cycles for cycles in pricing.rates if most_cycles is None or cycles <= most_cycles]
    if most_cycles is not None:
        rates = rates[-1:]
    if most_cycles is not None and not rates:
        raise OptionError(
            f"No folding of '{catalogue.network.name}' reaches {most_cycles} cycles a frame: its least is {pricing.rates[0]}; "
            "ask for fewer frames/s"
        )
    low, high = 0, len(rates)
    found: dict[int, Plan] = {}
    while low < high:
        middle = (low + high) // 2
        plan = pricing.within(rates[middle])
        if plan is None:
            low = middle + 1
        else:
            found[middle] = plan
            high = middle
    over = []
    for number in range(low, len(rates)):
        plan = found[number] if number in found else pricing.within(rates[number])
        # The search prices FIFOs at their least depth: the plan itself has the last word.
        if plan is not None:
            plan = size_fifos(plan)
            if not overdrawn(taken(draft(plan), limits), limits):
                return plan
            over.append(plan)
    nearest = min(over or [pricing.nearest(rates[-1])], key=lambda plan: excess_of(pricing.shares(plan)))
    short = ", ".join(overdrawn(taken(draft(nearest), limits), limits))
    raise NothingFits(
        f"No folding of '{catalogue.network.name}' fits {limits.device.name}: the nearest needs about {short}; "
        "choose a larger device ('hwgen boards MODEL' shows which would do)",
        nearest,
    )
