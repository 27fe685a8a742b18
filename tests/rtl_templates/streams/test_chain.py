"""Units one behind the other: the data pass all, their memories are one, and a step is the first one's or the last one's beat."""

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.registers.write_bus import Contents, write_port
from hwgen.rtl_templates.streams.chain import Chain
from hwgen.rtl_templates.streams.fifo import Fifo
from hwgen.rtl_templates.streams.stream_check import run
from tests.rtl_templates.playing import play

BEATS = [3, 250, 7, 8, 9, 0, 255]


class Adds(wiring.Component):
    """Adds the word that was written to it; is busy with odd beats."""

    def __init__(self, name: str, *, tells: bool) -> None:
        self.memories = {name: Contents([0], 8)}
        ports = {"i": In(stream.Signature(8)), "o": Out(stream.Signature(8)), "write": In(write_port(self.memories))}
        super().__init__(ports | ({"busy": Out(1)} if tells else {}))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = Signal(8)
        with m.If(self.write.enable):
            m.d.sync += word.eq(self.write.data)
        m.d.comb += [
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
            self.o.payload.eq(self.i.payload + word),
        ]
        if "busy" in self.signature.members:
            m.d.comb += self.busy.eq(self.i.valid & self.i.payload[0])
        return m


def test_data_pass_all_units_and_each_gets_what_is_written_to_it() -> None:
    chain = Chain({"first": Adds("a", tells=True), "queue": Fifo(8, 4), "second": Adds("b", tells=True)})
    assert list(chain.memories) == ["a", "b"]
    writes = {"a": Contents([5], 8), "b": Contents([16], 8)}
    result = run(chain, BEATS, len(BEATS), writes=writes, source_stall=0.3, sink_stall=0.3)
    assert result.payloads == [(beat + 21) % 256 for beat in BEATS]


@pytest.mark.parametrize("tells", [False, True])
def test_a_step_is_what_the_first_unit_calls_one_or_a_beat_into_the_last(tells: bool) -> None:
    chain = Chain({"first": Adds("a", tells=tells), "last": Adds("b", tells=True)})

    async def bench(ctx):
        for beat in range(8):
            for valid in (0, 1):
                for ready in (0, 1):
                    ctx.set(chain.i.valid, valid)
                    ctx.set(chain.i.payload, beat)
                    ctx.set(chain.o.ready, ready)
                    await ctx.delay(1e-8)
                    assert ctx.get(chain.busy) == (valid and beat & 1 if tells else valid and ready)
                    await ctx.tick()

    play(chain, bench)


def test_a_chain_of_one_without_memories_has_no_port_for_writes() -> None:
    chain = Chain({"queue": Fifo(8, 4)})
    assert "write" not in chain.signature.members
    assert run(chain, BEATS, len(BEATS)).payloads == BEATS
