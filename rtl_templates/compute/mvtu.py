"""Matrix-vector-threshold unit (MVTU): PE x SIMD lanes, accumulators, thresholds."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.compute.activation import Activation, Levels, Scores
from hwgen.rtl_templates.compute.adder_tree import range_shape
from hwgen.rtl_templates.compute.dot_product import DotProduct, Lanes
from hwgen.rtl_templates.compute.rom import Rom
from hwgen.rtl_templates.compute.shared_rows import SharedRows
from hwgen.rtl_templates.cost import MemoryKind, MemoryShape, Part
from hwgen.rtl_templates.memory import MemoryStyle, style_of
from hwgen.rtl_templates.registers.write_bus import Contents, fan_out, write_port
from hwgen.rtl_templates.streams.fifo import wrapping
from hwgen.rtl_templates.streams.output_queue import OutputQueue

__all__ = ["Lanes", "Levels", "Mvtu", "Scores"]


class Mvtu(wiring.Component):
    """Multiplies a matrix with each vector of a stream and activates the products.

    A beat brings ``simd`` inputs of each row. The unit takes the whole vector once for each of ``row_folds`` groups of ``pe`` rows, a beat a cycle,
    and yields a beat of ``pe`` codes at each group's last column: ``row_folds * column_folds`` cycles a vector. A result can leave
    `latency` cycles after that step.

    Parameters
    ----------
    pe, simd : int
        Rows and columns computed at once.
    lanes : Lanes
    in_shape, weight_shape : Shape
        Of one input and one weight; only multiplying lanes take signed inputs.
    words : sequence of int, or None
        None: a beat brings the step's word above its inputs. Else the weight memory: word ``row_fold * column_folds + column_fold`` has the weights of column s of row p at ``(p * simd + s) * weight_shape.width``.
    column_folds : int
        Steps of a row group.
    accumulator : (int, int)
        Least and greatest sum of any row.
    output : Levels or Scores
    shares : bool
        Rows share sums (`SharedRows`); only for XNOR lanes of one bit with constant weights, all columns at once.
    reads : sequence of sequence of int, or None
        The inputs of a beat that each of the ``pe`` rows takes, none left over; None: a beat has ``simd`` inputs, which all rows take.
    position_rows, position_columns : sequence of int
        Class of each row and column of the map of vectors, see `ChannelAddress`; the table of ``output`` has a part for each class.
    style : MemoryStyle
        Of weights and table; with weights in a large RAM the table is where its size suits.
    slots : int or None
        Depth of the output FIFO in beats; None: the least that lets the unit take a beat in every cycle.
    writes_weights, writes_table : bool
        Whether they can be written. What is on its way through the unit meanwhile comes out as anything; no cycle changes.
    fetch_registers : int
        Registers between the weight memory, if there is more than one word, and the lanes, beside the memory's own.

    Members
    -------
    i : ``In(stream.Signature(inputs * in_shape.width))``
        Wider by a word if there is no weight memory.
    o : ``Out(stream.Signature(pe * output.bits))``
    write : ``In(write_port(memories))``
        Only if something is writable.
    """

    def __init__(
        self,
        *,
        pe: int,
        simd: int,
        lanes: Lanes,
        in_shape: Shape,
        weight_shape: Shape,
        words: Sequence[int] | None,
        column_folds: int,
        accumulator: tuple[int, int],
        output: Levels | Scores,
        shares: bool = False,
        reads: Sequence[Sequence[int]] | None = None,
        position_rows: Sequence[int] = (0,),
        position_columns: Sequence[int] = (0,),
        style: MemoryStyle = MemoryStyle.AUTO,
        slots: int | None = None,
        writes_weights: bool = False,
        writes_table: bool = False,
        fetch_registers: int = 0,
    ) -> None:
        self.pe = pe
        self.simd = simd
        self.lanes = lanes
        self.in_shape = in_shape
        self.weight_shape = weight_shape
        self.words = words
        self.column_folds = column_folds
        self.accumulator = accumulator
        self.output = output
        self.reads = reads
        self.position_rows = position_rows
        self.position_columns = position_columns
        self.style = style
        self.writes_weights = writes_weights
        self.shares = shares
        steps = 1 if words is None else len(words)
        self.fetch_cycles = self.cycles_to_fetch(steps, fetch_registers)
        if shares:
            summing = len(SharedRows.register_levels(self._signs))
        else:
            summing = self.cycles_to_sum(lanes, simd, in_shape, weight_shape, column_folds > 1)
        self.pipeline = self.pipeline_cycles(summing, steps, output.latency, fetch_registers)
        width, inputs = pe * output.bits, simd if reads is None else 1 + max(max(row) for row in reads)
        self.slots = OutputQueue.least_slots(width, self.pipeline, column_folds) if slots is None else slots
        self.latency = self.pipeline + OutputQueue.latency(width, self.slots)
        stages = 1 + self.fetch_cycles + summing
        self.activation = Activation(
            lanes=pe,
            bounds=accumulator,
            output=output,
            rows=position_rows,
            columns=position_columns,
            style=self.table_style(style),
            ahead=min(Rom.LATENCY, stages),
            writable=writes_table,
        )
        self.inputs_width = inputs * in_shape.width
        brought = pe * simd * weight_shape.width if words is None else 0
        ports = {
            "i": In(stream.Signature(unsigned(self.inputs_width + brought))),
            "o": Out(stream.Signature(unsigned(width))),
        }
        super().__init__(ports | ({"write": In(write_port(self.memories))} if self.memories else {}))

    @cached_property
    def memories(self) -> Mapping[str, Contents]:
        """What can be written."""
        width, initial = self.pe * self.simd * self.weight_shape.width, self.style is not MemoryStyle.SPRAM
        held = self.words if self.writes_weights else None
        weights = {} if held is None else {"weights": Contents(held, width, initial=initial)}
        return {**weights, **(self.activation.memories if self.activation.writable else {})}

    @staticmethod
    def table_style(style: MemoryStyle) -> MemoryStyle:
        """Give where the table lives beside weights that live so."""
        return MemoryStyle.AUTO if style is MemoryStyle.SPRAM else style

    @staticmethod
    def cycles_to_fetch(words: int, fetch_registers: int) -> int:
        """Cycles from a step to its weights at the lanes."""
        return Rom.LATENCY + fetch_registers if words > 1 else 0

    @staticmethod
    def cycles_to_sum(lanes: Lanes, simd: int, in_shape: Shape, weight_shape: Shape, accumulates: bool) -> int:
        """Cycles of the adder trees, and of what is taken off their counts."""
        return DotProduct.latency(lanes, simd, in_shape, weight_shape, accumulates) + lanes.is_masked

    @classmethod
    def pipeline_cycles(cls, summing: int, words: int, activation: int, fetch_registers: int) -> int:
        """Cycles from a row group's last step to the write of its result into the output FIFO.

        Those of the weight memory if there is one, ``summing`` cycles of the adder trees, one for the accumulator, ``activation`` cycles for the codes.
        """
        return cls.cycles_to_fetch(words, fetch_registers) + summing + 1 + activation

    @classmethod
    def bill(
        cls,
        name: str,
        *,
        pe: int,
        simd: int,
        lanes: Lanes,
        in_shape: Shape,
        weight_shape: Shape,
        weights: np.ndarray | None,
        steps: int,
        inputs: int,
        column_folds: int,
        accumulator: tuple[int, int],
        output: Levels | Scores,
        shares: bool = False,
        position_rows: Sequence[int] = (0,),
        position_columns: Sequence[int] = (0,),
        style: MemoryStyle = MemoryStyle.AUTO,
        slots: int,
        writes_weights: bool = False,
        writes_table: bool = False,
        fetch_registers: int = 0,
    ) -> Bill:
        """Give what it is made of: the parameters are those of the unit, but for what it has packed.

        Parameters
        ----------
        name : str
        weights : ndarray of int, shape (rows, columns), or None
            What the words hold, `weight_shape` bits of each; None: beats bring them.
        steps : int
            Words.
        inputs : int
            Inputs of a beat.
        slots : int
            Depth of the output FIFO.
        """
        bill = OutputQueue.bill(f"{name}.queue", pe * output.bits, slots)
        bill.add(Part.UNIT, 1)
        # What is taken, and when a row group ends.
        bill.add(Part.OTHER, 3)
        if column_folds > 1:
            # The column is part of the step's number where there is a power of two of them.
            (bill.twin if steps > 1 and column_folds & (column_folds - 1) == 0 else bill.pointer)(column_folds)
            bill.register(1)
            bill.add(Part.OTHER, 1)
        signs = (weights > 0).tolist() if shares and weights is not None else []
        delays = cls.cycles_to_fetch(steps, fetch_registers)
        if steps > 1:
            bill.pointer(steps)
            bill.register(delays * inputs * in_shape.width)
            bill.register(fetch_registers * pe * simd * weight_shape.width)
        if shares:
            delays += len(SharedRows.register_levels(signs))
        else:
            delays += cls.cycles_to_sum(lanes, simd, in_shape, weight_shape, column_folds > 1)
        bill.register(2 * delays + 1)
        width, bits = pe * simd * weight_shape.width, range_shape(*accumulator).width
        in_logic = style_of(steps, width, style) is not MemoryStyle.BLOCK
        if writes_weights:
            bill.include(Rom.written_bill(f"{name}.weights", steps, width, style))
        elif steps > 1 and not in_logic:
            # Hundreds of words have no bit that never changes.
            bill.memories.append(MemoryShape(f"{name}.weights", steps, width, MemoryStyle.BLOCK, MemoryKind.ROM))
            bill.register(width)
        elif steps > 1 and weights is not None:
            words = weights.reshape(len(weights) // pe, pe, -1, simd).transpose(0, 2, 1, 3).reshape(steps, -1)
            bill.include(Rom.bill(f"{name}.weights", words.astype(np.int64), weight_shape.width, style=style))
        if shares:
            bill.include(cls._shared_bill(signs))
        else:
            constant = steps == 1 and not writes_weights and weights is not None
            halves = steps == 2 and in_logic and not writes_weights
            accumulates = column_folds > 1
            row = DotProduct.bill(
                lanes,
                simd,
                in_shape,
                weight_shape,
                accumulates=accumulates,
                rows=pe,
                constant=constant,
                halves=halves,
            )
            if lanes.is_masked:
                counted = DotProduct.bill(
                    Lanes.XNOR,
                    simd,
                    unsigned(1),
                    unsigned(1),
                    accumulates=accumulates,
                    rows=1,
                    constant=True,
                    halves=False,
                )
                width = (simd * column_folds).bit_length()
                for part, count in ((row, pe), (counted, 1)):
                    cls._accumulated(part, width, accumulates=accumulates, carries_in=True)
                    part.register(width)
                    bill.include(part, count)
                # Counts are doubled for nothing.
                bill.chain(Part.ADDER_BIT, bits - 1, pe)
            else:
                cls._accumulated(row, bits, accumulates=accumulates, carries_in=lanes.counts_planes)
                bill.include(row, pe)
        bill.register(pe * bits)
        activation = Activation.bill(
            name,
            lanes=pe,
            bounds=accumulator,
            output=output,
            rows=position_rows,
            columns=position_columns,
            style=cls.table_style(style),
            ahead=min(Rom.LATENCY, delays + 1),
            writable=writes_table,
        )
        bill.include(activation)
        return bill

    @staticmethod
    def _accumulated(row: Bill, bits: int, *, accumulates: bool, carries_in: bool) -> None:
        """Add a row's accumulator, if it has one."""
        if accumulates:
            row.chain(Part.ADDER_BIT, bits, carries_in=carries_in)
            row.add(Part.ACCUMULATOR_BIT, bits)
            row.register(bits)

    @staticmethod
    def _shared_bill(signs: Sequence[Sequence[bool]]) -> Bill:
        """Give what rows that share sums are made of."""
        bill, sums = Bill(), SharedRows.sums(signs)
        bill.sums(sums)
        bill.add(Part.GROUP, 2 * (sums.triples + sums.pairs))
        # What a carry chain takes inverted.
        bill.add(Part.OTHER, sums.inverted)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Steps, lanes, accumulators, activation, FIFO: each hands on with a valid bit, none ever stalls."""
        m = Module()
        m.submodules.queue = queue = OutputQueue(len(self.o.payload), self.slots)
        stages = [self._count_steps(m, queue)]
        inputs, word = self._fetch(m, stages)
        if self.shares:
            m.submodules.rows = shared = SharedRows(self._signs)
            m.d.comb += shared.i.eq(inputs)
            sums: list[tuple[Value, Value]] = [(getattr(shared, f"o_{p}"), Const(0, 1)) for p in range(self.pe)]
            levels = shared.registers
        else:
            rows = self._rows(m, inputs, word)
            sums, levels = [(row.o, row.carry) for row in rows], rows[0].registers
        for level in levels:
            stages.append(self._delay(m, f"level_{level}", stages[-1]))
        taken, last = stages[-1]
        totals = [self._accumulate(m, str(p), *row, taken, last) for p, row in enumerate(sums)]
        if self.lanes.is_masked:
            totals = self._less_mask(m, inputs, totals, taken, last)
            stages.append(self._delay(m, "unmasked", stages[-1]))
            taken, last = stages[-1]
        m.submodules.activation = activation = self.activation
        taken_early, last_early = stages[-activation.ahead]
        done = Signal(name="summed")
        m.d.comb += [activation.step.eq(taken_early & last_early), activation.totals.eq(Cat(*totals))]
        m.d.sync += done.eq(taken & last)
        for stage in range(self.output.latency):
            activated = Signal(name=f"activated_{stage}")
            m.d.sync += activated.eq(done)
            done = activated
        m.d.comb += [queue.data.eq(activation.codes), queue.push.eq(done)]
        if self.memories:
            ports = [self._weights.write] if self.writes_weights else []
            fan_out(m, self.write, [*ports, activation.write] if activation.writable else ports)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        return m

    def _rows(self, m: Module, inputs: Value, word: Value) -> list[DotProduct]:
        """Give each row its inputs and its weights."""
        rows = []
        for p in range(self.pe):
            m.submodules[f"row_{p}"] = row = DotProduct(
                self.lanes, self.simd, self.in_shape, self.weight_shape, accumulates=self.column_folds > 1
            )
            own = inputs
            if self.reads is not None:
                own = Cat(inputs.word_select(lane, self.in_shape.width) for lane in self.reads[p])
            m.d.comb += [row.row_inputs.eq(own), row.row_weights.eq(word.word_select(p, len(row.row_weights)))]
            rows.append(row)
        return rows

    @property
    def _signs(self) -> list[list[bool]]:
        """The constant weights of all rows, +1 as true."""
        word = self.words[0] if self.words else 0
        bits = [bool(word >> place & 1) for place in range(self.pe * self.simd)]
        return [bits[first : first + self.simd] for first in range(0, len(bits), self.simd)]

    def _count_steps(self, m: Module, queue: OutputQueue) -> tuple[Value, Value]:
        """Take a beat, unless it ends a row group and no slot is free."""
        taken = Signal()
        last = Signal(name="last_column")
        m.d.comb += [
            self.i.ready.eq(~last | queue.ready),
            taken.eq(self.i.valid & self.i.ready),
            queue.reserve.eq(taken & last),
        ]
        if self.column_folds == 1:
            m.d.comb += last.eq(1)
            return taken, last
        column = Signal(range(self.column_folds))
        with m.If(taken):
            m.d.sync += [column.eq(wrapping(column, self.column_folds)), last.eq(column == self.column_folds - 2)]
        return taken, last

    def _fetch(self, m: Module, stages: list[tuple[Value, Value]]) -> tuple[Value, Value]:
        """Read the step's weights, and let its inputs wait for them; a single word is a constant and there at once."""
        width = self.pe * self.simd * self.weight_shape.width
        inputs = self.i.payload
        if self.words is None:
            return inputs[: self.inputs_width], inputs[self.inputs_width :]
        if len(self.words) == 1 and not self.writes_weights:
            return inputs, Const(self.words[0], width)
        m.submodules.weights = self._weights = weights = Rom(
            self.words, width, style=self.style, writable=self.writes_weights
        )
        if len(self.words) == 1:
            return inputs, weights.data
        step = Signal(range(len(self.words)))
        with m.If(stages[0][0]):
            m.d.sync += step.eq(wrapping(step, len(self.words)))
        m.d.comb += weights.address.eq(step)
        word: Value = weights.data
        for cycle in range(self.fetch_cycles):
            waiting = Signal(len(inputs), name=f"inputs_{cycle}", reset_less=True)
            m.d.sync += waiting.eq(inputs)
            inputs = waiting
            stages.append(self._delay(m, f"fetch_{cycle}", stages[-1]))
        for number in range(self.fetch_cycles - Rom.LATENCY):
            nearer = Signal(width, name=f"word_{number}", reset_less=True)
            m.d.sync += nearer.eq(word)
            word = nearer
        return inputs, word

    @staticmethod
    def _delay(m: Module, name: str, stage: tuple[Value, Value]) -> tuple[Value, Value]:
        """Carry "a beat was taken" and "it ends a row group" on by a cycle."""
        taken = Signal(name=f"{name}_taken")
        last = Signal(name=f"{name}_last", reset_less=True)
        m.d.sync += [taken.eq(stage[0]), last.eq(stage[1])]
        return taken, last

    def _less_mask(self, m: Module, inputs: Value, counts: list[Signal], taken: Value, last: Value) -> list[Signal]:
        """Double the ones of every row and take off how many inputs are not 0, counted beside the rows in the same cycles."""
        one = unsigned(1)
        m.submodules.mask = mask = DotProduct(Lanes.XNOR, self.simd, one, one, accumulates=self.column_folds > 1)
        bits = Cat(inputs[lane * self.in_shape.width] for lane in range(self.simd))
        m.d.comb += [mask.row_inputs.eq(bits), mask.row_weights.eq(Const(-1, self.simd))]
        masked = self._accumulate(m, "mask", mask.o, mask.carry, taken, last)
        totals = []
        for p, count in enumerate(counts):
            total = Signal(range_shape(*self.accumulator), name=f"unmasked_{p}", reset_less=True)
            m.d.sync += total.eq((count << 1) - masked)
            totals.append(total)
        return totals

    def _accumulate(self, m: Module, p: str, row: Value, carry: Value, taken: Value, last: Value) -> Signal:
        """Add up a row group's steps; the total stands in the cycle after the last.

        Sums wrap freely on the way, as their width is that of the total: it comes out right because it is within ``accumulator``.
        """
        columns = self.simd * self.column_folds
        shape = range_shape(0, columns) if self.lanes.is_masked else range_shape(*self.accumulator)
        total = Signal(shape, name=f"total_{p}", reset_less=True)
        if self.column_folds == 1:
            m.d.sync += total.eq(row)
            return total
        partial = Signal(shape, name=f"partial_{p}")
        following = Signal(shape, name=f"following_{p}")
        if self.lanes.counts_planes:
            m.d.comb += following.eq((Cat(Const(1, 1), partial) + Cat(carry, row))[1:])
        else:
            m.d.comb += following.eq(partial + row)
        # The sum is cleared behind the adder, where flip-flops have a reset, and not gated in front of it, where it would cost LUTs.
        m.d.sync += total.eq(following)
        with m.If(taken):
            m.d.sync += partial.eq(Mux(last, 0, following))
        return total
