"""The output queue: credits, and the depth that they ask for."""

import pytest
from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.streams.output_queue import OutputQueue
from hwgen.rtl_templates.streams.stream_check import run


class Delay(wiring.Component):
    """Unit that gives its input after a pipeline of registers."""

    def __init__(self, width, pipeline, slots):
        self.width, self.pipeline, self.slots = width, pipeline, slots
        super().__init__({"i": In(stream.Signature(unsigned(width))), "o": Out(stream.Signature(unsigned(width)))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = OutputQueue(self.width, self.slots)
        wiring.connect(m, wiring.flipped(self.o), queue.o)
        take = Signal()
        m.d.comb += [self.i.ready.eq(queue.ready), take.eq(self.i.valid & queue.ready), queue.reserve.eq(take)]
        valid, data = take, self.i.payload
        for stage in range(self.pipeline):
            valid_next, data_next = Signal(name=f"valid_{stage}"), Signal(self.width, name=f"data_{stage}")
            m.d.sync += [valid_next.eq(valid), data_next.eq(data)]
            valid, data = valid_next, data_next
        m.d.comb += [queue.push.eq(valid), queue.data.eq(data)]
        return m


@pytest.mark.parametrize("pipeline", [0, 1, 2, 5, 20])
@pytest.mark.parametrize("width", [1, 8, 100])
def test_the_least_slots_take_a_beat_in_every_cycle(pipeline, width):
    slots = OutputQueue.least_slots(width, pipeline)
    sent = [number % (1 << min(width, 20)) for number in range(4 * slots + 9)]
    result = run(Delay(width, pipeline, slots), sent, len(sent))
    assert result.payloads == sent
    assert result.taken == list(range(len(sent)))
    assert result.given[0] == pipeline + OutputQueue.latency(width, slots)
    if slots > 1:
        fewer = run(Delay(width, pipeline, slots - 1), sent, len(sent))
        assert fewer.taken != list(range(len(sent)))


@pytest.mark.parametrize("slots", [1, 2, 3, 7])
@pytest.mark.parametrize("pipeline", [0, 3])
def test_no_beat_is_lost_when_the_sink_stalls(slots, pipeline):
    sent = list(range(60))
    result = run(Delay(8, pipeline, slots), sent, len(sent), source_stall=0.2, sink_stall=0.5, reset_at=13)
    assert result.payloads == sent


def test_no_more_beats_than_slots_are_under_way():
    result = run(Delay(8, 2, 4), list(range(10)), 10, sink_opens_at=40)
    assert sum(cycle < 40 for cycle in result.taken) == 4


def test_work_every_few_cycles_needs_fewer_slots():
    assert OutputQueue.least_slots(8, 3, interval=1) == 5
    assert OutputQueue.least_slots(8, 3, interval=4) == 2
