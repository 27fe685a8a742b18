"""What a unit is made of, counted from its parameters: the quantities that a family's resource model prices.

A bill says how many of each `Part` a unit has, which carry chains, memories and multipliers. Flip-flops are counted, not estimated; what a LUT
holds depends on the family, so the prices of the other parts are fitted to measurements (`benchmarks/resources.py`). Each unit states its own
bill beside its hardware: a static method ``bill`` of the parameters that it is made with, and of a name for its memories if it has any.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hwgen.rtl_templates.cost import CarryChain, MemoryKind, MemoryShape, Part, Product, Resources
from hwgen.rtl_templates.memory import style_of
from hwgen.rtl_templates.sum_bill import Sums

__all__ = ["Bill", "bits_of", "gates_of"]


@dataclass
class Bill:
    """Parts, carry chains, memories and multipliers, added up unit by unit."""

    parts: dict[Part, float] = field(default_factory=dict)
    chains: dict[CarryChain, float] = field(default_factory=dict)
    memories: list[MemoryShape] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)

    def add(self, part: Part, number: float) -> None:
        """Add so many of a part."""
        if number:
            self.parts[part] = self.parts.get(part, 0) + number

    def include(self, other: Bill, times: int = 1) -> None:
        """Add all of another bill, so many times; its memories once."""
        for part, number in other.parts.items():
            self.add(part, number * times)
        for chain, number in other.chains.items():
            self.chains[chain] = self.chains.get(chain, 0) + number * times
        self.memories += other.memories
        self.products += [replace(product, number=product.number * times) for product in other.products]

    def resources(self) -> Resources:
        """Give the cost of all of it."""
        return Resources(self.parts, tuple(self.memories), tuple(self.products), self.chains)

    # Registers, and what counts

    def register(self, bits: float) -> None:
        """Add flip-flops without logic of their own."""
        self.add(Part.FLIPFLOP, bits)

    def level(self, values: int) -> None:
        """Add a register that counts up and down, and what tells it to."""
        self.chain(Part.COUNTER_BIT, bits_of(values))
        self.register(bits_of(values))
        self.add(Part.OTHER, 1)

    def pointer(self, values: int) -> None:
        """Add a register that counts through so many values; where they are not a power of two, it is compared and cleared."""
        bits = bits_of(values)
        self.chain(Part.COUNTER_BIT, bits)
        self.register(bits)
        if values & (values - 1):
            self.chain(Part.CLEARED_BIT, bits)
            self.add(Part.OTHER, gates_of(bits))

    def counter(self, values: int) -> None:
        """Add a register that counts through so many values, and is compared and cleared at the last."""
        bits = bits_of(values)
        self.chain(Part.COUNTER_BIT, bits)
        self.chain(Part.CLEARED_BIT, bits)
        self.register(bits)
        self.add(Part.OTHER, gates_of(bits))

    def twin(self, values: int) -> None:
        """Add a counter through a power of two of values that is always equal to the lowest bits of another one."""
        self.chain(Part.TWIN_BIT, bits_of(values))

    # Arithmetic

    def chain(
        self, part: Part, bits: int, number: float = 1, *, carries_in: bool = False, carries_out: bool = False
    ) -> None:
        """Add carry chains of so many bits, beside one that only brings in a carry; the top bit may be a carry out."""
        if bits > 0 and number:
            chain = CarryChain(part, bits + carries_in, carries_in, carries_out)
            self.chains[chain] = self.chains.get(chain, 0) + number

    def sums(self, sums: Sums) -> None:
        """Add the carry chains and flip-flops of sums."""
        for (bits, carries_in, carries_out), number in sums.adders.items():
            self.chain(Part.ADDER_BIT, bits, number, carries_in=carries_in, carries_out=carries_out)
        self.register(sums.flipflops)

    def rank(self, bits: int, number: float, *, signed: bool) -> None:
        """Add comparisons of two numbers; the sign of a difference is known from the last two carries."""
        if bits > 1:
            self.chain(Part.RANK_BIT, bits, number)
            self.add(Part.OTHER, number * (3 if signed else 1))

    # Memories

    def memory(self, name: str, depth: int, width: int, kind: MemoryKind = MemoryKind.BUFFER) -> None:
        """Add a memory of a size that says where it lives."""
        self.memories.append(MemoryShape(name, depth, width, style_of(depth, width), kind))


def bits_of(values: int) -> int:
    """Give the bits that tell so many values apart."""
    return max(0, values - 1).bit_length()


def gates_of(bits: int) -> int:
    """Give the LUTs of a function of so many bits that is a single gate."""
    return max(0, -(-(bits - 1) // 3))
