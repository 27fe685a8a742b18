"""When the units of a recurrent cell work: behind the product nothing waits for room, so all is decided by the product's steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.fold import Fold
from hwgen.layers.dense import Dense
from hwgen.layers.protocol import Layer
from hwgen.layers.select import Select
from hwgen.rtl_templates.compute.recurrent import PRODUCT, RecurrentUnit, StepMap
from hwgen.rtl_templates.streams.fifo import Fifo
from hwgen.timing.schedule import Intake, Schedule

__all__ = ["CellTimes", "cell_times", "fold_in_cell"]

NEVER = np.int64(-(1 << 40))
FRAMES = 4
"""Time steps that are followed: the last ones are like all others."""
FAR = 1 << 20
"""Cycles between row groups when all of them wait for what comes from outside."""


@dataclass(frozen=True, eq=False)
class CellTimes:
    """What the cell takes.

    Parameters
    ----------
    gap : int
        Cycles between the last column of a step and the first of the next one, in which nothing is multiplied.
    pause : int
        Cycles without a product before the last row groups, those that yield the state: so many are enough for what the others yield.
    latency : int
        Cycles from the last column of one of the last row groups to its beat of the state.
    depths : mapping of (str, str) to int
        Beats of the FIFO from one unit to another.
    """

    gap: int
    pause: int
    latency: int
    depths: Mapping[tuple[str, str], int]


def fold_in_cell(layer: Layer, fold: Fold) -> Fold:
    """Give how a layer of the cell is folded, that takes and gives PE channels."""
    return Fold(pe=fold.pe, simd=fold.pe if isinstance(layer, Select) else 1)


def cell_times(
    dense: Dense, rest: Sequence[Layer], states: Sequence[str], step_maps: Sequence[StepMap], fold: Fold
) -> CellTimes:
    """Find the shortest rest between steps, and FIFOs behind which no unit ever stops another.

    The cell is followed twice: with row groups as close as they can be, and far apart. If a beat of the state comes as many cycles behind its row group
    in both, and in every step, it does so whatever happens outside.

    Raises
    ------
    ValueError
        If the state depends on more than the row group that yields it.
    """
    follow = _Cell(dense, rest, states, step_maps, fold)
    gap, pause = 0, 0
    depths: dict[tuple[str, str], int] = {}
    for _ in range(200):
        close, far = follow.run(gap, pause, 0, depths), follow.run(gap, pause, FAR, depths)
        # Never a FIFO less: with its latency nothing might wait any more.
        needed = _joined(follow, depths, close, far)
        if needed != depths:
            depths = needed
            continue
        late, slow = follow.lateness(close), int(close.latencies[-1] - far.latencies[0])
        if slow > 0 and follow.groups > follow.beats:
            pause += slow
        elif late > 0 or slow > 0:
            gap += max(late, 1)
        elif len({*close.latencies.tolist(), *far.latencies.tolist()}) == 1:
            return CellTimes(gap, pause, int(far.latencies[0]), depths)
        else:
            break
    raise ValueError("The states of the cell come at no fixed time")


@dataclass(frozen=True, eq=False)
class _Run:
    """When beats are there and when they are taken, on each way between units; and how long states take."""

    offered: Mapping[tuple[str, str], np.ndarray]
    taken: Mapping[tuple[str, str], np.ndarray]
    states: Sequence[np.ndarray]
    ends: np.ndarray
    latencies: np.ndarray


class _Cell:
    """The cell's units, and the row groups that move them."""

    def __init__(
        self, dense: Dense, rest: Sequence[Layer], states: Sequence[str], step_maps: Sequence[StepMap], fold: Fold
    ) -> None:
        self.fold, self.states, self.step_maps = fold, states, step_maps
        self.groups, self.columns = dense.rows // fold.pe, dense.columns // fold.simd
        self.beats = dense.columns // fold.pe
        inner = Fold(pe=fold.pe, simd=fold.simd, memory=fold.memory, lanes=fold.lanes)
        self.product_latency = RecurrentUnit.READ_LATENCY + dense.matrix.pipeline(inner)[0]
        known = {dense.name: PRODUCT}
        self.schedules: dict[str, Schedule] = {layer.name: layer.timing(fold_in_cell(layer, fold)) for layer in rest}
        self.reads = {layer.name: [known.get(entry.source, entry.source) for entry in layer.inputs] for layer in rest}
        self.readers: dict[str, list[str]] = {}
        for name, sources in self.reads.items():
            for source in sources:
                self.readers.setdefault(source, []).append(name)
        self.widths = {each.name: each.width for each in step_maps} | {PRODUCT: fold.pe * dense.out_type.bits}
        self.widths |= {layer.name: fold.pe * layer.out_type.bits for layer in rest}
        self.widths |= {f"state_{k}": self.widths[name] for k, name in enumerate(states)}

    def run(self, gap: int, pause: int, extra: int, depths: Mapping[tuple[str, str], int]) -> _Run:
        """Follow some time steps whose row groups are as close as can be, or ``extra`` cycles further apart."""
        interval = self.groups * (self.columns + extra) + gap + pause
        own = np.arange(1, self.groups + 1, dtype=np.int64) * (self.columns + extra) - 1
        own[self.groups - self.beats :] += pause
        ends = np.add.outer(np.arange(FRAMES) * interval, own)
        offered: dict[tuple[str, str], list[np.ndarray]] = {}
        taken: dict[tuple[str, str], list[np.ndarray]] = {}
        before = {name: (NEVER, NEVER) for name in self.schedules}
        last = [np.full(self.beats, NEVER) for _ in self.states]
        found: list[list[np.ndarray]] = [[] for _ in self.states]
        for time in range(FRAMES):
            given = {PRODUCT: ends[time] + self.product_latency}
            given |= {each.name: ends[time, each.first : each.first + each.beats] for each in self.step_maps}
            given |= {f"state_{k}": each for k, each in enumerate(last)}
            for name, schedule in self.schedules.items():
                bounds = np.full(len(schedule.events), NEVER)
                for intake, source in zip(schedule.intakes, self.reads[name], strict=True):
                    there = given[source] + self._through(source, name, depths)
                    offered.setdefault((source, name), []).append(there)
                    np.maximum.at(bounds, _accepts(intake), there)
                ended, left = before[name]
                bounds[0] = max(bounds[0], ended + schedule.events[0])
                events = np.maximum.accumulate(bounds - schedule.events) + schedule.events
                for intake, source in zip(schedule.intakes, self.reads[name], strict=True):
                    taken.setdefault((source, name), []).append(events[_accepts(intake)])
                (outlet,) = schedule.outlets
                outs = events[outlet.emit] + outlet.latency
                outs[0] = max(outs[0], left + 1)
                places = np.arange(len(outs))
                given[name] = np.maximum.accumulate(outs - places) + places
                before[name] = (events[-1] + schedule.steps - schedule.events[-1], given[name][-1])
            last = [given[name] for name in self.states]
            for each, times in zip(found, last, strict=True):
                each.append(times)
        states = [np.stack(each) for each in found]
        latencies = np.unique(states[0] - ends[:, self.groups - self.beats :])
        put, gone = ({way: np.concatenate(times) for way, times in each.items()} for each in (offered, taken))
        return _Run(put, gone, states, ends, latencies)

    def _through(self, writer: str, reader: str, depths: Mapping[tuple[str, str], int]) -> int:
        """Give the cycles through the FIFO between two units, if there is one."""
        if (writer, reader) in depths:
            return Fifo.latency(depths[writer, reader], self.widths[writer])
        return 1 if self.queued(writer) else 0

    def queued(self, writer: str) -> bool:
        """Whether there is a FIFO to each reader, whatever they do: behind a fork, and for what comes from outside of the units."""
        return len(self.readers.get(writer, ())) > 1 or not (writer == PRODUCT or writer in self.schedules)

    def lateness(self, run: _Run) -> int:
        """Give how many cycles too late the state of a step is written for the columns of the next one."""
        written = run.states[0][-2]
        word = max(self.fold.pe, self.fold.simd)
        complete = written.reshape(-1, word // self.fold.pe).max(axis=1)
        starts = run.ends[-1, 0] - self.columns + 1 + np.arange(len(complete)) * (word // self.fold.simd)
        return max(0, int(np.max(complete + 1 - starts)))


def _accepts(intake: Intake) -> np.ndarray:
    """Give the event at which each beat is taken.

    Raises
    ------
    ValueError
        If a unit of the cell has a buffer.
    """
    if intake.accept is None:
        raise ValueError("A unit with a buffer stands in no cell")
    return intake.accept


def _joined(cell: _Cell, before: Mapping[tuple[str, str], int], *runs: _Run) -> dict[tuple[str, str], int]:
    """Give a depth for each FIFO that is needed."""
    depths = {}
    for way in runs[0].offered:
        waits = any(np.any(run.taken[way] > run.offered[way]) for run in runs)
        if not (waits or way in before or cell.queued(way[0])):
            continue
        # A state's first beats come while the last of the frame before are still there.
        extra = cell.beats if way[0].startswith("state_") else 0
        latency = 2
        held = before.get(way, 2) - 1 - extra
        for run in runs:
            put, left = run.offered[way] - latency, run.taken[way]
            gone = np.searchsorted(left, put, side="left")
            held = max(held, int(np.max(np.arange(1, len(put) + 1) - gone)))
        depths[way] = held + 1 + extra
    return depths
