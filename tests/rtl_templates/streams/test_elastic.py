"""The elastic pipeline: beats close up behind a closed output, and pass in every cycle through an open one."""

import pytest
from amaranth.hdl import Module, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.streams.elastic import QUEUE, ElasticPipeline, held
from hwgen.rtl_templates.streams.stream_check import run


class Adder(wiring.Component):
    """Adds 1 behind each register."""

    def __init__(self, stages, slots):
        self.stages, self.slots = stages, slots
        super().__init__({"i": In(stream.Signature(unsigned(8))), "o": Out(stream.Signature(unsigned(8)))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.pipeline = pipeline = ElasticPipeline(self.stages, 8, self.slots)
        wiring.connect(m, wiring.flipped(self.o), pipeline.o)
        m.d.comb += [pipeline.i_valid.eq(self.i.valid), self.i.ready.eq(pipeline.i_ready)]
        value = self.i.payload
        for stage in range(self.stages):
            value = (held(m, f"stage_{stage}", pipeline.moves[stage], value) + 1)[:8]
        m.d.comb += pipeline.data.eq(value)
        return m


@pytest.mark.parametrize("stages", [1, 2, 7])
@pytest.mark.parametrize("slots", [None, 1, 12])
def test_a_beat_passes_in_every_cycle_at_the_stated_latency(stages, slots):
    latency, _ = ElasticPipeline.timing(stages, 8, slots)
    result = run(Adder(stages, slots), list(range(30)), 30)
    assert result.payloads == [number + stages for number in range(30)]
    assert result.taken == list(range(30))
    assert result.given == [cycle + latency for cycle in range(30)]


@pytest.mark.parametrize("stages", [1, 4])
@pytest.mark.parametrize("slots", [None, 9])
def test_every_register_and_word_is_a_slot(stages, slots):
    _, capacity = ElasticPipeline.timing(stages, 8, slots)
    assert capacity == max(slots or 0, stages + QUEUE)
    result = run(Adder(stages, slots), list(range(30)), 30, source_stall=0.3, sink_opens_at=60, seed=1)
    opens = result.given[0]
    assert sum(cycle < opens for cycle in result.taken) == capacity
    assert result.payloads == [number + stages for number in range(30)]


def test_reset_forgets_what_is_inside():
    result = run(Adder(3, None), list(range(20)), 20, source_stall=0.2, sink_stall=0.5, reset_at=9, seed=3)
    assert result.payloads == [number + 3 for number in range(20)]
