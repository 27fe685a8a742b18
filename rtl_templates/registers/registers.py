"""The registers of an accelerator: what it is, what it has counted, and the way into its memories."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.registers.register_bus import STROBES, WORD_BITS, RegisterBus
from hwgen.rtl_templates.registers.write_bus import Contents, WriteBus

__all__ = ["MAP_VERSION", "STATUS_BUSY", "Register", "RegisterMap", "Registers"]

MAP_VERSION = 1

STATUS_BUSY = 2
"""Bit of the status: a frame is under way."""


class Register:
    """Word addresses; docs/registers.md explains each."""

    NETWORK_ID = 0
    VERSION = 2
    STATUS = 3
    CONTROL = 4
    SCRATCH = 5
    LOADED_ID = 6
    FRAMES_IN = 8
    FRAMES_OUT = 9
    INPUT_STALLS = 10
    OUTPUT_STALLS = 11
    STAGES = 12
    BUSY = 16


@dataclass(frozen=True)
class RegisterMap:
    """What an accelerator's registers are made of.

    Parameters
    ----------
    network_id : int
        64 bits.
    stages : int
        Stages whose busy cycles are counted.
    memories : sequence of (int, Contents)
        Word address and shape of each memory that can be written.
    """

    network_id: int
    stages: int
    memories: Sequence[tuple[int, Contents]] = ()

    @classmethod
    def laid_out(cls, network_id: int, stages: int, memories: Iterable[Contents]) -> RegisterMap:
        """Give the map of registers and, behind them, memories, each at a multiple of its size."""
        placed: list[tuple[int, Contents]] = []
        place = cls(network_id, stages).words
        for memory in memories:
            size = 1 << memory.address_bits
            base = -(-place // size) * size
            placed.append((base, memory))
            place = base + size
        return cls(network_id, stages, tuple(placed))

    @property
    def words(self) -> int:
        """Words that the registers take, before the memories."""
        return Register.BUSY + self.stages

    @property
    def address_bits(self) -> int:
        """Bits of a word address."""
        ends = [base + (1 << memory.address_bits) for base, memory in self.memories]
        return (max([self.words, *ends]) - 1).bit_length()

    @property
    def loaded(self) -> bool:
        """Whether every memory starts with its contents."""
        return all(memory.initial for _, memory in self.memories)


class Registers(wiring.Component):
    """Answers an access three cycles after its start.

    What is loaded (``LOADED_ID``, and ``run`` of ``CONTROL``) outlives a reset, as the memories do.

    Parameters
    ----------
    shape : RegisterMap

    Members
    -------
    bus : ``In(RegisterBus(shape.address_bits))``
    write : ``Out(WriteBus(shape.address_bits))``
        To the memories.
    run : Out(1)
        The memories hold a network: frames may be taken in.
    clear : Out(1)
        High for a cycle: counters are cleared.
    busy : In(stages)
        Stage by stage: it works now.
    status : In(2)
        A frame is under way; the frame error.
    frames_in, frames_out, input_stalls, output_stalls : In(32)
    """

    def __init__(self, shape: RegisterMap) -> None:
        self.shape = shape
        word = In(WORD_BITS)
        super().__init__(
            {
                "bus": In(RegisterBus(shape.address_bits)),
                "write": Out(WriteBus(shape.address_bits)),
                "run": Out(1),
                "clear": Out(1),
                "busy": In(shape.stages),
                "status": In(2),
                "frames_in": word,
                "frames_out": word,
                "input_stalls": word,
                "output_stalls": word,
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Decode, then act, then answer: a cycle for each."""
        m = Module()
        bus, shape = self.bus, self.shape
        run = Signal(init=int(shape.loaded), reset_less=True)
        load_state = Signal(8, reset_less=True)
        scratch = Signal(WORD_BITS)
        loaded = [
            Signal(WORD_BITS, name=f"loaded_id_{half}", init=word if shape.loaded else 0, reset_less=True)
            for half, word in enumerate(_halves(shape.network_id))
        ]
        m.d.comb += self.run.eq(run)
        decoded, acted = Signal(), Signal()
        m.d.sync += [decoded.eq(bus.start), acted.eq(decoded), bus.done.eq(acted)]

        readable = {
            **dict(enumerate(_constants(_halves(shape.network_id)), Register.NETWORK_ID)),
            Register.VERSION: Const(MAP_VERSION, WORD_BITS),
            Register.STATUS: Cat(run, self.status),
            Register.CONTROL: Cat(run, Const(0, 7), load_state),
            Register.SCRATCH: scratch,
            **dict(enumerate(loaded, Register.LOADED_ID)),
            Register.FRAMES_IN: self.frames_in,
            Register.FRAMES_OUT: self.frames_out,
            Register.INPUT_STALLS: self.input_stalls,
            Register.OUTPUT_STALLS: self.output_stalls,
            Register.STAGES: Const(shape.stages, WORD_BITS),
            **dict(enumerate(self._busy_cycles(m), Register.BUSY)),
        }
        writable = {
            Register.SCRATCH: scratch,
            **dict(enumerate(loaded, Register.LOADED_ID)),
        }
        controls, is_memory, known = Signal(), Signal(), Signal()
        is_register = Signal()
        m.d.sync += [
            is_register.eq(self._any_of(writable)),
            controls.eq(bus.address == Register.CONTROL),
            is_memory.eq(self._is_part() & bus.strobe.all()),
            known.eq(Mux(bus.write, is_register | controls | is_memory, self._any_of(readable))),
            bus.error.eq(~known),
        ]
        writes = decoded & bus.write
        # Reset ends no access here, but it makes an event-driven simulator look at these registers before their first clock edge.
        awake = ~ResetSignal()
        for address, register in writable.items():
            for byte in range(STROBES):
                with m.If(awake), m.If(writes & bus.strobe[byte] & (bus.address == address)):
                    m.d.sync += register.word_select(byte, 8).eq(bus.value.word_select(byte, 8))
        m.d.comb += self.clear.eq(writes & controls & bus.strobe[0] & bus.value[1])
        with m.If(awake), m.If(writes & controls):
            with m.If(bus.strobe[0]):
                m.d.sync += run.eq(bus.value[0])
            with m.If(bus.strobe[1]):
                m.d.sync += load_state.eq(bus.value[8:16])
        m.d.sync += [
            self.write.enable.eq(writes & is_memory),
            self.write.address.eq(bus.address),
            self.write.data.eq(bus.value),
        ]
        self._read(m, readable)
        return m

    def _busy_cycles(self, m: Module) -> list[Signal]:
        """Count each stage's cycles, from a register, so that no way through a stage ends in a counter."""
        counters = []
        busy = Signal(self.shape.stages)
        m.d.sync += busy.eq(self.busy)
        for stage in range(self.shape.stages):
            counter = Signal(WORD_BITS, name=f"busy_cycles_{stage}")
            with m.If(busy[stage]):
                m.d.sync += counter.eq(counter + 1)
            with m.If(self.clear):
                m.d.sync += counter.eq(0)
            counters.append(counter)
        return counters

    def _any_of(self, registers: dict[int, Value]) -> Value:
        return Cat(*(self.bus.address == address for address in registers)).any()

    def _is_part(self) -> Value:
        """Tell whether the address is that of a word of a memory; parts that fill up to a power of two are written without effect."""
        hits: list[Value] = [Const(0, 1)]
        for base, memory in self.shape.memories:
            address = self.bus.address
            row = address[memory.part_address_bits : memory.address_bits]
            hit = (address >> memory.address_bits) == (base >> memory.address_bits)
            if len(memory.words) < 1 << len(row):
                hit &= row < len(memory.words)
            hits.append(hit)
        return Cat(*hits).any()

    def _read(self, m: Module, readable: dict[int, Value]) -> None:
        """Choose within groups of eight words, then the group."""
        address, groups = self.bus.address, []
        for first in range(0, max(readable) + 1, 8):
            chosen = Signal(WORD_BITS, name=f"words_from_{first}", reset_less=True)
            with m.Switch(address[:3]):
                for place in range(8):
                    if first + place in readable:
                        with m.Case(place):
                            m.d.sync += chosen.eq(readable[first + place])
            groups.append(chosen)
        with m.Switch(address[3:]):
            for number, chosen in enumerate(groups):
                with m.Case(number):
                    m.d.sync += self.bus.read_value.eq(chosen)


def _halves(number: int) -> tuple[int, int]:
    return number & 0xFFFFFFFF, number >> WORD_BITS


def _constants(numbers: Sequence[int]) -> list[Const]:
    return [Const(number, WORD_BITS) for number in numbers]
