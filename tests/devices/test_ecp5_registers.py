"""Registers behind ECP5's block RAMs move into them, where that changes nothing."""

from copy import deepcopy
from typing import Any

import pytest

from hwgen.devices.ecp5_registers import absorb

FF = {"CLKMUX": "CLK", "CEMUX": "1 ", "LSRMUX": "LSR", "REGSET": "RESET"}
CLOCK, ENABLE = 2, 3


def cell(kind: str, parameters: dict[str, str], pins: dict[str, list[Any]], outputs: tuple[str, ...]) -> dict[str, Any]:
    directions = {pin: "output" if pin in outputs else "input" for pin in pins}
    return {"type": kind, "parameters": parameters, "port_directions": directions, "connections": pins}


def module(enable: str = "1 ", width: int = 36) -> dict[str, Any]:
    """Give a block RAM with two data pins, a flip-flop behind each, and an output port."""
    data = ("DOA0", "DOB0") if width == 36 else ("DOB0", "DOB1")
    pins = {"CLKA": ["0"], "CLKB": [CLOCK], "OCEA": ["0"], "OCEB": ["1"], data[0]: [10], data[1]: [11], "DOB2": [12]}
    parameters = {"DATA_WIDTH_B": f"{width:032b}", "REGMODE_A": "NOREG", "REGMODE_B": "NOREG"}
    register = {"CLK": [CLOCK], "CE": [ENABLE], "LSR": ["0"]}
    return {
        "ports": {"out": {"direction": "output", "bits": [20, 21]}},
        "cells": {
            "ram": cell("DP16KD", parameters, pins, (*data, "DOB2")),
            "low": cell("TRELLIS_FF", FF | {"CEMUX": enable}, register | {"DI": [10], "Q": [20]}, ("Q",)),
            "high": cell("TRELLIS_FF", FF | {"CEMUX": enable}, register | {"DI": [11], "Q": [21]}, ("Q",)),
        },
    }


def test_both_halves_of_a_wide_port_share_its_register() -> None:
    changed = module()
    assert absorb(changed) == 2
    (ram,) = changed["cells"].values()
    assert (ram["parameters"]["REGMODE_A"], ram["parameters"]["REGMODE_B"]) == ("OUTREG", "OUTREG")
    assert (ram["connections"]["OCEA"], ram["connections"]["OCEB"]) == (["1"], ["1"])
    assert (ram["connections"]["DOA0"], ram["connections"]["DOB0"]) == ([20], [21])


def test_a_narrow_port_has_a_register_of_its_own_with_the_flip_flops_enable() -> None:
    changed = module(enable="CE", width=18)
    assert absorb(changed) == 2
    ram = changed["cells"]["ram"]
    assert (ram["parameters"]["REGMODE_A"], ram["parameters"]["REGMODE_B"]) == ("NOREG", "OUTREG")
    assert (ram["connections"]["OCEA"], ram["connections"]["OCEB"]) == (["0"], [ENABLE])


@pytest.mark.parametrize(
    ("name", "part", "what", "value"),
    [
        ("low", "connections", "CLK", [4]),
        ("low", "connections", "LSR", [4]),
        ("low", "connections", "DI", [9]),
        ("low", "parameters", "CLKMUX", "INV"),
        ("low", "parameters", "LSRMUX", "INV"),
        ("low", "parameters", "REGSET", "SET"),
        ("low", "parameters", "CEMUX", "CE"),
        ("low", "parameters", "CEMUX", "INV"),
        ("high", "connections", "CE", [10]),
    ],
)
def test_nothing_moves_where_one_flip_flop_does_more(name: str, part: str, what: str, value: object) -> None:
    changed = module()
    changed["cells"][name][part][what] = value
    # A net that nothing else drives must not look like an output of the RAM without a reader.
    changed["ports"]["out"]["bits"] += [10] if value == [9] else []
    before = deepcopy(changed)
    assert absorb(changed) == 0
    assert changed == before


def test_an_output_that_leaves_the_module_stays() -> None:
    changed = module()
    changed["ports"]["out"]["bits"].append(10)
    assert absorb(changed) == 0
