"""A recurrent cell, run through the steps of a sequence: its state goes round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import lcm, prod
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.dense import Dense
from hwgen.layers.legal import check_divides, check_memory, check_no_window, check_slots, divisors
from hwgen.layers.protocol import Layer, MapInput, MapShape
from hwgen.layers.recurrent_schedule import CellTimes, cell_times, fold_in_cell
from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.compute.recurrent import PRODUCT, CellUnit, RecurrentUnit, StepMap
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.output_queue import OutputQueue
from hwgen.timing.schedule import Intake, Outlet, Schedule

__all__ = ["Recurrent"]


@dataclass(frozen=True, eq=False)
class Recurrent:
    """State t = cell of the states before it and of pixel t of the step maps; the first state goes out, step by step.

    The cell is a network of layers of one pixel: the first is a dense layer without thresholds, of the first state; the others take channels of a pixel as
    they come. In the cell a map is called ``step_k`` for pixel t of step map k, ``state_k`` for the state before, or by the layer that yields it.

    Parameters
    ----------
    name : str
    sources : tuple of str
        The step maps, then the states with which a frame begins.
    in_shapes : tuple of MapShape
        All step maps have the same rows and columns; states have one pixel.
    in_types : tuple of CodeType
    cell : tuple of Layer
        In topological order.
    states : tuple of str
        The layer of the cell that yields each state.
    """

    name: str
    sources: tuple[str, ...]
    in_shapes: tuple[MapShape, ...]
    in_types: tuple[CodeType, ...]
    cell: tuple[Layer, ...]
    states: tuple[str, ...]

    @property
    def inputs(self) -> tuple[MapInput, ...]:
        """Step maps, and first states."""
        return tuple(map(MapInput, self.sources, self.in_shapes, self.in_types))

    @property
    def step_maps(self) -> int:
        """How many maps are read step by step."""
        return len(self.sources) - len(self.states)

    @property
    def time_steps(self) -> int:
        """Pixels of a step map."""
        return self.in_shapes[0][0] * self.in_shapes[0][1]

    @property
    def channels(self) -> int:
        """Codes of a state."""
        return self.in_shapes[-1][2]

    @property
    def out_shape(self) -> MapShape:
        """The first state after each step."""
        return (*self.in_shapes[0][:2], self.channels)

    @property
    def out_type(self) -> CodeType:
        """Type of the first state."""
        return self.in_types[self.step_maps]

    @cached_property
    def dense(self) -> Dense:
        """What the state is multiplied by."""
        first = self.cell[0] if self.cell else None
        if isinstance(first, Dense):
            return first
        raise ValueError(f"Layer '{self.name}' needs a cell that begins with a dense layer")

    def golden(self, *maps: np.ndarray) -> np.ndarray:
        """Run the cell through the pixels of the step maps, in raster order."""
        steps = [x.reshape(len(x), self.time_steps, -1) for x in maps[: self.step_maps]]
        states, seen = list(maps[self.step_maps :]), []
        for time in range(self.time_steps):
            values = {f"step_{k}": x[:, time].reshape(len(x), 1, 1, -1) for k, x in enumerate(steps)}
            values |= {f"state_{k}": x for k, x in enumerate(states)}
            for layer in self.cell:
                values[layer.name] = layer.golden(*(values[entry.source] for entry in layer.inputs))
            states = [values[name] for name in self.states]
            seen.append(states[0])
        return np.stack(seen, axis=1).reshape(len(maps[0]), *self.out_shape)

    def check(self) -> None:
        """Raise ValueError with a sentence if the record is inconsistent."""
        heights = {shape[:2] for shape in self.in_shapes[: self.step_maps]}
        if len(heights) != 1 or self.step_maps < 1:
            raise ValueError(f"Layer '{self.name}' needs step maps of the same rows and columns, not {sorted(heights)}")
        if {shape for shape in self.in_shapes[self.step_maps :]} != {(1, 1, self.channels)}:
            raise ValueError(f"Layer '{self.name}' needs states of one pixel and of {self.channels} codes each")
        known = {f"step_{k}": ((1, 1, self.in_shapes[k][2]), self.in_types[k]) for k in range(self.step_maps)}
        for k in range(len(self.states)):
            known[f"state_{k}"] = ((1, 1, self.channels), self.in_types[self.step_maps + k])
        for layer in self.cell:
            layer.check()
            for entry in layer.inputs:
                if known.get(entry.source) != (entry.shape, entry.type):
                    raise ValueError(
                        f"Layer '{self.name}': its cell's '{layer.name}' does not read what '{entry.source}' is"
                    )
            known[layer.name] = (layer.out_shape, layer.out_type)
        if self.dense.thresholds is not None or self.dense.source != "state_0":
            raise ValueError(f"Layer '{self.name}' needs sums of its first state, without thresholds")
        for k, name in enumerate(self.states):
            if known.get(name) != known[f"state_{k}"]:
                raise ValueError(f"Layer '{self.name}': '{name}' does not yield state {k}")
        self.times(Fold())

    @property
    def folding(self) -> RecurrentFolding:
        """What PE and SIMD may be."""
        return RecurrentFolding(self)

    def times(self, fold: Fold) -> CellTimes:
        """Give what the cell's units take, see `cell_times`."""
        if fold not in self._times:
            self._times[fold] = cell_times(self.dense, self.cell[1:], self.states, self._step_maps(fold), fold)
        return self._times[fold]

    @cached_property
    def _times(self) -> dict[Fold, CellTimes]:
        return {}

    def timing(self, fold: Fold) -> Schedule:
        """Take the first states; then an event for each row group of each step, of which the last ones emit."""
        beats, groups = self.channels // fold.pe, self.dense.rows // fold.pe
        columns, times = self.dense.columns // fold.simd, self.times(fold)
        interval = groups * columns + times.gap + times.pause
        ends = np.arange(1, groups + 1, dtype=np.int64) * columns - 1
        ends[groups - beats :] += times.pause
        own = np.add.outer(np.arange(self.time_steps) * interval, ends)
        steps = np.concatenate([np.arange(beats), beats + own.ravel()])
        events = beats + np.arange(self.time_steps * groups).reshape(self.time_steps, groups)
        intakes = [
            Intake(accept=events[:, each.first : each.first + each.beats].ravel()) for each in self._step_maps(fold)
        ]
        intakes += [Intake(accept=np.arange(beats))] * len(self.states)
        emit = events[:, groups - beats :].ravel()
        width, slots = fold.pe * self.out_type.bits, self._slots(fold)
        latency = times.latency + OutputQueue.latency(width, slots)
        return Schedule(beats + self.time_steps * interval, steps, tuple(intakes), (Outlet(emit, latency, slots),))

    def _slots(self, fold: Fold) -> int:
        """Depth of the output FIFO."""
        if fold.slots is not None:
            return fold.slots
        columns = self.dense.columns // fold.simd
        return OutputQueue.least_slots(fold.pe * self.out_type.bits, self.times(fold).latency, columns)

    def resources(self, fold: Fold) -> Resources:
        unit = self._unit(fold)
        widths = {PRODUCT: fold.pe * self.dense.out_type.bits}
        widths |= {layer.name: fold.pe * layer.out_type.bits for layer in self.cell[1:]}
        bill = RecurrentUnit.bill(self.name, widths=widths, **unit)
        bill.include(self.dense.matrix.bill(f"{self.name}.product", self._inner(fold)))
        for layer in self.cell[1:]:
            cost = layer.resources(fold_in_cell(layer, fold))
            bill.include(Bill(dict(cost.parts), dict(cost.chains), list(cost.memories), list(cost.products)))
        return bill.resources()

    def component(self, fold: Fold) -> RecurrentUnit:
        """Give the unit with all that is in it."""
        known = {self.dense.name: PRODUCT}
        units = [
            CellUnit(
                layer.name,
                layer.component(fold_in_cell(layer, fold)),
                tuple(known.get(entry.source, entry.source) for entry in layer.inputs),
            )
            for layer in self.cell[1:]
        ]
        product = self.dense.matrix.unit(self._inner(fold))
        return RecurrentUnit(product=product, units=units, yields=self.states, **self._unit(fold))

    def _inner(self, fold: Fold) -> Fold:
        """Give the folding of the product, whose queue is as deep as it needs."""
        return Fold(pe=fold.pe, simd=fold.simd, memory=fold.memory, lanes=fold.lanes)

    def _step_maps(self, fold: Fold) -> list[StepMap]:
        """Give where the beats of each step map are taken: with the row groups that they meet, if they meet any."""
        groups, found = self.dense.rows // fold.pe, []
        for k in range(self.step_maps):
            beats = self.in_shapes[k][2] // fold.pe
            found.append(StepMap(f"step_{k}", fold.pe * self.in_types[k].bits, groups - beats, beats))
        return found

    def _unit(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        times = self.times(fold)
        return {
            "pe": fold.pe,
            "simd": fold.simd,
            "state_bits": self.out_type.bits,
            "beats": self.channels // fold.pe,
            "row_folds": self.dense.rows // fold.pe,
            "column_folds": self.dense.columns // fold.simd,
            "time_steps": self.time_steps,
            "gap": times.gap,
            "pause": times.pause,
            "step_maps": self._step_maps(fold),
            "states": {f"state_{k}": fold.pe * self.in_types[self.step_maps + k].bits for k in range(len(self.states))},
            "depths": times.depths,
            "slots": self._slots(fold),
        }


@dataclass(frozen=True)
class RecurrentFolding:
    """PE divides the channels of all maps of the cell, SIMD the state, and one of them the other."""

    layer: Recurrent

    @property
    def _channels(self) -> list[int]:
        layer = self.layer
        return [shape[2] for shape in layer.in_shapes] + [each.out_shape[2] for each in layer.cell]

    def folds(self) -> Iterator[Fold]:
        """Give every folding that may be the cheapest of its rate."""
        for pe in divisors(int(np.gcd.reduce(self._channels))):
            if not self._suits(pe):
                continue
            for simd in divisors(self.layer.channels):
                if max(pe, simd) == lcm(pe, simd):
                    yield from self.layer.dense.matrix.lane_choices(Fold(pe=pe, simd=simd))

    def _suits(self, pe: int) -> bool:
        """Whether all layers of the cell can take PE channels at once."""
        try:
            for each in self.layer.cell[1:]:
                each.folding.check(fold_in_cell(each, Fold(pe=pe)))
        except OptionError:
            return False
        return True

    def check(self, fold: Fold) -> None:
        """Raise OptionError naming the layer, the illegal value and the nearest legal ones."""
        layer, name = self.layer, self.layer.name
        check_divides("PE", fold.pe, int(np.gcd.reduce(self._channels)), "channels of the cell's maps", name)
        check_divides("SIMD", fold.simd, layer.channels, "codes of the state", name)
        if max(fold.pe, fold.simd) != lcm(fold.pe, fold.simd):
            raise OptionError(f"PE and SIMD must divide one another, not be {fold.pe} and {fold.simd} (layer '{name}')")
        check_slots(fold, name)
        check_no_window(fold, name)
        words = prod(layer.dense.weights.shape) // (fold.pe * fold.simd)
        check_memory(fold, layer.dense.weights, words, name)
        layer.dense.matrix.check_lanes(fold, name)
        for each in layer.cell[1:]:
            each.folding.check(fold_in_cell(each, fold))

    def input_lanes(self, fold: Fold) -> tuple[int, ...]:
        """Give the codes in one beat of each input."""
        return (fold.pe,) * len(self.layer.sources)

    def out_lanes(self, fold: Fold) -> int:
        """Give the codes in one beat of the output."""
        return fold.pe
