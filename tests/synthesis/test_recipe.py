"""What cells count for, by the vendors' libraries: a LUT of any size one, an adder cell its LUTs, half a block RAM a half."""

from __future__ import annotations

import pytest

from hwgen.devices.ecp5 import ECP5
from hwgen.devices.families import FAMILIES
from hwgen.devices.usage import Usage
from hwgen.synthesis.recipe import count

CELLS = {
    "ice40": (
        {
            **{"SB_LUT4": 100, "SB_DFF": 1, "SB_DFFE": 20, "SB_DFFESR": 300, "SB_CARRY": 7, "SB_RAM40_4K": 2},
            **{"SB_RAM40_4KNR": 3, "SB_SPRAM256KA": 4, "SB_MAC16": 6, "SB_GB": 9},
        },
        Usage(luts=100, ffs=321, carries=7, brams=5, sprams=4, dsps=6),
    ),
    "ecp5": (
        {
            **{"LUT4": 100, "CCU2C": 10, "TRELLIS_DPR16X4": 3, "TRELLIS_FF": 50, "DP16KD": 2, "PDPW16KD": 3},
            **{"MULT18X18D": 4, "ALU54B": 1, "TRELLIS_IO": 9},
        },
        Usage(luts=132, carries=20, lutrams=3, ffs=50, brams=5, dsps=5),
    ),
    "gowin": (
        {
            **{"LUT1": 1, "LUT2": 20, "LUT3": 300, "LUT4": 4000, "ALU": 50_000, "RAM16SDP4": 2, "DFF": 1, "DFFRE": 20},
            **{"SDPB": 1, "SDPX9B": 2, "pROM": 3, "pROMX9": 4, "DPB": 5, "MULT9X9": 6, "IBUF": 9},
        },
        Usage(luts=54_329, carries=50_000, lutrams=2, ffs=21, brams=15, dsps=6),
    ),
    "nexus": (
        {
            **{"LUT4": 100, "INV": 5, "WIDEFN9": 10, "CCU2": 3, "DPR16X4": 2, "FD1P3BX": 1, "FD1P3IX": 20},
            **{"PDPSC16K_MODE": 1, "DP16K_MODE": 2, "MULT9X9": 7, "IB": 9},
        },
        Usage(luts=139, carries=6, lutrams=2, ffs=21, brams=3, dsps=7),
    ),
    "gatemate": (
        {
            **{"CC_L2T4": 1, "CC_LUT1": 20, "CC_LUT4": 300, "CC_MX2": 4000, "CC_L2T5": 50_000, "CC_MX4": 5},
            **{"CC_ADDF": 7, "CC_DFF": 11, "CC_BRAM_20K": 3, "CC_BRAM_40K": 2, "CC_MULT": 1, "CC_IBUF": 9},
        },
        Usage(luts=104_338, carries=7, ffs=11, brams=3.5, dsps=1),
    ),
    "xilinx7": (
        {
            **{"LUT1": 1, "LUT6": 20, "SRL16E": 300, "RAM32X1D": 2, "RAM64M": 3, "CARRY4": 5, "FDRE": 6, "FDSE": 7},
            **{"RAMB18E1": 3, "RAMB36E1": 4, "DSP48E1": 2, "IBUF": 9},
        },
        Usage(luts=337, lutrams=5, carries=20, ffs=13, brams=5.5, dsps=2),
    ),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_each_cell_counts_for_what_it_takes_of_the_device(name: str) -> None:
    cells, usage = CELLS[name]
    assert count(FAMILIES[name], cells) == usage


@pytest.mark.parametrize(
    ("parameters", "pin", "high"),
    [
        ({}, "CE", True),
        ({"CEMUX": "INV"}, "CE", False),
        ({"CEMUX": "0"}, "CE", False),
        ({"CEMUX": "1 "}, "CE", True),
        ({"LSRMUX": "LSR"}, "LSR", False),
        ({"LSRMUX": "INV"}, "LSR", True),
    ],
)
def test_an_open_input_of_ecp5_is_pulled_up_but_for_a_reset(parameters: dict[str, str], pin: str, high: bool) -> None:
    assert ECP5.models.routed.is_high("TRELLIS_FF", parameters, pin) is high
