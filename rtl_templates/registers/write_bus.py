"""Memories that are written at run time, and the bus that reaches them all: one write a cycle, passed on from station to station."""

import gc
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal, UnusedElaboratable, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part

__all__ = [
    "PART_BITS",
    "Contents",
    "WriteBus",
    "WritePort",
    "WriteStation",
    "fan_out",
    "looked_at",
    "memories_of",
    "write_port",
]

PART_BITS = 32
"""Bits that are written at once; wider words are written in parts, the lowest first."""


@dataclass(frozen=True)
class Contents:
    """A memory that can be written, with its words at the start.

    Part ``p`` of word ``w`` has the address ``w << part_address_bits | p`` within the memory.

    Parameters
    ----------
    words : sequence of int
    width : int
        Bits of a word.
    initial : bool
        Whether the hardware starts with these words; False: with nothing, and they have to be written first.
    """

    words: Sequence[int]
    width: int
    initial: bool = True

    @property
    def parts(self) -> int:
        """Parts of a word."""
        return -(-self.width // PART_BITS)

    @property
    def part_address_bits(self) -> int:
        """Lowest address bits, which choose the part."""
        return (self.parts - 1).bit_length()

    @property
    def address_bits(self) -> int:
        """Address bits of word and part."""
        return (len(self.words) - 1).bit_length() + self.part_address_bits

    def image(self) -> list[int]:
        """Give what is written to the addresses from 0 on; addresses that no part has get 0."""
        mask = (1 << PART_BITS) - 1
        return [word >> PART_BITS * part & mask for word in self.words for part in range(1 << self.part_address_bits)]


class WriteBus(wiring.Signature):
    """A write to one address.

    Members
    -------
    enable : Out(1)
    address : Out(address_bits)
    data : Out(PART_BITS)
    """

    def __init__(self, address_bits: int) -> None:
        super().__init__({"enable": Out(1), "address": Out(address_bits), "data": Out(PART_BITS)})


class WritePort(wiring.Signature):
    """A write that is known to mean these memories.

    Members
    -------
    enable : Out(parts)
        One for each part of each memory, one memory behind the other; at most one is high.
    address : Out(address_bits)
        Of part and word, within the memory.
    data : Out(PART_BITS)
    """

    def __init__(self, parts: int, address_bits: int) -> None:
        super().__init__({"enable": Out(parts), "address": Out(address_bits), "data": Out(PART_BITS)})


def write_port(memories: Mapping[str, Contents]) -> WritePort:
    """Give the signature of the port through which a unit's memories are written."""
    return WritePort(
        sum(memory.parts for memory in memories.values()), max(memory.address_bits for memory in memories.values())
    )


def memories_of(unit: wiring.Component) -> Mapping[str, Contents]:
    """Give the memories of a unit that its port ``write`` reaches, in the order of its enable bits; none if it has no such port."""
    return unit.memories if "write" in unit.signature.members else {}


@contextmanager
def looked_at() -> Iterator[None]:
    """Let units be made in the block only to look at their memories: Amaranth warns of hardware that was made and not used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        yield
        gc.collect()


def fan_out(m: Module, source: wiring.PureInterface, ports: Iterable[wiring.PureInterface]) -> None:
    """Connect a unit's write port to those of its parts, in the order of the enable bits."""
    first = 0
    for port in ports:
        m.d.comb += [
            port.enable.eq(source.enable[first : first + len(port.enable)]),
            port.address.eq(source.address[: len(port.address)]),
            port.data.eq(source.data),
        ]
        first += len(port.enable)


class WriteStation(wiring.Component):
    """Passes each write on in the next cycle, and tells a unit's memories whether it means them: all from registers.

    So the bus is a chain of registers whose links are as long as the way from one unit to the next, and the decoding of an address has a cycle
    of its own.

    Parameters
    ----------
    address_bits : int
        Of the bus.
    memories : mapping of str to Contents
    bases : mapping of str to int
        Address of each memory's first part; a multiple of ``1 << memory.address_bits``.

    Members
    -------
    i : ``In(WriteBus(address_bits))``
    o : ``Out(WriteBus(address_bits))``
    write : ``Out(write_port(memories))``

    Raises
    ------
    ValueError
        If a base is no multiple of its memory's size.
    """

    def __init__(self, address_bits: int, memories: Mapping[str, Contents], bases: Mapping[str, int]) -> None:
        for name, memory in memories.items():
            if bases[name] % (1 << memory.address_bits):
                raise ValueError(f"Memory '{name}' cannot begin at {bases[name]}: not a multiple of its size")
        self.memories = memories
        self.bases = bases
        bus = WriteBus(address_bits)
        super().__init__({"i": In(bus), "o": Out(bus), "write": Out(write_port(memories))})

    @staticmethod
    def bill(address_bits: int, memories: Iterable[Contents]) -> Bill:
        """Give what it is made of: the registers that pass a write on, an enable for each part of a memory, and what decodes them."""
        bill, parts = Bill(), [memory.parts for memory in memories]
        bill.register(1 + address_bits + PART_BITS + sum(parts))
        bill.add(Part.OTHER, 1 + len(parts) + sum(parts))
        return bill

    def elaborate(self, platform: object) -> Module:
        """Decode in front of the registers that pass the write on."""
        m = Module()
        m.d.sync += self.o.enable.eq(self.i.enable)
        address = Signal.like(self.i.address, name="address", reset_less=True)
        data = Signal.like(self.i.data, name="data", reset_less=True)
        m.d.sync += [address.eq(self.i.address), data.eq(self.i.data)]
        enables: list[Value] = []
        for name, memory in self.memories.items():
            high = self.i.address[memory.address_bits :]
            means = Signal(name=f"{name}_meant")
            base = self.bases[name] >> memory.address_bits
            m.d.comb += means.eq(self.i.enable & ((high == base) if len(high) else 1))
            part = self.i.address[: memory.part_address_bits]
            enables += [means & (part == number) if len(part) else means for number in range(memory.parts)]
        m.d.sync += self.write.enable.eq(Cat(*enables))
        m.d.comb += [
            self.o.address.eq(address),
            self.o.data.eq(data),
            self.write.address.eq(address[: len(self.write.address)]),
            self.write.data.eq(data),
        ]
        return m
