"""AMD 7-series: mapped for figures, finished by Vivado."""

from __future__ import annotations

from hwgen.devices.cells import Memories, MemoryCell, Multipliers
from hwgen.devices.family import Family, Recipe, Room
from hwgen.devices.usage import Usage

__all__ = ["XILINX7"]

XILINX7 = Family(
    name="xilinx7",
    recipe=Recipe(
        lambda device: "synth_xilinx -family xc7 -flatten -noiopad -noclkbuf",
        # Inverters vanish into the LUTs that they feed.
        cells=(
            ("LUT[1-6]|SRL.*", Usage(luts=1)),
            ("RAM(32|64)X1D", Usage(luts=2, lutrams=1)),
            ("RAM(32|64)(M|X1Q)", Usage(luts=4, lutrams=1)),
            ("CARRY4", Usage(carries=4)),
            ("FD.*", Usage(ffs=1)),
            ("RAMB18E1", Usage(brams=0.5)),
            ("RAMB36E1", Usage(brams=1)),
            ("DSP48E1", Usage(dsps=1)),
        ),
    ),
    memories=Memories(
        block=(
            MemoryCell(14, (1, 2, 4, 9, 18, 36), 129, blocks=0.5, byte=9),
            MemoryCell(15, (1, 2, 4, 9, 18, 36, 72), 257, blocks=1, byte=9),
        ),
        lut=(MemoryCell(5, (6,), 8, lutrams=1), MemoryCell(6, (3,), 8, lutrams=1)),
        lut_bits=4 * 64,
        lut_words=64,
        table_bit=1 / 64,
    ),
    multipliers=Multipliers(least_product_bits=9),
    room=Room(0.0, Usage(luts=600, ffs=560, brams=1)),
)
