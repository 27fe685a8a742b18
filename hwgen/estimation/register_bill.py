"""What the registers of an accelerator consist of, and the stations of the bus to its memories, for the estimate of their cost."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.layers.costs import MemoryShape, Part, Resources
from hwgen.layers.parts import Bill
from hwgen.pipeline.stages import LayerStage
from hwgen.rtl_templates.registers.register_bus import STROBES, WORD_BITS
from hwgen.rtl_templates.registers.registers import RegisterMap
from hwgen.rtl_templates.registers.write_bus import PART_BITS

__all__ = ["address_bits", "control_bill", "register_resources"]

STORED_WORDS = 3
"""Words that a host writes: SCRATCH and both halves of LOADED_ID."""

COUNTED_WORDS = 4
"""Counters of both ports."""


def register_resources(layers: Sequence[LayerStage], beats_in: int, beats_out: int) -> Resources:
    """Give the cost of the registers of a pipeline, and of a station for each of its layers with writable memories.

    Parameters
    ----------
    layers : sequence of LayerStage
    beats_in, beats_out : int
        Beats of a frame at either port.
    """
    written = _written(layers)
    shapes = [shape for memories in written for shape in memories]
    address = address_bits(layers)
    bill = control_bill(len(layers), len(shapes), address, beats_in, beats_out)
    for memories in written:
        bill.register(1 + address + PART_BITS + sum(_parts(shape) for shape in memories))
        bill.add(Part.OTHER, 1 + sum(1 + _parts(shape) for shape in memories))
    return bill.resources()


def address_bits(layers: Sequence[LayerStage]) -> int:
    """Give the bits that number the words of the registers and writable memories of a pipeline."""
    shapes = [shape for memories in _written(layers) for shape in memories]
    words = RegisterMap(0, len(layers)).words + sum(1 << _address_bits(shape) for shape in shapes)
    return (words - 1).bit_length()


def _written(layers: Sequence[LayerStage]) -> list[list[MemoryShape]]:
    """Give the memories of each layer that can be written."""
    return [
        [memory for memory in stage.resources().memories if memory.written] for stage in layers if stage.fold.writable
    ]


def control_bill(stages: int, memories: int, address_bits: int, beats_in: int, beats_out: int) -> Bill:
    """Give the parts of a `Control`.

    Parameters
    ----------
    stages, memories : int
        Stages whose busy cycles are counted, and memories that can be written.
    address_bits : int
        Of a word.
    beats_in, beats_out : int
        Beats of a frame at either port.
    """
    bill = Bill()
    bill.add(Part.UNIT, 3)
    groups = -(-RegisterMap(0, stages).words // 8)
    bill.add(Part.REGISTER_BIT, WORD_BITS * (stages + STORED_WORDS + COUNTED_WORDS))
    bill.register(WORD_BITS * (stages + STORED_WORDS + COUNTED_WORDS + groups + 1) + stages)
    # The state of the load, the handshakes, and what an access keeps: two addresses, its own, and the word that is written and read.
    bill.register(9 + 12 + 4 * address_bits + 4 + 3 * WORD_BITS + STROBES)
    bill.counter(1 << 16)
    bill.counter(beats_in)
    bill.counter(beats_out)
    bill.add(Part.OTHER, (1 + memories) * address_bits // 2)
    return bill


def _parts(shape: MemoryShape) -> int:
    return -(-shape.width // PART_BITS)


def _address_bits(shape: MemoryShape) -> int:
    return (shape.depth - 1).bit_length() + (_parts(shape) - 1).bit_length()
