"""Make one stream of several: beats in turn, or side by side."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.compute.number import Coding, recode
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.streams.fifo import Fifo

__all__ = ["Merge", "Zip"]


class Merge(wiring.Component):
    """Takes a run of beats from each stream in turn, and gives them in one coding.

    Streams stand in groups. A round takes a run from each stream of a group; after ``rounds`` rounds comes the next group, after the last one
    the first again. A beat taken in cycle t can leave from cycle ``t + Fifo.latency(slots, width_out)`` on.

    Parameters
    ----------
    lanes : int
        Numbers a beat.
    codings : sequence of Coding
        How the numbers of each stream are coded.
    out_coding : Coding
        Holds the numbers of all.
    runs : sequence of int
        Beats that each stream gives when it has its turn.
    group : int
        Streams in a group; divides their number.
    rounds : int
        Turns of a group.
    slots : int
        Depth of the output FIFO.
    ahead : bool
        The second stream's run begins with the first one's: its first beat is taken then, and held until it has its turn.

    Members
    -------
    i_0, i_1, ... : ``In(stream.Signature(lanes * codings[k].bits))``
    o : ``Out(stream.Signature(lanes * out_coding.bits))``
    """

    def __init__(
        self,
        *,
        lanes: int,
        codings: Sequence[Coding],
        out_coding: Coding,
        runs: Sequence[int],
        group: int,
        rounds: int = 1,
        slots: int,
        ahead: bool = False,
    ) -> None:
        self.lanes = lanes
        self.codings = tuple(codings)
        self.out_coding = out_coding
        self.runs = tuple(runs)
        self.group = group
        self.rounds = rounds
        self.slots = slots
        self.ahead = ahead
        self.width_out = lanes * out_coding.bits
        inputs = {f"i_{k}": In(stream.Signature(unsigned(lanes * coding.bits))) for k, coding in enumerate(codings)}
        super().__init__({**inputs, "o": Out(stream.Signature(unsigned(self.width_out)))})

    @staticmethod
    def bill(
        name: str,
        *,
        lanes: int,
        codings: Sequence[Coding],
        out_coding: Coding,
        runs: Sequence[int],
        rounds: int = 1,
        slots: int,
        ahead: bool = False,
    ) -> Bill:
        """Give what it is made of: a multiplexer over the streams, as far as each has bits of its own, the counters, a beat held, the output FIFO."""
        width = lanes * out_coding.bits
        extended = [lanes * coding.bits if coding.low == 0 else width for coding in codings]
        bill = Fifo.bill(f"{name}.queue", width, slots)
        bill.add(Part.OTHER, sum(extended) - max(extended))
        for values in (len(codings), max(runs), rounds):
            bill.counter(values)
        if ahead:
            bill.register(lanes * codings[1].bits)
            bill.add(Part.OTHER, lanes * codings[1].bits)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Count the beats of a run, the turns, and the rounds."""
        m = Module()
        m.submodules.queue = queue = Fifo(self.width_out, self.slots)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        turn = Signal(range(len(self.codings)))
        run_ends = Signal()
        moves = Signal()
        m.d.comb += moves.eq(queue.i.valid & queue.i.ready)

        longest = max(self.runs)
        beat: Signal | Const = Signal(range(longest)) if longest > 1 else Const(0, 1)
        opens = beat == 0
        for k in range(len(self.codings)):
            port = getattr(self, f"i_{k}")
            valid, ready, payload = port.valid, queue.i.ready, port.payload
            if self.ahead and k == 0:
                valid, ready = (other & (~opens | self.i_1.valid) for other in (valid, ready))
            elif self.ahead and k == 1:
                begins = opens & (turn == 0)
                kept = Signal.like(payload, name="kept", reset_less=True)
                with m.If(begins & moves):
                    m.d.sync += kept.eq(payload)
                m.d.comb += port.ready.eq(begins & queue.i.ready & self.i_0.valid)
                valid, ready, payload = valid | opens, ready & ~opens, Mux(opens, kept, payload)
            with m.If(turn == k):
                m.d.comb += [
                    queue.i.payload.eq(recode(payload, self.lanes, self.codings[k], self.out_coding)),
                    queue.i.valid.eq(valid),
                    port.ready.eq(ready),
                ]
        if longest == 1:
            m.d.comb += run_ends.eq(moves)
        else:
            ends = [(beat == length - 1) & (turn == k) for k, length in enumerate(self.runs)]
            same = len(set(self.runs)) == 1
            m.d.comb += run_ends.eq(moves & (beat == self.runs[0] - 1 if same else Cat(ends).any()))
            with m.If(moves):
                m.d.sync += beat.eq(Mux(run_ends, 0, beat + 1))
        self._take_turns(m, turn, run_ends)
        return m

    def _take_turns(self, m: Module, turn: Signal, run_ends: Value) -> None:
        """Go to the next stream of the group; from its last one back to its first, or on to the next group."""
        last_round: Value | None = None
        if self.rounds > 1:
            count = Signal(range(self.rounds))
            last_round = Signal()
            m.d.comb += last_round.eq(count == self.rounds - 1)
        for k in range(len(self.codings)):
            ends = k % self.group == self.group - 1
            onward = (k + 1) % len(self.codings)
            with m.If(run_ends & (turn == k)):
                if not ends or last_round is None:
                    m.d.sync += turn.eq(onward)
                else:
                    m.d.sync += [
                        turn.eq(Mux(last_round, onward, k + 1 - self.group)),
                        count.eq(Mux(last_round, 0, count + 1)),
                    ]


class Zip(wiring.Component):
    """Takes a beat of every stream at once, and gives them side by side in one coding, the first stream in the lowest bits.

    Beats taken in cycle t can leave from cycle ``t + Fifo.latency(slots, width_out)`` on.

    Parameters
    ----------
    lanes : sequence of int
        Numbers in a beat of each stream.
    codings : sequence of Coding
        How the numbers of each stream are coded.
    out_coding : Coding
        Holds the numbers of all.
    slots : int
        Depth of the output FIFO.

    Members
    -------
    i_0, i_1, ... : ``In(stream.Signature(lanes[k] * codings[k].bits))``
    o : ``Out(stream.Signature(sum(lanes) * out_coding.bits))``
    """

    def __init__(self, *, lanes: Sequence[int], codings: Sequence[Coding], out_coding: Coding, slots: int) -> None:
        self.lanes = tuple(lanes)
        self.codings = tuple(codings)
        self.out_coding = out_coding
        self.slots = slots
        self.width_out = sum(lanes) * out_coding.bits
        widths = [count * coding.bits for count, coding in zip(lanes, codings, strict=True)]
        inputs = {f"i_{k}": In(stream.Signature(unsigned(width))) for k, width in enumerate(widths)}
        super().__init__({**inputs, "o": Out(stream.Signature(unsigned(self.width_out)))})

    @staticmethod
    def bill(name: str, *, lanes: Sequence[int], codings: Sequence[Coding], out_coding: Coding, slots: int) -> Bill:
        """Give what it is made of: the output FIFO."""
        return Fifo.bill(f"{name}.queue", sum(lanes) * out_coding.bits, slots)

    def elaborate(self, platform: object) -> Module:
        """Wait for all streams, then take them together."""
        m = Module()
        m.submodules.queue = queue = Fifo(self.width_out, self.slots)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        ports = [getattr(self, f"i_{k}") for k in range(len(self.lanes))]
        for k, port in enumerate(ports):
            others = [other.valid for other in ports[:k] + ports[k + 1 :]]
            m.d.comb += port.ready.eq(Cat(queue.i.ready, *others).all())
        parts = zip(ports, self.lanes, self.codings, strict=True)
        m.d.comb += [
            queue.i.valid.eq(Cat(port.valid for port in ports).all()),
            queue.i.payload.eq(Cat(recode(port.payload, count, c, self.out_coding) for port, count, c in parts)),
        ]
        return m
