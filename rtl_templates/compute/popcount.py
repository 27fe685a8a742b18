"""Count the ones of a word: full adders on triples of bits, then an adder tree whose carry inputs take the remaining bits."""

from collections.abc import Collection

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.compute.adder_tree import AdderTree
from hwgen.rtl_templates.sum_bill import Sums

__all__ = ["Popcount"]


class Popcount(wiring.Component):
    """Number of ones among ``lanes`` bits.

    L triples fill L full adders of two LUTs, and the L - 1 adders above them take a bit each as carry: 4 L - 1 bits cost
    little more than one LUT each. One further bit is left to the carry input of the adder that follows, if there is one.

    Parameters
    ----------
    lanes : int
        Bits to count.
    spare : bool
        Leave one bit out of ``o`` and hand it on as ``carry``.
    registers : collection of int
        Levels of the adder tree behind which registers stand, from 1 on.
    height : int or None
        Levels that the count runs through, at least ``levels(lanes, spare)``; None: those.

    Members
    -------
    i : In(lanes)
    o : Out(range)
    carry : Out(1)
        The bit left out, in the cycle of ``o``; 0 without ``spare``.

    Raises
    ------
    ValueError
        If nothing is left to count.
    """

    def __init__(
        self, lanes: int, *, spare: bool = False, registers: Collection[int] = (), height: int | None = None
    ) -> None:
        counted = lanes - spare
        if counted < 1:
            raise ValueError(f"A popcount of {lanes} lanes has no bit {'to spare' if lanes else 'to count'}")
        self.lanes = lanes
        self.spare = spare
        self.registers = frozenset(registers)
        self.height = height
        self.sizes, self.tree_carries = self.shares(lanes, spare)
        super().__init__({"i": In(lanes), "o": Out(range(counted + 1)), "carry": Out(1)})

    @classmethod
    def shares(cls, lanes: int, spare: bool) -> tuple[list[int], int]:
        """Give the sizes of the groups, and how many bits ride on carries."""
        groups, counted = cls.groups(lanes, spare), lanes - spare
        carries = min(groups - 1, counted - groups)
        return [(counted - carries) // groups + (n < (counted - carries) % groups) for n in range(groups)], carries

    @staticmethod
    def groups(lanes: int, spare: bool) -> int:
        """How many groups of up to three bits stand below the tree."""
        return max(1, -(-(lanes + 1 - spare) // 4))

    @classmethod
    def levels(cls, lanes: int, spare: bool) -> int:
        """Levels of adders above the groups."""
        return AdderTree.levels(cls.groups(lanes, spare))

    @classmethod
    def add_sums(cls, sums: Sums, lanes: int, spare: bool, registers: Collection[int], height: int) -> None:
        """Add what a popcount is made of."""
        sizes, carries = cls.shares(lanes, spare)
        AdderTree.add_sums(sums, [(0, size) for size in sizes], carries, registers, height)
        sums.triples += sizes.count(3)
        sums.pairs += sizes.count(2)
        sums.flipflops += len(registers) * spare
        sums.lone += len(registers) * spare

    def elaborate(self, platform: object) -> Module:
        """Name each group's count, and delay the spare bit as the tree delays its sum."""
        m = Module()
        m.submodules.tree = tree = AdderTree(
            [(0, size) for size in self.sizes], carries=self.tree_carries, registers=self.registers, height=self.height
        )
        first, groups = 0, []
        for number, size in enumerate(self.sizes):
            count = Signal(range(size + 1), name=f"count_{number}")
            m.d.comb += count.eq(self._count(list(self.i[first : first + size])))
            groups.append(count)
            first += size
        # The spare bit runs beside the tree through as many registers.
        spare = self.i[-1] if self.spare else Signal(name="no_bit")
        for level in sorted(self.registers):
            delayed = Signal(name=f"spare_{level}", reset_less=True)
            m.d.sync += delayed.eq(spare)
            spare = delayed
        m.d.comb += [
            tree.i.eq(Cat(*groups)),
            tree.carry.eq(self.i[first : first + self.tree_carries]),
            self.o.eq(tree.o),
            self.carry.eq(spare),
        ]
        return m

    @staticmethod
    def _count(bits: list[Value]) -> Value:
        """Count up to three bits: a wire, a half adder or a full adder."""
        match bits:
            case [a]:
                return a
            case [a, b]:
                return Cat(a ^ b, a & b)
            case [a, b, c]:
                return Cat(a ^ b ^ c, (a & b) | (c & (a ^ b)))
        raise ValueError(f"A group has 1 to 3 bits, not {len(bits)}")
