"""Drive a component's stream ports in Amaranth's simulator and hold the handshake contract while doing so."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.sim import Simulator, SimulatorContext

from hwgen.rtl_templates.registers.write_bus import Contents
from hwgen.rtl_templates.streams.pauses import Pauses

__all__ = ["PortsRun", "Run", "Standstill", "burst_for", "pack", "patience_for", "run", "run_ports", "unpack"]


class Standstill(BaseException):
    """Nothing that is awaited passes any more. No `Exception`: Hypothesis would look for a smaller example, for minutes."""


@dataclass(frozen=True)
class Run:
    """What passed the ports: output payloads, and the cycle of each transfer, counted from the first input transfer.

    ``taken`` and ``given`` are cycles of the transfers into ``i`` and out of ``o`` since the last reset.
    """

    payloads: list[int]
    taken: list[int]
    given: list[int]


@dataclass(frozen=True)
class PortsRun:
    """The same for a component with several ports on a side, port by port."""

    payloads: dict[str, list[int]]
    taken: dict[str, list[int]]
    given: dict[str, list[int]]


def patience_for(beats: int) -> int:
    """Give the cycles without a transfer after which a run of so many beats, of all ports together, stands still."""
    return 400 + 4 * beats


SLOW_PACE = 12
"""Cycles a beat in slow phases."""


def burst_for(beats: int) -> int:
    """Give the cycles of the longest pause in a run of so many beats: longer than one of its frames takes."""
    return 100 + beats


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
    patience: int | None = None,
) -> Run:
    """Send ``beats`` into ``i`` and collect ``outputs`` payloads from ``o``: `run_ports` for a component with one port on each side."""
    runs = run_ports(
        component,
        {"i": beats},
        {"o": outputs},
        source_stall=source_stall,
        sink_stall=sink_stall,
        sink_opens_at=sink_opens_at,
        reset_at=reset_at,
        writes=writes,
        seed=seed,
        patience=patience,
    )
    return Run(runs.payloads["o"], runs.taken["i"], runs.given["o"])


def run_ports(
    component: wiring.Component,
    sent: Mapping[str, Sequence[int]],
    outputs: Mapping[str, int],
    *,
    source_stall: float = 0.0,
    sink_stall: float = 0.0,
    sink_opens_at: int = 0,
    reset_at: int | None = None,
    writes: Mapping[str, Contents] | None = None,
    seed: int = 0,
    patience: int | None = None,
) -> PortsRun:
    """Send beats into every input port and collect payloads from every output port.

    Asserts that ``valid`` never drops and the payload never changes before ``ready``, that no port's own handshake wires depend on one another
    in the same cycle (``o.valid`` on ``o.ready``, ``i.ready`` on ``i.valid``), and that nothing follows the expected outputs.

    Parameters
    ----------
    source_stall, sink_stall : float
        Chance of a pause in each cycle, at each port, between bursts of up to `burst_for` these beats; 0: no pauses at all. The first burst is the
        sinks', of that length: it fills every buffer. Until a reset there are pauses of single cycles only.
    sink_opens_at : int
        Cycle before which nothing leaves.
    reset_at : int or None
        Cycle in which reset is held; afterwards all beats are sent anew and only what leaves from then on counts.
    writes : mapping of str to Contents or None
        Written through the port ``write`` first, in place of what the memories hold.
    patience : int or None
        Cycles without any awaited transfer or pause after which the run has failed, and says which ports wait; None: `patience_for` these beats.

    Raises
    ------
    Standstill
        If the patience is over.
    """
    beats = sum(map(len, sent.values())) + sum(outputs.values())
    if patience is None:
        patience = patience_for(beats)
    rng = random.Random(seed)
    reset = Signal()
    sources = {name: _Source(getattr(component, name), payloads) for name, payloads in sent.items()}
    sinks = {name: _Sink(getattr(component, name), count) for name, count in outputs.items()}
    ports: list[_Source | _Sink] = [*sources.values(), *sinks.values()]

    def stall_all(longest: int) -> None:
        for number, port in enumerate(ports):
            share = sink_stall if isinstance(port, _Sink) else source_stall
            port.pauses = Pauses(
                len(ports) * seed + number, round(1000 * share), longest, SLOW_PACE, held=isinstance(port, _Sink)
            )

    stall_all(burst_for(beats) if reset_at is None else 0)
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
        cycle, idle, quiet, passed = 0, 0, 0, 0
        while idle < 20:
            if quiet > patience:
                raise Standstill(_standstill({**sources, **sinks}, patience))
            resetting = cycle == reset_at
            if resetting:
                stall_all(burst_for(beats))
                for port in ports:
                    port.restart()
            for source in sources.values():
                source.offer(ctx, rng, resetting)
            for sink in sinks.values():
                sink.accept(ctx, cycle >= sink_opens_at and not resetting)
            if reset_at in (cycle, cycle - 1):
                ctx.set(reset, resetting)
            if not resetting:
                for port in ports:
                    port.transfer(ctx, cycle)
            idle = idle + 1 if all(port.done for port in ports) else 0
            before, passed = passed, sum(port.awaited for port in ports)
            if passed != before or idle or cycle < sink_opens_at:
                quiet = 0
            elif not any(port.paused for port in ports):
                quiet += 1
            await ctx.tick()
            cycle += 1

    simulator.add_testbench(bench)
    simulator.run()
    for name, sink in sinks.items():
        assert len(sink.payloads) == sink.count, f"{len(sink.payloads)} outputs at {name} instead of {sink.count}"
    start = min((source.taken[0] for source in sources.values() if source.taken), default=0)
    return PortsRun(
        {name: sink.payloads for name, sink in sinks.items()},
        {name: [cycle - start for cycle in source.taken] for name, source in sources.items()},
        {name: [cycle - start for cycle in sink.given] for name, sink in sinks.items()},
    )


class _Source:
    """Sends beats into one port."""

    def __init__(self, port: Any, beats: Sequence[int]) -> None:
        self.valid, self.ready, self.beats = port.valid, port.ready, beats
        self.bits = len(port.payload)
        # The simulator lets the whole design settle after every assignment: one for both.
        self.offers = Cat(port.valid, port.payload)
        self.taken: list[int] = []
        self.offered = self.paused = False
        self.pauses = Pauses(0, 0)

    @property
    def awaited(self) -> int:
        return len(self.taken)

    @property
    def waits(self) -> str:
        return f"waits for ready after {len(self.taken)} of {len(self.beats)} beats"

    @property
    def done(self) -> bool:
        return len(self.taken) == len(self.beats)

    def restart(self) -> None:
        self.taken.clear()
        self.offered = False

    def offer(self, ctx: SimulatorContext, rng: random.Random, resetting: bool) -> None:
        may_begin = not self.done and not resetting and not self.offered
        self.paused = may_begin and self.pauses()
        self.offered = self.offered or (may_begin and not self.paused)
        payload = self.beats[len(self.taken)] if self.offered else rng.getrandbits(max(1, self.bits))
        payload &= (1 << self.bits) - 1
        ctx.set(self.offers, payload << 1 | (not self.offered))
        ready = ctx.get(self.ready)
        ctx.set(self.valid, self.offered)
        assert ctx.get(self.ready) == ready, "i.ready depends on i.valid"

    def transfer(self, ctx: SimulatorContext, cycle: int) -> None:
        if self.offered and ctx.get(self.ready):
            self.taken.append(cycle)
            self.offered = False


class _Sink:
    """Collects payloads from one port."""

    def __init__(self, port: Any, count: int) -> None:
        self.valid, self.ready, self.payload, self.count = port.valid, port.ready, port.payload, count
        self.payloads: list[int] = []
        self.given: list[int] = []
        self.waiting: int | None = None
        self.takes = self.paused = False
        self.pauses = Pauses(0, 0)

    @property
    def awaited(self) -> int:
        return min(len(self.payloads), self.count)

    @property
    def waits(self) -> str:
        return f"waits for valid after {len(self.payloads)} of {self.count} beats"

    @property
    def done(self) -> bool:
        return len(self.payloads) >= self.count

    def restart(self) -> None:
        self.payloads.clear()
        self.given.clear()
        self.waiting = None

    def accept(self, ctx: SimulatorContext, is_open: bool) -> None:
        """Take what comes, unless it pauses; what follows the last beat is never kept waiting."""
        self.paused = is_open and not self.done and self.pauses()
        self.takes = takes = is_open and not self.paused
        ctx.set(self.ready, not takes)
        valid, payload = ctx.get(self.valid), ctx.get(self.payload)
        ctx.set(self.ready, takes)
        assert ctx.get(self.valid) == valid, "o.valid depends on o.ready"
        if self.waiting is not None:
            assert valid, "o.valid dropped before o.ready"
            assert payload == self.waiting, "o.payload changed before o.ready"

    def transfer(self, ctx: SimulatorContext, cycle: int) -> None:
        valid, payload = ctx.get(self.valid), ctx.get(self.payload)
        self.waiting = payload if valid and not self.takes else None
        if valid and self.takes:
            self.payloads.append(payload)
            self.given.append(cycle)


def _standstill(ports: Mapping[str, _Source | _Sink], patience: int) -> str:
    waiting = ", ".join(f"{name} {port.waits}" for name, port in ports.items() if not port.done)
    return f"no transfer for {patience} cycles: {waiting}"
