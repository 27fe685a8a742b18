"""The boot loader: memories that start with nothing are written from the board's flash, and checked, before the first frame."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.link.crc import Crc32
from hwgen.rtl_templates.link.flash_reader import FlashReader
from hwgen.rtl_templates.link.load_format import MAGIC, LoadState
from hwgen.rtl_templates.registers.register_bus import STROBES, WORD_BITS, RegisterBus
from hwgen.rtl_templates.registers.registers import Register

__all__ = ["FlashBoot"]

_BYTE_BITS = (STROBES - 1).bit_length()


class FlashBoot(wiring.Component):
    """Reads an image (docs/registers.md) after each reset that finds the memories unloaded, and writes what it says.

    The accelerator is let run only by the last access, after the CRC-32 was found right. An image is given up at its first word that cannot be right; no segment of it reaches
    CONTROL. The state is written to bits 15:8 of CONTROL at the begin and at the end.

    A word takes four bytes of `FlashReader`, or 40 cycles and its access where that is more. A word is judged in the cycle after it is complete, and the
    answer of an access is stored before anything depends on it, so that no comparison ends in the state.

    Parameters
    ----------
    network_id : int
        Of the hardware, 64 bits.
    words : int
        Between header and check value of each image that suits this hardware.
    address_bits : int
        Of the bus.
    address, wait_cycles, half_cycles : int
        See `FlashReader`.

    Members
    -------
    sck, copi, select : Out(1)
    cipo : In(1)
        The flash.
    loaded : In(1)
        The accelerator runs.
    loading : Out(1)
        Nobody else may write.
    failed : Out(1)
        The memories hold nothing, because the image could not be loaded.
    bus : ``Out(RegisterBus(address_bits))``
    """

    def __init__(
        self, *, network_id: int, words: int, address_bits: int, address: int, wait_cycles: int, half_cycles: int
    ) -> None:
        self.network_id = network_id
        self.words = words
        self.address_bits = address_bits
        self._reader = FlashReader(address=address, wait_cycles=wait_cycles, half_cycles=half_cycles)
        super().__init__(
            {
                "sck": Out(1),
                "copi": Out(1),
                "select": Out(1, init=1),
                "cipo": In(1),
                "loaded": In(1),
                "loading": Out(1, init=1),
                "failed": Out(1),
                "bus": Out(RegisterBus(address_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Gather words; header, segments and check value are states of one machine that takes them."""
        m = Module()
        m.submodules.reader = reader = self._reader
        m.submodules.crc = crc = Crc32()
        bus = self.bus
        word, place, complete, take = Signal(WORD_BITS, reset_less=True), Signal(range(STROBES)), Signal(), Signal()
        fetched = reader.o.valid & reader.o.ready
        m.d.comb += [
            self.sck.eq(reader.sck),
            self.copi.eq(reader.copi),
            self.select.eq(reader.select),
            reader.cipo.eq(self.cipo),
            reader.o.ready.eq(crc.i.ready & ~complete),
            crc.i.valid.eq(reader.o.valid & ~complete),
            crc.i.payload.eq(reader.o.payload),
        ]
        with m.If(fetched):
            m.d.sync += [word.eq(Cat(word[8:], reader.o.payload)), place.eq(place + 1)]
            m.d.sync += complete.eq(place == STROBES - 1)
        with m.If(take):
            m.d.sync += complete.eq(0)
        settled, verdict, empty = Signal(), Signal(reset_less=True), Signal(reset_less=True)
        m.d.sync += [settled.eq(complete & ~take), empty.eq(word.all() | ~word.any())]

        left = Signal(range(self.words + 1), reset_less=True)
        size = Signal.like(left, name="size")
        ends_segment, ends_image, checked = Signal(reset_less=True), Signal(reset_less=True), Signal()
        address, beyond = Signal(self.address_bits, reset_less=True), Signal(reset_less=True)
        state = Signal(8)
        reports, answered, refused = Signal(init=1), Signal(), Signal(reset_less=True)
        control = Cat(state == LoadState.LOADED, Const(0, 7), state)
        m.d.comb += [
            bus.write.eq(1),
            bus.strobe.eq(~0),
            bus.address.eq(Mux(reports, Register.CONTROL, address)),
            bus.value.eq(Mux(reports, control, word)),
            self.failed.eq(state[LoadState.FAILED_BIT] & ~self.loaded),
        ]

        def report(value: Value | int) -> None:
            m.d.sync += [state.eq(value), reports.eq(1), bus.start.eq(1)]
            m.next = "REPORT"

        def await_answer(then: str) -> None:
            m.d.sync += [bus.start.eq(0), answered.eq(bus.done)]
            with m.If(bus.done):
                m.d.sync += refused.eq(bus.error)
            with m.If(answered):
                m.next = then

        def expect(right: Value, otherwise: Value | int, then: str) -> None:
            m.d.sync += verdict.eq(right)
            with m.If(settled):
                m.d.comb += take.eq(1)
                with m.If(verdict):
                    m.next = then
                with m.Else():
                    report(otherwise)

        with m.FSM():
            with m.State("START"):
                with m.If(self.loaded):
                    m.next = "DONE"
                with m.Else():
                    report(LoadState.LOADING)
            with m.State("REPORT"):
                await_answer(then="REPORTED")
            with m.State("REPORTED"):
                m.d.sync += reports.eq(0)
                m.next = "DONE"
                with m.If(state == LoadState.LOADING):
                    m.d.sync += reader.enable.eq(1)
                    m.next = "MAGIC"
            with m.State("MAGIC"):
                expect(word == MAGIC, Mux(empty, LoadState.NO_FLASH, LoadState.NO_IMAGE), "ID_LOW")
            for half, name, then in ((0, "ID_LOW", "ID_HIGH"), (1, "ID_HIGH", "COUNT")):
                with m.State(name):
                    wanted = self.network_id >> half * WORD_BITS & 0xFFFFFFFF
                    expect(word == wanted, LoadState.OTHER_NETWORK, then)
            with m.State("COUNT"):
                m.d.sync += left.eq(self.words)
                expect(word == self.words, LoadState.DAMAGED, "ADDRESS")
            with m.State("ADDRESS"):
                target = word[_BYTE_BITS:]
                m.d.sync += [address.eq(target), beyond.eq((target >> self.address_bits).any())]
                expect(left > 1, LoadState.DAMAGED, "LENGTH")
                with m.If(settled):
                    m.d.sync += left.eq(left - 1)
            with m.State("LENGTH"):
                m.d.sync += size.eq(word)
                fits = (word[: len(left)] < left) & ~word[len(left) :].any() & word.any()
                expect(fits, LoadState.DAMAGED, "DATA")
                with m.If(settled):
                    m.d.sync += left.eq(left - 1)
            with m.State("DATA"):
                m.d.sync += verdict.eq(beyond | (address == Register.CONTROL))
                with m.If(settled & verdict):
                    report(LoadState.DAMAGED)
                with m.Elif(settled):
                    m.d.sync += bus.start.eq(1)
                    m.next = "WRITE"
            with m.State("WRITE"):
                m.d.sync += [ends_segment.eq(size == 1), ends_image.eq(left == 1)]
                await_answer(then="WRITTEN")
            with m.State("WRITTEN"):
                m.d.comb += take.eq(1)
                m.d.sync += [Cat(address, beyond).eq(address + 1), size.eq(size - 1), left.eq(left - 1)]
                m.next = "DATA"
                with m.If(ends_segment):
                    m.next = "ADDRESS"
                with m.If(ends_image):
                    m.next = "CHECK"
                with m.If(refused):
                    report(LoadState.DAMAGED)
            with m.State("CHECK"):
                m.d.sync += [verdict.eq(crc.good), checked.eq(settled & crc.i.ready)]
                with m.If(checked):
                    report(Mux(verdict, LoadState.LOADED, LoadState.DAMAGED))
            with m.State("DONE"):
                m.d.sync += [self.loading.eq(0), reader.enable.eq(0)]
        return m
