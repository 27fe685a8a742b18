"""Lanes are copied to where they are wanted, beat by beat."""

import numpy as np
import pytest

from hwgen.rtl_templates.streams.channel_wires import ChannelWires
from hwgen.rtl_templates.streams.stream_check import pack, run, unpack


@pytest.mark.parametrize("chosen", [[0], [3, 2, 1, 0], [1, 1, 1], [2, 0, 3, 2, 2]])
def test_each_output_lane_has_its_input_lane(chosen):
    codes = np.random.default_rng(0).integers(0, 8, (20, 4))
    sent = [pack(beat, 3) for beat in codes]
    free = run(ChannelWires(bits=3, lanes=4, chosen=chosen), sent, 20)
    assert [unpack(beat, len(chosen), 3) for beat in free.payloads] == codes[:, chosen].tolist()
    assert free.given == [cycle + 1 for cycle in range(20)]
    stalled = {"source_stall": 0.3, "sink_stall": 0.4, "reset_at": 5}
    assert run(ChannelWires(bits=3, lanes=4, chosen=chosen), sent, 20, **stalled).payloads == free.payloads
