"""Count the levels that a number reaches, a channel's own levels for each lane."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
from amaranth.hdl import Cat, Const, Module, Shape, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.channel_table import ChannelAddress, read_rom
from hwgen.rtl_templates.output_queue import OutputQueue
from hwgen.rtl_templates.write_bus import Contents, fan_out, write_port

__all__ = ["ThresholdUnit"]


class ThresholdUnit(wiring.Component):
    """Gives ``low`` plus the number of levels that each number has reached (a falling channel: has not reached).

    The levels are sorted, so a binary search finds the count with one comparator for each of its bits: stage ``k`` of
    the pipeline
    compares with one of ``2**k`` levels, chosen by the ``k`` bits known so far. A channel with fewer levels than the
    search has room for
    gets levels that are never reached (a falling one: always).

    A beat is taken in every cycle. Latency: ``pipeline(steps) + OutputQueue.latency(width_out, slots)``.

    Parameters
    ----------
    lanes : int
        Channels a beat; divides the channel count.
    in_shape : Shape
        Of one number.
    levels : int array, shape (classes, channels, steps)
        Rising along the last axis; at least one step.
    falling : sequence of bool
        For each channel: count the levels that are not reached.
    low : int
        Code for none.
    out_bits : int
        Width of a code.
    rows, columns : sequence of int
        Class of each row and column of the map, see `ChannelAddress`.
    style : str
        Memory of the levels, see `read_rom`.
    slots : int or None
        Depth of the output FIFO; None: the least for a beat in every cycle.
    writable : bool
        Whether levels, and which channels fall, can be written.

    Members
    -------
    i : ``In(stream.Signature(lanes * width of in_shape))``
    o : ``Out(stream.Signature(lanes * out_bits))``
    write : ``In(write_port(memories))``
        Only if writable.
    """

    def __init__(
        self,
        *,
        lanes: int,
        in_shape: Shape,
        levels: np.ndarray,
        falling: Sequence[bool],
        low: int,
        out_bits: int,
        rows: Sequence[int] = (0,),
        columns: Sequence[int] = (0,),
        style: str = "auto",
        slots: int | None = None,
        writable: bool = False,
    ) -> None:
        classes, channels, steps = levels.shape
        self.lanes = lanes
        self.in_shape = Shape.cast(in_shape)
        self.low = low
        self.out_bits = out_bits
        self.width_out = lanes * out_bits
        self.stages = int(steps).bit_length()
        self.slots = OutputQueue.least_slots(self.width_out, self.pipeline(steps)) if slots is None else slots
        self._rows, self._columns = tuple(rows), tuple(columns)
        self._style = style
        self._always = always = -(1 << self.in_shape.width - 1) if self.in_shape.signed else 0
        self._never = never = always + (1 << self.in_shape.width)
        self._falling = np.broadcast_to(np.array(falling, dtype=bool), (classes, channels)).reshape(-1, lanes)
        self._levels = _completed(np.clip(levels, always, never), self.stages, falling, always, never).reshape(
            len(self._falling), lanes, -1
        )
        highest = never if writable else int(self._levels.max())
        self._level_shape = Shape.cast(range(min(always, int(self._levels.min())), highest + 1))
        self.writable = writable
        self._any_falls = writable or bool(self._falling.any())
        ports = {
            "i": In(stream.Signature(unsigned(lanes * self.in_shape.width))),
            "o": Out(stream.Signature(unsigned(self.width_out))),
        }
        super().__init__(ports | ({"write": In(write_port(self.memories))} if writable else {}))

    @cached_property
    def memories(self) -> Mapping[str, Contents]:
        """The levels of each stage, by the names of the memories."""
        return {
            self._memory_name(stage, lane): Contents(words, width)
            for stage in range(self.stages)
            for lane, (words, width) in enumerate(self._memories(stage))
        }

    @staticmethod
    def _memory_name(stage: int, lane: int) -> str:
        return f"levels_{stage}" + f"_{lane}" * (stage > 0)

    @staticmethod
    def pipeline(steps: int) -> int:
        """Cycles from taking a beat to its codes at the output FIFO: one a bit of the count, and the register of the codes."""
        return int(steps).bit_length() + 1

    def memory_shapes(self) -> Iterator[tuple[int, int, int]]:
        """Give (stage, words, bits a word) of each memory that is not a constant; stages after the first have one a lane."""
        for stage in range(self.stages):
            for words, width in self._memories(stage):
                if self.writable or len(set(words)) > 1:
                    yield stage, len(words), width

    def elaborate(self, platform: object) -> Module:
        """Read the level while the number waits in a register, compare, append the bit, repeat."""
        m = Module()
        m.submodules.queue = queue = OutputQueue(self.width_out, self.slots)
        wiring.connect(m, wiring.flipped(self.o), queue.o)
        take = Signal()
        m.d.comb += [self.i.ready.eq(queue.ready), take.eq(self.i.valid & queue.ready), queue.reserve.eq(take)]

        address: Value = Const(0, 0)
        if len(self._levels) > 1 and any(True for _ in self.memory_shapes()):
            m.submodules.position = position = ChannelAddress(
                self._rows, self._columns, len(self._levels) // self._classes()
            )
            m.d.comb += position.step.eq(take)
            address = position.address

        def delayed(value: Value, name: str) -> Signal:
            register = Signal(value.shape(), name=name, reset_less=True)
            m.d.sync += register.eq(value)
            return register

        ports: list[wiring.PureInterface] | None = [] if self.writable else None
        valid, numbers = take, self.i.payload
        codes: list[Value] = [Const(0, 0) for _ in range(self.lanes)]
        for stage in range(self.stages):
            addresses = [Cat(code, address) for code in codes[: 1 if stage == 0 else None]]
            words = Cat(
                read_rom(m, self._memory_name(stage, lane), memory, width, addresses[lane], self._style, ports)
                for lane, (memory, width) in enumerate(self._memories(stage))
            )
            numbers = delayed(numbers, f"numbers_{stage}")
            if stage > 0:
                codes = [delayed(code, f"code_{stage}_{lane}") for lane, code in enumerate(codes)]
            if stage + 1 < self.stages and len(address):
                address = delayed(address, f"address_{stage}")
            following = Signal(name=f"valid_{stage}")
            m.d.sync += following.eq(valid)
            valid = following
            found = [self._compare(m, stage, lane, numbers, words) for lane in range(self.lanes)]
            codes = [Cat(bit, code) for bit, code in zip(found, codes, strict=True)]
        results = Signal(self.width_out, reset_less=True)
        found_all = Signal()
        m.d.sync += found_all.eq(valid)
        for lane, code in enumerate(codes):
            m.d.sync += results.word_select(lane, self.out_bits).eq(code + self.low)
        m.d.comb += [queue.push.eq(found_all), queue.data.eq(results)]
        if ports is not None:
            fan_out(m, self.write, ports)
        return m

    def _compare(self, m: Module, stage: int, lane: int, numbers: Value, words: Value) -> Signal:
        """Give the next bit of one lane's code."""
        reached = Signal(name=f"reached_{stage}_{lane}")
        known = np.unique(self._stage_levels(stage)[:, lane])
        if not self.writable and len(known) == 1 and known[0] in (self._always, self._never):
            # A comparison whose outcome is certain would stand in the Verilog as one, and every tool would warn of it.
            m.d.comb += reached.eq(int(known[0] == self._always))
        else:
            m.d.comb += reached.eq(self._at_least(numbers, words, lane))
        if not self._any_falls:
            return reached
        bit = Signal(name=f"bit_{stage}_{lane}")
        m.d.comb += bit.eq(reached ^ words[(lane + 1) * self._word_width() - 1])
        return bit

    def _at_least(self, numbers: Value, words: Value, lane: int) -> Value:
        """Compare one lane's number with its level."""
        number = numbers.word_select(lane, self.in_shape.width)
        word = words.word_select(lane, self._word_width())
        level = word[: self._level_shape.width]
        if self.in_shape.signed:
            number, level = number.as_signed(), level.as_signed()
        return number >= level

    def _classes(self) -> int:
        return (max(self._rows) + 1) * (max(self._columns) + 1)

    def _word_width(self) -> int:
        return self._level_shape.width + self._any_falls

    def _stage_levels(self, stage: int) -> np.ndarray:
        """Give the levels that a stage compares with, by address, lane and the bits of the code known so far."""
        paths = np.arange(1 << stage)
        reached = np.where(self._falling[:, :, None], paths[::-1], paths)
        index = (2 * reached + 1) * (1 << self.stages - 1 - stage) - 1
        return np.take_along_axis(self._levels, index, axis=2)

    def _memories(self, stage: int) -> list[tuple[list[int], int]]:
        """Give words and width of each memory of a stage: one for all lanes as long as all read the same address."""
        width = self._word_width()
        mask = (1 << self._level_shape.width) - 1
        packed = (self._stage_levels(stage) & mask) | (
            self._falling[:, :, None].astype(np.int64) << self._level_shape.width
        )
        if stage > 0:
            return [(packed[:, lane].ravel().tolist(), width) for lane in range(self.lanes)]
        return [
            (
                [sum(word << lane * width for lane, word in enumerate(row)) for row in packed[..., 0].tolist()],
                width * self.lanes,
            )
        ]


def _completed(levels: np.ndarray, stages: int, falling: Sequence[bool], always: int, never: int) -> np.ndarray:
    """Fill every channel up to ``2**stages - 1`` levels that leave its code as it is."""
    classes, channels, steps = levels.shape
    missing = (1 << stages) - 1 - steps
    below = np.full((classes, channels, missing), always)
    above = np.full((classes, channels, missing), never)
    falls = np.array(falling, dtype=bool)[None, :, None]
    return np.where(falls, np.concatenate([below, levels], axis=2), np.concatenate([levels, above], axis=2))
