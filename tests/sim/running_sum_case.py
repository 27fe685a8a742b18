"""The small accelerator in a folder, with frames for it and what they must become."""

import numpy as np

from hwgen.arrays.beats import Beats, BeatSequence
from hwgen.codes import unsigned
from hwgen.sim.record import Stimulus
from hwgen.sim.run import run_verilator
from hwgen.tools.toolchain import Toolchain
from hwgen.verilog.write import write
from tests.sim.running_sum import RunningSum, ref

FRAME = 100
TOOLCHAIN = Toolchain.find()


class Case:
    """An accelerator of some width with its layout, and frames that visit its extremes."""

    def __init__(self, folder, lanes, bits, queue=None):
        self.folder, self.width = folder, lanes * bits
        self.layout = BeatSequence((Beats(unsigned(bits), lanes, (FRAME, lanes)),))
        self.table = [(0x9E3779B97F4A7C15 * k) % (1 << self.width) for k in range(FRAME)]
        write(RunningSum(self.width, self.table, queue), "sums", folder)
        rng = np.random.default_rng(self.width)
        self.codes = rng.integers(0, 1 << bits, size=(5, FRAME, lanes))
        self.codes[0], self.codes[1] = 0, (1 << bits) - 1

    def stimulus(self, **options):
        return Stimulus.of_frames([self.codes], self.layout, self.layout, **options)

    def expected(self):
        words = [int.from_bytes(beat.tobytes(), "little") for beat in self.layout.pack([self.codes])]
        sums = ref(np.array(words, dtype=object).reshape(-1, FRAME), self.table, self.width)
        return [int(word) for word in sums.reshape(-1)]

    def run(self, cache, **options):
        return run_verilator(self.folder, "sums", self.stimulus(**options), TOOLCHAIN, cache=cache)


def words(trace):
    return [int.from_bytes(beat.tobytes(), "little") for beat in trace.out_beats]
