"""What the monitor counts of a handshake: frames and waiting beats, and when a frame is under way."""

import random

from hwgen.rtl_templates.streams.stream_monitor import StreamMonitor
from tests.rtl_templates.playing import play


def test_frames_and_stalls_are_counted_until_they_are_cleared() -> None:
    unit, rng = StreamMonitor(3), random.Random(5)
    cycles = [(rng.getrandbits(1), rng.getrandbits(1), number == 150) for number in range(300)]

    async def bench(ctx):
        place = frames = stalls = 0
        for valid, ready, clear in cycles:
            for signal, value in ((unit.valid, valid), (unit.ready, ready), (unit.clear, clear)):
                ctx.set(signal, value)
            await ctx.delay(1e-8)
            ends = bool(valid and ready and place == 2)
            assert (ctx.get(unit.ends), ctx.get(unit.within)) == (ends, place > 0)
            assert (ctx.get(unit.frames), ctx.get(unit.stalls)) == (frames, stalls)
            await ctx.tick()
            place = (place + (valid and ready)) % 3
            frames, stalls = (0, 0) if clear else (frames + ends, stalls + (valid and not ready))
        assert min(frames, stalls) > 5

    play(unit, bench)


def test_a_frame_of_one_beat_is_never_under_way() -> None:
    unit = StreamMonitor(1)

    async def bench(ctx):
        ctx.set(unit.valid, 1)
        ctx.set(unit.ready, 1)
        for frames in range(4):
            assert (ctx.get(unit.frames), ctx.get(unit.within), ctx.get(unit.ends)) == (frames, 0, 1)
            await ctx.tick()

    play(unit, bench)
