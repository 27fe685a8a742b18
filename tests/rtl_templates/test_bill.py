"""Every unit states its own bill, of the parameters that it is made with."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
from amaranth.lib import wiring

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import CarryChain, MemoryKind, MemoryShape, Part, Product
from hwgen.rtl_templates.memory import MemoryStyle

ROOT = Path(__file__).parents[2] / "rtl_templates"

UNPACKED = {
    "Mvtu": {"weights", "steps", "inputs"},
    "EmbeddingUnit": {"bits"},
    "RecurrentUnit": {"widths"},
    "Rom": {"bits"},
    "DotProduct": {"rows", "constant", "halves"},
}
"""Parameters of a bill that its unit has in packed form, or that say what stands beside it."""


def units() -> dict[str, type[Any]]:
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(["hwgen.rtl_templates", *path.relative_to(ROOT).with_suffix("").parts])
        module = importlib.import_module(name.removesuffix(".__init__"))
        for unit, cls in vars(module).items():
            if inspect.isclass(cls) and issubclass(cls, wiring.Component) and hasattr(cls, "bill"):
                found[unit] = cls
    return found


@pytest.mark.parametrize("unit", units())
def test_a_bill_takes_the_parameters_of_its_unit(unit: str) -> None:
    cls = units()[unit]
    made, billed = inspect.signature(cls.__init__).parameters, dict(inspect.signature(cls.bill).parameters)
    billed.pop("name", None)
    assert set(billed) <= set(made) | UNPACKED.get(unit, set())
    defaults = {name: (made[name].default, known.default) for name, known in billed.items() if name in made}
    # A depth that a unit finds by itself its bill may be told.
    assert {name for name, (one, other) in defaults.items() if one != other} <= {"slots"}


def test_units_that_a_plan_is_made_of_have_one() -> None:
    assert len(units()) >= 30


def test_a_bill_includes_another_so_many_times_and_its_memories_once() -> None:
    row, bill = Bill(), Bill()
    row.register(3)
    row.chain(Part.ADDER_BIT, 4, carries_in=True)
    row.products.append(Product(2, 8, 4, 12))
    row.memory("table", 64, 16, MemoryKind.WINDOW)
    bill.register(1)
    bill.include(row, 5)
    assert bill.parts == {Part.FLIPFLOP: 16}
    assert bill.chains == {CarryChain(Part.ADDER_BIT, 5, True): 5}
    assert bill.products == [Product(10, 8, 4, 12)]
    assert bill.memories == [MemoryShape("table", 64, 16, MemoryStyle.BLOCK, MemoryKind.WINDOW)]


@pytest.mark.parametrize(("values", "bits", "cleared"), [(2, 1, False), (6, 3, True), (8, 3, False), (9, 4, True)])
def test_only_a_pointer_through_a_power_of_two_starts_again_by_itself(values: int, bits: int, cleared: bool) -> None:
    bill = Bill()
    bill.pointer(values)
    assert bill.parts[Part.FLIPFLOP] == bits
    assert {chain.part for chain in bill.chains} == {Part.COUNTER_BIT} | ({Part.CLEARED_BIT} if cleared else set())
