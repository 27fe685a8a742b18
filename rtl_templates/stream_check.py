"""Drive a component's stream ports in Amaranth's simulator and hold the handshake contract while doing so."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amaranth.hdl import ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.sim import Simulator, SimulatorContext

from hwgen.rtl_templates.write_bus import Contents

__all__ = ["Run", "pack", "run", "unpack"]


@dataclass(frozen=True)
class Run:
    """What passed the ports: output payloads, and the cycle of each transfer, counted from the first input transfer.

    ``taken`` and ``given`` are cycles of the transfers into ``i`` and out of ``o`` since the last reset.
    """

    payloads: list[int]
    taken: list[int]
    given: list[int]


def pack(codes: Sequence[int], bits: int) -> int:
    """Pack codes into a beat, the first in the lowest bits."""
    return sum((int(code) & ((1 << bits) - 1)) << (bits * lane) for lane, code in enumerate(codes))


def unpack(beat: int, lanes: int, bits: int) -> list[int]:
    """Take a beat apart into unsigned fields."""
    return [(beat >> (bits * lane)) & ((1 << bits) - 1) for lane in range(lanes)]


def run(
    component: wiring.Component,
    beats: Sequence[int],
    outputs: int,
    *,
    source_stall: float = 0.0,
    sink_stall: float = 0.0,
    sink_opens_at: int = 0,
    reset_at: int | None = None,
    writes: Mapping[str, Contents] | None = None,
    seed: int = 0,
    limit: int = 100_000,
) -> Run:
    """Send ``beats`` into ``i`` and collect ``outputs`` payloads from ``o``.

    Asserts that ``valid`` never drops and the payload never changes before ``ready``, that neither ``i.ready`` nor ``o.valid`` depends
    on the opposite handshake wire in the same cycle (``o.valid`` on ``o.ready``, ``i.ready`` on ``i.valid``), and that nothing follows the
    expected outputs.

    Parameters
    ----------
    source_stall, sink_stall : float
        Chance of a pause in each cycle.
    sink_opens_at : int
        Cycle before which nothing leaves.
    reset_at : int or None
        Cycle in which reset is held; afterwards all beats are sent anew and only what leaves from then on counts.
    writes : mapping of str to Contents or None
        Written through the port ``write`` first, in place of what the memories hold.
    limit : int
        Cycles after which the run has failed.
    """
    rng = random.Random(seed)
    reset = Signal()
    result = Run([], [], [])
    simulator = Simulator(ResetInserter(reset)(component))
    simulator.add_clock(1e-6)

    async def bench(ctx: SimulatorContext) -> None:
        first = 0
        for memory in (writes or {}).values():
            for address, data in enumerate(memory.image()):
                part = address & ((1 << memory.part_address_bits) - 1)
                ctx.set(component.write.enable, 1 << first + part if part < memory.parts else 0)
                ctx.set(component.write.address, address)
                ctx.set(component.write.data, data)
                await ctx.tick()
            first += memory.parts
            ctx.set(component.write.enable, 0)
        sent, cycle, idle, offered, waiting = 0, 0, 0, False, None
        while len(result.payloads) < outputs or idle < 20:
            assert cycle < limit, f"{len(result.payloads)} of {outputs} outputs after {limit} cycles"
            resetting = cycle == reset_at
            if resetting:
                for record in (result.payloads, result.taken, result.given):
                    record.clear()
                sent, offered, waiting = 0, False, None
            ready_before = ctx.get(component.i.ready)
            offered = sent < len(beats) and not resetting and (offered or rng.random() >= source_stall)
            ctx.set(component.i.valid, offered)
            ctx.set(component.i.payload, beats[sent] if offered else rng.getrandbits(len(component.i.payload)))
            assert ctx.get(component.i.ready) == ready_before, "i.ready depends on i.valid"
            ctx.set(component.o.ready, 0)
            valid, payload = ctx.get(component.o.valid), ctx.get(component.o.payload)
            takes = cycle >= sink_opens_at and rng.random() >= sink_stall and not resetting
            ctx.set(component.o.ready, takes)
            assert ctx.get(component.o.valid) == valid, "o.valid depends on o.ready"
            if waiting is not None:
                assert valid, "o.valid dropped before o.ready"
                assert payload == waiting, "o.payload changed before o.ready"
            ctx.set(reset, resetting)
            if resetting:
                waiting = None
            else:
                if offered and ctx.get(component.i.ready):
                    result.taken.append(cycle)
                    sent += 1
                    offered = False
                waiting = payload if valid and not takes else None
                if valid and takes:
                    result.payloads.append(payload)
                    result.given.append(cycle)
            idle = idle + 1 if len(result.payloads) >= outputs and sent == len(beats) else 0
            await ctx.tick()
            cycle += 1

    simulator.add_testbench(bench)
    simulator.run()
    assert len(result.payloads) == outputs, f"{len(result.payloads)} outputs instead of {outputs}"
    start = result.taken[0] if result.taken else 0
    return Run(result.payloads, [cycle - start for cycle in result.taken], [cycle - start for cycle in result.given])
