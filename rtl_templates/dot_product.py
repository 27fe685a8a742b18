"""One row of a matrix-vector unit: SIMD lanes and the tree that adds them."""

from enum import Enum

from amaranth.hdl import Cat, Module, Shape, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.adder_tree import AdderTree, range_shape
from hwgen.rtl_templates.popcount import Popcount

__all__ = ["DotProduct", "Lanes"]


class Lanes(Enum):
    """What one lane does with its input and its weight."""

    XNOR = "xnor"
    """1-bit input, 1-bit weight: one if they are equal."""
    ADD_SUB = "add_sub"
    """k-bit input u (a signed one counted from its least value: ``input + 2**(k-1)``), 1-bit weight: u, or ``2**k - 1 - u`` where the weight is 0."""
    MULTIPLY = "multiply"
    """Input times weight, both plain or two's complement numbers."""


class DotProduct(wiring.Component):
    """Sums ``simd`` lanes; a new sum can start in every cycle and takes `latency` cycles.

    Registers stand inside the tree so that no more than two additions follow one another; the lanes' own logic counts as one.

    Parameters
    ----------
    lanes : Lanes
    simd : int
    in_shape, weight_shape : Shape
        Of one input and one weight.
    accumulates : bool
        Whether ``o + carry`` goes into an accumulator in the same cycle: one more addition, whose carry input can count a lane.

    Members
    -------
    row_inputs : In(simd inputs)
    row_weights : In(simd weights)
    o : Out(shape of the sum)
    carry : Out(1)
        To be added to ``o``.
    """

    def __init__(self, lanes: Lanes, simd: int, in_shape: Shape, weight_shape: Shape, *, accumulates: bool) -> None:
        self.lanes = lanes
        self.simd = simd
        self.in_shape = in_shape
        self.weight_shape = weight_shape
        self.accumulates = accumulates
        self.registers = self.register_levels(lanes, simd, accumulates)
        if lanes is Lanes.XNOR:
            self.tree = Popcount(simd, spare=accumulates and simd > 1, registers=self.registers)
        else:
            self.tree = AdderTree([self._term_bounds()] * simd, registers=self.registers)
        super().__init__(
            {
                "row_inputs": In(simd * in_shape.width),
                "row_weights": In(simd * weight_shape.width),
                "o": Out(self.tree.o.shape()),
                "carry": Out(1),
            }
        )

    @staticmethod
    def register_levels(lanes: Lanes, simd: int, accumulates: bool) -> range:
        """Give the levels of the adder tree that end in registers; level 0 is the products."""
        spare = accumulates and simd > 1
        levels = Popcount.levels(simd, spare) if lanes is Lanes.XNOR else AdderTree.levels(simd)
        return range(0 if lanes is Lanes.MULTIPLY else 1, levels + accumulates, 2)

    @classmethod
    def latency(cls, lanes: Lanes, simd: int, accumulates: bool) -> int:
        """Cycles from inputs and weights to their sum."""
        return len(cls.register_levels(lanes, simd, accumulates))

    def _term_bounds(self) -> tuple[int, int]:
        if self.lanes is Lanes.ADD_SUB:
            return _limits(unsigned(self.in_shape.width))
        x_low, x_high = _limits(self.in_shape)
        products = [x * w for x in (x_low, x_high) for w in _limits(self.weight_shape)]
        return min(products), max(products)

    def elaborate(self, platform: object) -> Module:
        """One named signal a lane in front of the tree."""
        m = Module()
        m.submodules.tree = tree = self.tree
        m.d.comb += self.o.eq(tree.o)
        if self.lanes is Lanes.XNOR:
            # A 1-bit wire a lane: the inversion must not meet a wider sum.
            equal = Signal(self.simd)
            m.d.comb += [equal.eq(~(self.row_inputs ^ self.row_weights)), tree.i.eq(equal), self.carry.eq(tree.carry)]
            return m
        terms = []
        top_bit = 1 << (self.in_shape.width - 1) if self.in_shape.signed else 0
        for lane in range(self.simd):
            x = self.row_inputs.word_select(lane, self.in_shape.width)
            w = self.row_weights.word_select(lane, self.weight_shape.width)
            term = Signal(range_shape(*self._term_bounds()), name=f"term_{lane}")
            if self.lanes is Lanes.ADD_SUB:
                m.d.comb += term.eq(x ^ (~w).replicate(self.in_shape.width) ^ top_bit)
            else:
                x = x.as_signed() if self.in_shape.signed else x
                w = w.as_signed() if self.weight_shape.signed else w
                m.d.comb += term.eq(x * w)
            terms.append(term)
        m.d.comb += tree.i.eq(Cat(*terms))
        return m


def _limits(shape: Shape) -> tuple[int, int]:
    """Give the least and greatest number of a shape."""
    if shape.signed:
        return -(1 << (shape.width - 1)), (1 << (shape.width - 1)) - 1
    return 0, (1 << shape.width) - 1
