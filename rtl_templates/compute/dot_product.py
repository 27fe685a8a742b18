"""One row of a matrix-vector unit: SIMD lanes and the tree that adds them."""

from amaranth.hdl import Cat, Module, Shape, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.compute.adder_tree import AdderTree, range_shape
from hwgen.rtl_templates.compute.lane_bill import GROUP_LUTS, different, group_luts, shared_by
from hwgen.rtl_templates.compute.lanes import Lanes
from hwgen.rtl_templates.compute.plane_sum import PlaneSum
from hwgen.rtl_templates.cost import Part, Product

__all__ = ["DotProduct", "Lanes"]


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
        To be added to ``o``; 0 unless the lanes count planes.
    """

    def __init__(self, lanes: Lanes, simd: int, in_shape: Shape, weight_shape: Shape, *, accumulates: bool) -> None:
        self.lanes = lanes
        self.simd = simd
        self.in_shape = in_shape
        self.weight_shape = weight_shape
        self.registers = self.register_levels(lanes, simd, in_shape, weight_shape, accumulates)
        if lanes.counts_planes:
            sizes = self.plane_sizes(lanes, simd, in_shape, weight_shape)
            self.tree: PlaneSum | AdderTree = PlaneSum(
                sizes, spare=accumulates and sizes[0] > 1, registers=self.registers
            )
        else:
            self.tree = AdderTree([self.term_bounds(lanes, in_shape, weight_shape)] * simd, registers=self.registers)
        super().__init__(
            {
                "row_inputs": In(simd * in_shape.width),
                "row_weights": In(simd * weight_shape.width),
                "o": Out(self.tree.o.shape()),
                "carry": Out(1),
            }
        )

    @staticmethod
    def sign_planes(lanes: Lanes, in_shape: Shape, weight_shape: Shape) -> list[int]:
        """Give the significance of each bit that a lane counts in which either number is -1 or +1; nothing for other lanes."""
        if lanes is Lanes.SIGNED_BY_WEIGHT:
            return [plane for bit in range(in_shape.width) for plane in (bit, bit + 1)]
        if lanes is Lanes.SIGNED_BY_INPUT and weight_shape == unsigned(1):
            return [0, 0]
        if lanes is Lanes.SIGNED_BY_INPUT:
            top = [] if weight_shape.signed else [weight_shape.width]
            return [0, *range(weight_shape.width), *top]
        return []

    @classmethod
    def plane_sizes(cls, lanes: Lanes, simd: int, in_shape: Shape, weight_shape: Shape) -> list[int]:
        """Count the bits of each significance."""
        planes = [0] if lanes.is_masked else cls.sign_planes(lanes, in_shape, weight_shape)
        if planes:
            return [simd * planes.count(plane) for plane in range(max(planes) + 1)]
        digits = 1 if lanes.is_ternary else weight_shape.width
        pairs = [x + w for x in range(in_shape.width) for w in range(digits)]
        return [simd * pairs.count(plane) for plane in range(max(pairs) + 1)]

    @classmethod
    def register_levels(cls, lanes: Lanes, simd: int, in_shape: Shape, weight_shape: Shape, accumulates: bool) -> range:
        """Give the levels of the adder tree that end in registers; level 0 is the products."""
        if lanes.counts_planes:
            sizes = cls.plane_sizes(lanes, simd, in_shape, weight_shape)
            levels = PlaneSum.levels(sizes, accumulates and sizes[0] > 1)
        else:
            levels = AdderTree.levels(simd)
        return range(0 if lanes is Lanes.MULTIPLY else 1, levels + accumulates, 2)

    @classmethod
    def latency(cls, lanes: Lanes, simd: int, in_shape: Shape, weight_shape: Shape, accumulates: bool) -> int:
        """Cycles from inputs and weights to their sum."""
        return len(cls.register_levels(lanes, simd, in_shape, weight_shape, accumulates))

    @staticmethod
    def term_bounds(lanes: Lanes, in_shape: Shape, weight_shape: Shape) -> tuple[int, int]:
        """Give the least and greatest number of a lane of words."""
        if lanes is not Lanes.MULTIPLY:
            return _limits(unsigned(in_shape.width))
        products = [x * w for x in _limits(in_shape) for w in _limits(weight_shape)]
        return min(products), max(products)

    @classmethod
    def bill(
        cls,
        lanes: Lanes,
        simd: int,
        in_shape: Shape,
        weight_shape: Shape,
        *,
        accumulates: bool,
        rows: int,
        constant: bool,
        halves: bool,
    ) -> Bill:
        """Give what one of ``rows`` equal rows is made of: its share of what is the same in several of them.

        Parameters
        ----------
        lanes, simd, in_shape, weight_shape, accumulates
            See the unit.
        rows : int
        constant : bool
            The weights are constants.
        halves : bool
            The weights are those of two words in logic.
        """
        bill = Bill()
        registers = tuple(cls.register_levels(lanes, simd, in_shape, weight_shape, accumulates))
        low, high = cls.term_bounds(lanes, in_shape, weight_shape)
        if lanes.counts_planes:
            sizes = cls.plane_sizes(lanes, simd, in_shape, weight_shape)
            sums = PlaneSum.sums(tuple(sizes), accumulates and sizes[0] > 1, registers)
            if constant or halves:
                # Bits and counts that wait for their adder are the same in many rows.
                bill.register(-sums.lone * (1 - different(4 if constant else 8, rows) / rows))
            triple, pair, single = group_luts(
                rows, ternary=lanes.is_ternary, masked=lanes.is_masked, constant=constant, halves=halves
            )
            bill.add(Part.GROUP, triple * sums.triples + pair * sums.pairs)
            bill.add(Part.XNOR, single * (sum(sizes) - 3 * sums.triples - 2 * sums.pairs))
            if lanes is Lanes.SIGNED_BY_WEIGHT and in_shape.width == 1:
                inputs_alone = PlaneSum.popcount_sums(sizes, 0, accumulates and sizes[0] > 1, registers)
                bill.include(shared_by(rows, inputs_alone, GROUP_LUTS))
            if lanes is Lanes.SIGNED_BY_INPUT:
                # Groups of input bits alone are the same in all rows; sums of them have lanes of the row among them.
                bill.add(Part.GROUP, (1 / rows - 1) * (GROUP_LUTS[0] * (simd // 3) + GROUP_LUTS[1] * (simd % 3 == 2)))
                if len(sizes) > weight_shape.width:
                    inputs_alone = PlaneSum.popcount_sums(sizes, weight_shape.width, False, registers)
                    bill.include(shared_by(rows, inputs_alone, GROUP_LUTS))
            if lanes.is_masked and (constant or halves):
                # An input is -1, or is +1, for all rows.
                bill.add(Part.XNOR, 2 * simd / rows)
        else:
            sums = AdderTree.sums(low, high, simd, registers)
            if lanes is not Lanes.MULTIPLY:
                bill.add(Part.ADD_SUB_BIT, 0 if constant else simd * in_shape.width)
        bill.sums(sums)
        if lanes is Lanes.MULTIPLY:
            # Beside a signed factor an unsigned one is a bit wider.
            left, right = (
                own.width + (other.signed and not own.signed)
                for own, other in ((in_shape, weight_shape), (weight_shape, in_shape))
            )
            bill.products.append(Product(simd, left, right, range_shape(low, high).width))
        return bill

    def elaborate(self, platform: object) -> Module:
        """Lanes in front of the tree."""
        m = Module()
        m.submodules.tree = self.tree
        m.d.comb += self.o.eq(self.tree.o)
        if isinstance(self.tree, PlaneSum):
            m.d.comb += [self.tree.i.eq(self._planes(m)), self.carry.eq(self.tree.carry)]
        else:
            m.d.comb += self.tree.i.eq(self._words(m))
        return m

    def _planes(self, m: Module) -> Value:
        """Give the bits of all pairs of planes by significance; each is a wire, as an inversion must not meet a wider sum."""
        inputs, weights = (
            [Cat(row[lane * width + bit] for lane in range(self.simd)) for bit in range(width)]
            for row, width in ((self.row_inputs, self.in_shape.width), (self.row_weights, self.weight_shape.width))
        )
        counted_up = (Lanes.XNOR, Lanes.TERNARY_XNOR, Lanes.MASKED_XNOR, Lanes.AND)
        if self.in_shape.signed and self.lanes in counted_up:
            inputs[-1] = ~inputs[-1]
        signs = self.sign_planes(self.lanes, self.in_shape, self.weight_shape)
        if signs:
            terms = zip(signs, self._signed_terms(m, inputs, weights), strict=True)
            return Cat(*(bits for _, bits in sorted(terms, key=lambda term: term[0])))
        if self.lanes.is_masked:
            ones = Signal(self.simd, name="alike")
            m.d.comb += ones.eq(~(inputs[1] ^ weights[0]) & inputs[0])
            return ones
        digits = weights[:1] if self.lanes.is_ternary else weights
        planes: list[list[Value]] = [[] for _ in range(len(inputs) + len(digits) - 1)]
        for j, digit in enumerate(digits):
            for i, bit in enumerate(inputs):
                ones = Signal(self.simd, name=f"input_{i}_weight_{j}")
                if self.lanes in (Lanes.AND, Lanes.PRODUCT):
                    both = bit & digit
                    is_sign = self.weight_shape.signed and j == len(digits) - 1
                    if self.lanes is Lanes.PRODUCT and self.in_shape.signed and i == len(inputs) - 1:
                        is_sign = not is_sign
                    m.d.comb += ones.eq(~both if is_sign else both)
                else:
                    equal = ~(bit ^ digit)
                    m.d.comb += ones.eq(equal & weights[1] if self.lanes.is_ternary else equal)
                planes[i + j].append(ones)
        return Cat(*(ones for plane in planes for ones in plane))

    def _signed_terms(self, m: Module, inputs: list[Value], weights: list[Value]) -> list[Value]:
        """Give what the lanes count where either number is -1 or +1, in the order of `sign_planes`."""
        terms: list[Value] = []
        if self.lanes is Lanes.SIGNED_BY_WEIGHT:
            for i, bit in enumerate(inputs):
                both, is_sign = bit & weights[0], self.in_shape.signed and i == len(inputs) - 1
                terms += [bit, ~both] if is_sign else [~bit, both]
        elif self.weight_shape == unsigned(1):
            (sign,) = inputs
            terms += [sign, ~(sign ^ weights[0])]
        else:
            (sign,) = inputs
            terms.append(~sign)
            for j, bit in enumerate(weights):
                is_sign = self.weight_shape.signed and j == len(weights) - 1
                terms.append(sign ^ bit if is_sign else ~(sign ^ bit))
            terms += [] if self.weight_shape.signed else [sign]
        wires = [Signal(self.simd, name=f"term_{number}") for number in range(len(terms))]
        m.d.comb += [wire.eq(term) for wire, term in zip(wires, terms, strict=True)]
        return list(wires)

    def _words(self, m: Module) -> Value:
        """Give a named number a lane."""
        terms = []
        width, bounds = self.in_shape.width, self.term_bounds(self.lanes, self.in_shape, self.weight_shape)
        top_bit = 1 << (width - 1) if self.in_shape.signed else 0
        for lane in range(self.simd):
            x = self.row_inputs.word_select(lane, width)
            w = self.row_weights.word_select(lane, self.weight_shape.width)
            term = Signal(range_shape(*bounds), name=f"term_{lane}")
            if self.lanes is Lanes.MULTIPLY:
                x = x.as_signed() if self.in_shape.signed else x
                w = w.as_signed() if self.weight_shape.signed else w
                m.d.comb += term.eq(x * w)
            else:
                counted = x ^ (~w[0]).replicate(width) ^ top_bit
                m.d.comb += term.eq(counted & w[1].replicate(width) if self.lanes.is_ternary else counted)
            terms.append(term)
        return Cat(*terms)


def _limits(shape: Shape) -> tuple[int, int]:
    """Give the least and greatest number of a shape."""
    if shape.signed:
        return -(1 << (shape.width - 1)), (1 << (shape.width - 1)) - 1
    return 0, (1 << shape.width) - 1
