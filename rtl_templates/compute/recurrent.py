"""A recurrent cell: one product of the state with a matrix, units behind it, and the state that goes round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.streams.fifo import Fifo
from hwgen.rtl_templates.streams.fork import Fork
from hwgen.rtl_templates.streams.output_queue import OutputQueue
from hwgen.rtl_templates.windows.loop_nest import LoopNest
from hwgen.rtl_templates.windows.state_bank import StateBank

__all__ = ["PRODUCT", "CellUnit", "RecurrentUnit", "StepMap"]

PRODUCT = "product"
"""What yields the products of the state with the matrix."""


class StepMap(NamedTuple):
    """A stream of which each time step takes some beats, each together with the last column of a row group."""

    name: str
    width: int
    first: int
    """Row group of the first beat."""
    beats: int


class CellUnit(NamedTuple):
    """A unit of the cell, and what feeds each of its inputs: a step map, a state, `PRODUCT` or another unit."""

    name: str
    unit: wiring.Component
    reads: tuple[str, ...]


_Ends = dict[str, list[tuple[str, wiring.PureInterface]]]


class RecurrentUnit(wiring.Component):
    """Runs a cell through the time steps of each frame, from the states with which the frame begins.

    A frame begins with ``beats`` beats of every state. Then each step multiplies the state by the matrix, a row group of PE rows after the other, and
    rests for ``gap`` cycles, until the first columns of the new state are known, and for ``pause`` cycles before its last
    row groups. These yield beats of the output, ``latency``
    cycles later: behind them nothing ever waits, as they reserve a slot.

    Parameters
    ----------
    pe, simd : int
        Codes of a beat that the cell yields, and of one that is multiplied; one divides the other.
    state_bits : int
        Of a code of the state that is multiplied.
    beats : int
        Beats of a state.
    row_folds, column_folds : int
        Row groups of the product, and steps of each.
    time_steps, gap, pause : int
    step_maps : sequence of StepMap
    states : mapping of str to int
        Names of the states and the bits of their beats; the first is multiplied, and goes out.
    product : Component
        Multiplies, with streams ``i`` and ``o``, and never stalls while its output is taken.
    units : sequence of CellUnit
    yields : sequence of str
        The unit that yields each state.
    depths : mapping of (str, str) to int
        Beats of the FIFO between two units, by the names of writer and reader; no FIFO where none is named.
    slots : int
        Depth of the output FIFO.

    Members
    -------
    i_0, i_1, ...
        The step maps, then the states' first values.
    o : ``Out(stream.Signature(width))``
    busy : Out(1)
        A step of the product is taken, or a beat of a first state.
    """

    READ_LATENCY = 1
    """Cycles from the step to its columns at the product."""

    def __init__(
        self,
        *,
        pe: int,
        simd: int,
        state_bits: int,
        beats: int,
        row_folds: int,
        column_folds: int,
        time_steps: int,
        gap: int,
        pause: int,
        step_maps: Sequence[StepMap],
        states: Mapping[str, int],
        product: wiring.Component,
        units: Sequence[CellUnit],
        yields: Sequence[str],
        depths: Mapping[tuple[str, str], int],
        slots: int,
    ) -> None:
        self.pe, self.simd, self.state_bits, self.beats = pe, simd, state_bits, beats
        self.row_folds, self.column_folds = row_folds, column_folds
        self.time_steps, self.gap, self.pause = time_steps, gap, pause
        self.step_maps, self.states = list(step_maps), dict(states)
        self.product, self.units, self.yields = product, list(units), list(yields)
        self.depths, self.slots = dict(depths), slots
        widths = [*(each.width for each in self.step_maps), *self.states.values()]
        ports = {f"i_{k}": In(stream.Signature(unsigned(width))) for k, width in enumerate(widths)}
        self.width = next(iter(self.states.values()))
        super().__init__(ports | {"o": Out(stream.Signature(unsigned(self.width))), "busy": Out(1)})

    @staticmethod
    def bill(
        name: str,
        *,
        pe: int,
        simd: int,
        state_bits: int,
        beats: int,
        row_folds: int,
        column_folds: int,
        time_steps: int,
        gap: int,
        pause: int,
        step_maps: Sequence[StepMap],
        states: Mapping[str, int],
        widths: Mapping[str, int],
        depths: Mapping[tuple[str, str], int],
        slots: int,
    ) -> Bill:
        """Give what it is made of, beside the product and the units: the parameters are those of the unit, and two of its own.

        Parameters
        ----------
        name : str
        widths : mapping of str to int
            Bits of a beat of each unit, and of the product.
        """
        width = next(iter(states.values()))
        bill = OutputQueue.bill(f"{name}.queue", width, slots)
        bill.include(StateBank.bill(f"{name}.states", bits=state_bits, pe=pe, simd=simd, beats=beats))
        bill.add(Part.UNIT, 1)
        _, parts, words = StateBank.sizes(pe, simd, beats)
        bill.include(LoopNest.bill([parts, words, row_folds, time_steps, beats]))
        bill.include(LoopNest.bill([beats, time_steps]), len(states))
        if gap or pause:
            bill.level(max(gap, pause) + 1)
        bill.register(2)
        bill.add(Part.OTHER, 6 + 3 * len(step_maps) + 2 * len(states))
        bill.add(Part.SHIFT_BIT, sum(states.values()))
        sizes = {**widths, **{each.name: each.width for each in step_maps}, **states}
        for (writer, reader), depth in depths.items():
            bill.include(Fifo.bill(f"{name}.{writer}_to_{reader}", sizes[writer], depth))
        return bill

    def elaborate(self, platform: object) -> Module:
        """Head, product, units, state."""
        m = Module()
        m.submodules.product = self.product
        m.submodules.queue = queue = OutputQueue(self.width, self.slots)
        m.submodules.state_bank = bank = StateBank(bits=self.state_bits, pe=self.pe, simd=self.simd, beats=self.beats)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        self._head(m, queue, bank)
        outputs, readers = self._cell(m)
        count = len(self.step_maps)
        for k, each in enumerate(self.step_maps):
            port = getattr(self, f"i_{k}")
            self._feed(m, each.name, port.valid & port.ready, port.payload, readers.get(each.name, []))
        for k, (name, unit) in enumerate(zip(self.states, self.yields, strict=True)):
            first, port = getattr(self, f"i_{count + k}"), outputs[unit]
            comes, last = Signal(name=f"has_{name}"), Signal(name=f"{name}_is_last")
            beat = Signal(len(first.payload), name=f"{name}_beat")
            loops = LoopNest(m, comes, {f"{name}_place": self.beats, f"{name}_step": self.time_steps})
            m.d.comb += [
                comes.eq(port.valid & port.ready),
                last.eq(loops.is_last[f"{name}_step"]),
                beat.eq(Mux(bank.load, first.payload, port.payload)),
            ]
            # What the last step yields is no state of anything.
            self._feed(m, name, bank.load | (comes & ~last), beat, readers.get(name, []))
            if not k:
                m.d.comb += [
                    queue.push.eq(comes),
                    queue.data.eq(port.payload),
                    bank.put.eq(comes),
                    bank.last.eq(last),
                    bank.data.eq(beat),
                ]
        return m

    def _head(self, m: Module, queue: OutputQueue, bank: StateBank) -> None:
        """Take first states, then steps, and hand columns of the state to the product."""
        inputs = [getattr(self, f"i_{k}") for k in range(len(self.step_maps) + len(self.states))]
        maps, firsts = inputs[: len(self.step_maps)], inputs[len(self.step_maps) :]
        load, issue, rests = (Signal(name=name) for name in ("load", "issue", "rests"))
        steps, starts = Signal(name="may_step"), Signal(name="may_start")
        loading, issued = Signal(init=1), Signal()
        counts = {"part": bank.parts, "word": bank.words, "row_group": self.row_folds, "time_step": self.time_steps}
        loops = LoopNest(m, issue, counts)
        first = LoopNest(m, load, {"first_beat": self.beats})
        row_group, last_column = loops.index["row_group"], Signal()
        takes = [Signal(name=f"takes_{each.name}") for each in self.step_maps]
        emits, ends = Signal(), Signal(name="step_ends")
        there = [port.valid | ~take for port, take in zip(maps, takes, strict=True)]
        for each, take in zip(self.step_maps, takes, strict=True):
            m.d.comb += take.eq(last_column & self._within(row_group, each.first, each.beats))
        m.d.comb += [
            last_column.eq(loops.is_last["part"] & loops.is_last["word"]),
            emits.eq(last_column & self._within(row_group, self.row_folds - self.beats, self.beats)),
            steps.eq(~loading & ~rests & (queue.ready | ~emits)),
            starts.eq(loading & ~rests),
            issue.eq(steps & Cat(there).all()),
            load.eq(starts & Cat(port.valid for port in firsts).all()),
            queue.reserve.eq(issue & emits),
            ends.eq(issue & last_column & loops.is_last["row_group"]),
            self.busy.eq(issue | load),
        ]
        # What is taken together waits for one another, but not for itself.
        for k, (port, take) in enumerate(zip(maps, takes, strict=True)):
            m.d.comb += port.ready.eq(steps & take & Cat(there[:k] + there[k + 1 :]).all())
        for k, port in enumerate(firsts):
            m.d.comb += port.ready.eq(starts & Cat(other.valid for other in firsts[:k] + firsts[k + 1 :]).all())
        with m.If(ends):
            m.d.sync += loading.eq(loops.is_last["time_step"])
        with m.If(load & first.is_last["first_beat"]):
            m.d.sync += loading.eq(0)
        if self.gap or self.pause:
            rest = Signal(range(max(self.gap, self.pause) + 1))
            m.d.comb += rests.eq(rest != 0)
            with m.If(rests):
                m.d.sync += rest.eq(rest - 1)
            with m.If(ends):
                m.d.sync += rest.eq(self.gap)
            if self.pause:
                with m.Elif(issue & last_column & (row_group == self.row_folds - self.beats - 1)):
                    m.d.sync += rest.eq(self.pause)
        m.d.sync += issued.eq(issue)
        m.d.comb += [
            bank.load.eq(load),
            bank.read.eq(issue),
            bank.part.eq(loops.index["part"]),
            bank.word.eq(loops.index["word"]),
            bank.ends.eq(ends),
            bank.is_last.eq(loops.is_last["time_step"]),
            self.product.i.valid.eq(issued),
            self.product.i.payload.eq(bank.columns),
        ]

    def _within(self, row_group: Value, first: int, count: int) -> Value:
        """Whether a row group is one of so many from one on."""
        bounds = [row_group >= first] if first else []
        bounds += [row_group < first + count] if first + count < self.row_folds else []
        return Cat(bounds).all() if bounds else Const(1)

    def _cell(self, m: Module) -> tuple[dict[str, wiring.PureInterface], _Ends]:
        """Connect the units with one another; give what they yield, and who reads what."""
        readers: _Ends = {}
        for name, unit, reads in self.units:
            m.submodules[name] = unit
            for k, writer in enumerate(reads):
                port = unit.i if len(reads) == 1 else getattr(unit, f"i_{k}")
                readers.setdefault(writer, []).append((name, port))
        outputs = {PRODUCT: self.product.o, **{name: unit.o for name, unit, _ in self.units}}
        for writer, port in outputs.items():
            ends = readers.get(writer, [])
            if len(ends) > 1:
                fork = Fork(len(port.payload), [self.depths[writer, reader] for reader, _ in ends])
                m.submodules[f"{writer}_fork"] = fork
                wiring.connect(m, port, fork.i)
                for k, (_, end) in enumerate(ends):
                    wiring.connect(m, getattr(fork, f"o_{k}"), end)
            elif ends and (writer, ends[0][0]) in self.depths:
                m.submodules[f"{writer}_queue"] = fifo = Fifo(len(port.payload), self.depths[writer, ends[0][0]])
                wiring.connect(m, port, fifo.i)
                wiring.connect(m, fifo.o, ends[0][1])
            elif ends:
                wiring.connect(m, port, ends[0][1])
            else:
                m.d.comb += port.ready.eq(1)
        return outputs, readers

    def _feed(
        self, m: Module, name: str, put: Value, beat: Value, ends: Sequence[tuple[str, wiring.PureInterface]]
    ) -> None:
        """Hand beats to the units that read them, each through a queue of its own, which is never full."""
        for reader, end in ends:
            m.submodules[f"{name}_for_{reader}"] = fifo = Fifo(len(beat), self.depths[name, reader])
            m.d.comb += [fifo.i.valid.eq(put), fifo.i.payload.eq(beat)]
            wiring.connect(m, fifo.o, end)
