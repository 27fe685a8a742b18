"""Banks of a state: read in columns while the next state is written in beats."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth.sim import Simulator

from hwgen.rtl_templates.windows.state_bank import StateBank

BITS, CODES, STEPS = 3, 8, 3


def packed(codes: np.ndarray) -> int:
    return sum(int(code) << BITS * place for place, code in enumerate(codes))


@pytest.mark.parametrize(("pe", "simd"), [(1, 1), (2, 8), (8, 2), (4, 4), (1, 8)])
def test_each_step_reads_the_state_before_while_the_next_is_written(pe: int, simd: int) -> None:
    random = np.random.default_rng(pe)
    bank = StateBank(bits=BITS, pe=pe, simd=simd, beats=CODES // pe)
    _, parts, _ = StateBank.sizes(pe, simd, CODES // pe)

    async def play(ctx) -> None:
        for _ in range(2):
            states = random.integers(0, 1 << BITS, (STEPS + 1, CODES))
            for beat in states[0].reshape(-1, pe):
                ctx.set(bank.load, 1)
                ctx.set(bank.data, packed(beat))
                await ctx.tick()
            ctx.set(bank.load, 0)
            for step in range(STEPS):
                columns, beats = states[step].reshape(-1, simd), states[step + 1].reshape(-1, pe)
                for place, expected in enumerate(columns):
                    ctx.set(bank.read, 1)
                    ctx.set(bank.word, place // parts)
                    ctx.set(bank.part, place % parts)
                    ctx.set(bank.ends, place == len(columns) - 1)
                    ctx.set(bank.is_last, step == STEPS - 1)
                    ctx.set(bank.put, place < len(beats) - 1)
                    ctx.set(bank.last, step == STEPS - 1)
                    ctx.set(bank.data, packed(beats[min(place, len(beats) - 1)]))
                    await ctx.tick()
                    assert ctx.get(bank.columns) == packed(expected)
                ctx.set(bank.read, 0)
                ctx.set(bank.ends, 0)
                for beat in beats[min(len(columns), len(beats) - 1) :]:
                    ctx.set(bank.put, 1)
                    ctx.set(bank.data, packed(beat))
                    await ctx.tick()
                ctx.set(bank.put, 0)

    simulator = Simulator(bank)
    simulator.add_clock(1e-6)
    simulator.add_testbench(play)
    simulator.run()
