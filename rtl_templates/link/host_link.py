"""The far end of the host link: checked requests in, an accelerator's frames through, answers out.

What the bytes mean is written in docs/host_protocol.md; `hwgen.host.link` is the near end.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.link.framing import Framer, Unframer
from hwgen.rtl_templates.link.link_protocol import (
    ANSWER,
    COUNTERS,
    IDENTIFY,
    INFER,
    READ,
    REASON_CRC,
    REASON_LENGTH,
    REASON_UNKNOWN,
    REASON_UNLOADED,
    REFUSED,
    VERSION,
    WRITE,
    LinkShape,
)
from hwgen.rtl_templates.memory import MEMORY_ATTRIBUTES, NO_COLLISION, style_of
from hwgen.rtl_templates.registers.register_access import RegisterAccess
from hwgen.rtl_templates.registers.register_bus import RegisterBus

__all__ = ["HostLink"]

_HEADER_BYTES = 4
_CRC_BYTES = 4
_WORD_BYTES = 4
_COUNTER_WORDS = 6
_ERROR_BITS = 16


class HostLink(wiring.Component):
    """Serves one request after another; an input frame reaches the accelerator only after its CRC-32 was found right.

    A request is stored while it arrives. Packets that begin while a request is served are dropped and counted, so the
    stored one cannot change under way.

    Parameters
    ----------
    shape : LinkShape
    address_bits : int
        Of the register bus, if the shape has registers.

    Members
    -------
    i, o : ``In(stream.Signature(8))``, ``Out(stream.Signature(8))``
        Line bytes from and to the host.
    line_error : In(1)
        A line byte was lost: counted.
    frame_error : In(1)
        The accelerator's own flag, shown in the counters.
    frame_o : ``Out(stream.Signature(8 * bytes_in))``
        Beats to the accelerator.
    frame_o_last : Out(1)
        The offered beat is the frame's last.
    frame_i : ``In(stream.Signature(8 * bytes_out))``
        Beats from the accelerator.
    bus : ``Out(RegisterBus(address_bits))``
        Only with registers.
    loaded : In(1)
        Only with registers: the accelerator takes frames.
    """

    def __init__(self, shape: LinkShape, address_bits: int = 0) -> None:
        self.shape = shape
        self.address_bits = address_bits
        registers = {"bus": Out(RegisterBus(address_bits)), "loaded": In(1)} if shape.registers else {}
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(8))),
                "o": Out(stream.Signature(unsigned(8))),
                "line_error": In(1),
                "frame_error": In(1),
                "frame_o": Out(stream.Signature(unsigned(8 * shape.bytes_in))),
                "frame_o_last": Out(1),
                "frame_i": In(stream.Signature(unsigned(8 * shape.bytes_out))),
                **registers,
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Receive into the memory, feed the accelerator from it, and answer."""
        m = Module()
        m.submodules.unframer = self._unframer = Unframer()
        m.submodules.framer = self._framer = Framer()
        depth = max(2, self.shape.payload_bytes)
        attributes = MEMORY_ATTRIBUTES[style_of(depth, 8)] | NO_COLLISION
        m.submodules.request = self._memory = Memory(shape=8, depth=depth, init=[], attrs=attributes)
        wiring.connect(m, wiring.flipped(self.i), self._unframer.i)
        wiring.connect(m, self._framer.o, wiring.flipped(self.o))

        feeding, answering = Signal(), Signal()
        kind, sequence, reason = Signal(8), Signal(16), Signal(3)
        ended, start = Signal(), Signal()
        busy = ended | start | feeding | answering
        errors = self._receive(m, busy, kind, sequence, reason, ended, start)
        self._feed(m, start, kind == (ANSWER | INFER), feeding)
        if self.shape.registers:
            self._access(m, start, kind)
        counters = self._count(m, errors, busy & (kind == (ANSWER | INFER)))
        self._answer(m, start, answering, kind, sequence, reason, counters)
        return m

    def _receive(
        self, m: Module, busy: Value, kind: Signal, sequence: Signal, reason: Signal, ended: Signal, start: Signal
    ) -> dict[str, Signal]:
        """Store a request; at its end judge it, and in the next cycle decide what answers it. Give a pulse for each kind of failure."""
        shape, payload_bytes = self.shape, self.shape.payload_bytes
        longest = _HEADER_BYTES + payload_bytes + _CRC_BYTES
        token = self._unframer.o
        write = self._memory.write_port()
        count = Signal(range(longest + 2))
        header = Signal(8 * _HEADER_BYTES, reset_less=True)
        dropping, drops = Signal(), Signal()
        errors = {name: Signal(name=name) for name in ("bad_crc", "refused", "dropped")}
        version, command, number = header[:8], header[8:16], header[16:]
        infers = command == INFER
        reads, writes = (command == READ) & shape.registers, (command == WRITE) & shape.registers
        known = (version == VERSION) & ((command == IDENTIFY) | infers | (command == COUNTERS) | reads | writes)
        words = count[2:] - (_HEADER_BYTES + _WORD_BYTES + _CRC_BYTES) // 4
        self._words = Signal(range(max(2, shape.write_words + 1)), name="words")
        lengths = Mux(infers, shape.frame_bytes, Mux(reads, _WORD_BYTES, 0)) + _HEADER_BYTES + _CRC_BYTES
        fits = count == lengths
        if shape.registers:
            fits = Mux(writes, (count[:2] == 0) & (words >= 1) & (words <= shape.write_words), fits)
        is_good, is_known, has_fit = (Signal(name=name, reset_less=True) for name in ("is_good", "is_known", "has_fit"))
        m.d.sync += [ended.eq(0), start.eq(ended)]
        m.d.comb += [
            token.ready.eq(1),
            drops.eq(Mux(count == 0, busy, dropping)),
            write.addr.eq((count - _HEADER_BYTES)[: len(write.addr)]),
            write.data.eq(token.payload.data),
        ]
        with m.If(token.valid & token.payload.end):
            m.d.sync += count.eq(0)
            with m.If(drops):
                m.d.comb += errors["dropped"].eq(1)
            with m.Else():
                m.d.sync += [ended.eq(1), is_good.eq(token.payload.good), is_known.eq(known), has_fit.eq(fits)]
                m.d.sync += self._words.eq(words)
        with m.Elif(token.valid):
            m.d.sync += dropping.eq(drops)
            with m.If(count != longest + 1):
                m.d.sync += count.eq(count + 1)
            with m.If(count < _HEADER_BYTES):
                m.d.sync += header.eq(Cat(header[8:], token.payload.data))
            with m.Elif(count < _HEADER_BYTES + payload_bytes):
                m.d.comb += write.en.eq(~drops)

        def refuse(why: int, error: str = "refused") -> None:
            m.d.comb += errors[error].eq(1)
            m.d.sync += reason.eq(why)

        with m.If(ended):
            m.d.sync += [sequence.eq(number), kind.eq(REFUSED)]
            with m.If(~is_good):
                refuse(REASON_CRC, "bad_crc")
            with m.Elif(~is_known):
                refuse(REASON_UNKNOWN)
            with m.Elif(~has_fit):
                refuse(REASON_LENGTH)
            with m.Elif(infers & ~(self.loaded if shape.registers else Const(1))):
                refuse(REASON_UNLOADED)
            with m.Else():
                m.d.sync += kind.eq(command | ANSWER)
        return errors

    def _feed(self, m: Module, start: Value, infers: Value, feeding: Signal) -> None:
        """Read the stored frame byte by byte, and offer each beat when it is complete."""
        shape = self.shape
        read = self._memory.read_port(domain="comb")  # with the upper byte of `beat` it is a block RAM's read port
        beat = Signal(8 * shape.bytes_in, reset_less=True)
        complete = Signal()
        # A counter that only ever is 0 still has a bit: Verilog has no signals without.
        byte = Signal(range(max(2, shape.bytes_in)))
        number = Signal(range(max(2, shape.beats_in)))
        fetch = Signal()
        self._take, self._taken = Signal(name="take"), beat[-8:]
        m.d.comb += [
            fetch.eq(feeding & ~complete),
            self.frame_o.valid.eq(complete),
            self.frame_o.payload.eq(beat),
            self.frame_o_last.eq(number == shape.beats_in - 1),
        ]
        with m.If(fetch | self._take):
            m.d.sync += [beat.eq(Cat(beat[8:], read.data)), read.addr.eq(read.addr + 1)]
        with m.If(fetch):
            m.d.sync += byte.eq(byte + 1)
            with m.If(byte == shape.bytes_in - 1):
                m.d.sync += [complete.eq(1), byte.eq(0)]
        with m.If(complete & self.frame_o.ready):
            m.d.sync += [complete.eq(0), number.eq(number + 1)]
            with m.If(self.frame_o_last):
                m.d.sync += feeding.eq(0)
        with m.If(start):
            m.d.sync += [feeding.eq(infers), number.eq(0), read.addr.eq(0)]

    def _access(self, m: Module, start: Value, kind: Value) -> None:
        """Carry out a request to the registers, whose bytes come as those of a frame."""
        m.submodules.access = self._registers = access = RegisterAccess(self.address_bits, len(self._words))
        wiring.connect(m, access.bus, wiring.flipped(self.bus))
        m.d.comb += [
            access.start.eq(start & ((kind == (ANSWER | READ)) | (kind == (ANSWER | WRITE)))),
            access.write.eq(kind == (ANSWER | WRITE)),
            access.words.eq(self._words),
            access.byte.eq(self._taken),
            self._take.eq(access.take),
        ]

    def _count(self, m: Module, errors: dict[str, Signal], working: Value) -> Value:
        """Count frames, failures and busy cycles; give the payload of the counters' answer."""
        frames, busy_cycles = Signal(32), Signal(64)
        self._frames = frames
        with m.If(working):
            m.d.sync += busy_cycles.eq(busy_cycles + 1)
        words: list[Value] = [frames]
        for name, pulse in {**errors, "line": self.line_error}.items():
            counter = Signal(_ERROR_BITS, name=f"{name}_count")
            with m.If(pulse):
                m.d.sync += counter.eq(counter + 1)
            words.append(counter)
        return Cat(*words, busy_cycles, self.frame_error, Const(0, 31))

    def _answer(
        self, m: Module, start: Value, answering: Signal, kind: Value, sequence: Value, reason: Value, counters: Value
    ) -> None:
        """Send the header, then the words or beats that the kind of answer has, through one shift register."""
        shape = self.shape
        identity = Cat(*(Const(word, 32) for word in shape.words))
        units = max(len(shape.words), _COUNTER_WORDS, shape.beats_out)
        unit_bytes = max(_WORD_BYTES, shape.bytes_out)
        unit = Signal(8 * unit_bytes, reset_less=True)
        left = Signal(range(unit_bytes + 1))
        next_unit = Signal(range(units + 1))
        last_unit = Signal(range(units + 1))
        framer = self._framer.i
        m.d.comb += [
            framer.payload.data.eq(unit[:8]),
            framer.payload.last.eq((left == 1) & (next_unit == last_unit)),
        ]

        def load(value: Value, size: int) -> None:
            m.d.sync += [unit.eq(value), left.eq(size), next_unit.eq(next_unit + 1)]
            m.next = "SEND"

        with m.FSM():
            with m.State("IDLE"), m.If(start):
                m.d.sync += [
                    answering.eq(1),
                    unit.eq(Cat(Const(VERSION, 8), kind, sequence)),
                    left.eq(_HEADER_BYTES),
                    next_unit.eq(0),
                ]
                with m.Switch(kind):
                    with m.Case(ANSWER | IDENTIFY):
                        m.d.sync += last_unit.eq(len(shape.words))
                    with m.Case(ANSWER | INFER):
                        m.d.sync += last_unit.eq(shape.beats_out)
                    with m.Case(ANSWER | COUNTERS):
                        m.d.sync += last_unit.eq(_COUNTER_WORDS)
                    with m.Case(ANSWER | READ):
                        m.d.sync += last_unit.eq(2)
                    with m.Default():
                        m.d.sync += last_unit.eq(1)
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += framer.valid.eq(1)
                with m.If(framer.ready):
                    m.d.sync += [unit.eq(unit >> 8), left.eq(left - 1)]
                    with m.If(framer.payload.last):
                        m.next = "FLUSH"
                    with m.Elif(left == 1):
                        m.next = "LOAD"
            with m.State("LOAD"), m.Switch(kind):
                with m.Case(ANSWER | IDENTIFY):
                    load(identity.word_select(next_unit, 32), _WORD_BYTES)
                with m.Case(ANSWER | INFER):
                    m.d.comb += self.frame_i.ready.eq(1)
                    with m.If(self.frame_i.valid):
                        load(self.frame_i.payload, shape.bytes_out)
                        with m.If(next_unit == shape.beats_out - 1):
                            m.d.sync += self._frames.eq(self._frames + 1)
                with m.Case(ANSWER | COUNTERS):
                    load(counters.word_select(next_unit, 32), _WORD_BYTES)
                if shape.registers:
                    access = self._registers
                    # In the cycle of the start the end of the request before is still shown: the header's bytes come first.
                    with m.Case(ANSWER | READ, ANSWER | WRITE), m.If(access.finished):
                        reads = (kind == (ANSWER | READ)) & (next_unit == 0)
                        load(Mux(reads, access.value, access.error), _WORD_BYTES)
                with m.Default():
                    load(reason, _WORD_BYTES)
            # The framer is ready again only when the check value and the closing flag have left.
            with m.State("FLUSH"), m.If(framer.ready):
                m.d.sync += answering.eq(0)
                m.next = "IDLE"
