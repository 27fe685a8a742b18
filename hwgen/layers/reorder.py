"""A map whose codes are given in another order, from a memory of a frame or of as much of it as the order mixes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import OptionError
from hwgen.fold import Fold, WindowStyle
from hwgen.layers.legal import check_slots, divisors
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.layers.reading import Reading, reading
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.chain import Chain
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH, Fifo
from hwgen.rtl_templates.windows.reorder_buffer import ReorderBuffer
from hwgen.timing.schedule import Schedule

__all__ = ["Reorder"]

NEAREST = 4
"""Legal foldings that a refusal names."""


@dataclass(frozen=True, eq=False)
class Reorder:
    """Code number n of the output map, in raster order, is code number ``order[n]`` of the input map.

    Any order, and any choice and repetition of codes: tokens for channels, patches, heads, reversals, pixels for channels.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    out_shape : MapShape
    order : ndarray of int64, shape (codes of the output map,)
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    out_shape: MapShape
    order: np.ndarray

    inputs = OneInput()

    @property
    def out_type(self) -> CodeType:
        """Type of the codes, unchanged."""
        return self.in_type

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes (frames, *out_shape) int64."""
        return x.reshape(len(x), -1)[:, self.order].reshape(len(x), *self.out_shape)

    def check(self) -> None:
        """Raise ValueError if the output map is empty, or a place of it has no code of the input map."""
        if min(self.out_shape) < 1 or self.order.shape != (math.prod(self.out_shape),):
            raise ValueError(f"Layer '{self.name}' has an order of {self.order.shape} for a map of {self.out_shape}")
        if self.order.min() < 0 or self.order.max() >= math.prod(self.in_shape):
            raise ValueError(f"Layer '{self.name}' reads codes that a map of {self.in_shape} does not have")

    @property
    def folding(self) -> ReorderFolding:
        """What PE and SIMD may be."""
        return ReorderFolding(self)

    @cached_property
    def _readings(self) -> dict[tuple[int, int], Reading | None]:
        return {}

    def reading(self, pe: int, simd: int) -> Reading | None:
        """Give how beats of PE codes are read from beats of SIMD codes; None if they cannot be read at once."""
        if (pe, simd) not in self._readings:
            self._readings[pe, simd] = reading(self.order, math.prod(self.in_shape), pe, simd)
        return self._readings[pe, simd]

    def _read(self, fold: Fold) -> Reading:
        found = self.reading(fold.pe, fold.simd)
        if found is None:
            raise ValueError(f"Layer '{self.name}' cannot give {fold.pe} codes at once out of beats of {fold.simd}")
        return found

    def capacity(self, fold: Fold) -> int:
        """Give the beats that the memory holds: the fold's choice, or the least that costs no cycle.

        Raises
        ------
        OptionError
            If the choice is not legal.
        """
        found, beats = self._read(fold), fold.buffer_beats
        if beats is None:
            return found.capacity()
        if beats < found.block or beats % found.unit:
            multiple = f", a multiple of {found.unit}" if found.unit > 1 else ""
            raise OptionError(
                f"Layer '{self.name}' needs a buffer of at least {found.block} beats{multiple}, not {beats}"
            )
        return beats

    @property
    def held(self) -> int:
        """Codes that the memory holds if a beat is one."""
        return self.capacity(Fold())

    def timing(self, fold: Fold) -> Schedule:
        """Give a beat a step, once what it is made of has come; a block's last one gives up its room."""
        found, capacity, slots = self._read(fold), self.capacity(fold), fold.slots or FULL_RATE_DEPTH
        needs = found.needs()
        steps = found.blocks * len(needs)
        need = (np.arange(found.blocks)[:, None] * found.block + needs).ravel()
        beats = found.blocks * found.block
        before = np.arange(beats) - capacity
        every = np.arange(steps, dtype=np.int64)
        return Schedule.through(
            steps=steps,
            events=every,
            emit=every,
            latency=Fifo.latency(slots, fold.pe * self.in_type.bits),
            slots=slots,
            need=need,
            room=(before // found.block + 1) * len(needs) - 1,
            read_latency=ReorderBuffer.READ_LATENCY,
        )

    def resources(self, fold: Fold) -> Resources:
        bill = Fifo.bill(f"{self.name}.queue", fold.pe * self.in_type.bits, fold.slots or FULL_RATE_DEPTH)
        bill.include(ReorderBuffer.bill(f"{self.name}.codes", **self._buffer(fold)))
        return bill.resources()

    def component(self, fold: Fold) -> Chain:
        """Give the memory, and a FIFO behind it."""
        queue = Fifo(fold.pe * self.in_type.bits, fold.slots or FULL_RATE_DEPTH)
        return Chain({"buffer": ReorderBuffer(lanes=fold.simd, **self._buffer(fold)), "queue": queue})

    def _buffer(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        found = self._read(fold)
        return {
            "bits": self.in_type.bits,
            "chosen": found.chosen,
            "parts": found.parts,
            "banks": found.banks,
            "spread": found.spread,
            "block": found.block,
            "capacity": self.capacity(fold),
            "reads": found.reads,
        }


@dataclass(frozen=True)
class ReorderFolding:
    """Runs of codes that stay together, as many in a beat of either side; or PE codes that lie evenly apart, out of beats of SIMD codes."""

    layer: Reorder

    def folds(self) -> Iterator[Fold]:
        """Give every legal folding; PE and SIMD are 1, or both are more."""
        taken, given = self.layer.in_shape[2], self.layer.out_shape[2]
        for pe in divisors(given):
            for simd in divisors(taken):
                if (pe == 1) == (simd == 1) and self.layer.reading(pe, simd):
                    yield Fold(pe=pe, simd=simd)

    def check(self, fold: Fold) -> None:
        """Raise OptionError naming the layer, the illegal value and the legal ones."""
        name = self.layer.name
        check_slots(fold, name)
        legal = [(option.pe, option.simd) for option in self.folds()]
        if (fold.pe, fold.simd) not in legal:
            legal.sort(key=lambda lanes: (abs(lanes[0] - fold.pe) + abs(lanes[1] - fold.simd), lanes))
            options = " or ".join(f"{pe} and {simd}" for pe, simd in sorted(legal[:NEAREST]))
            raise OptionError(f"PE and SIMD must be {options}, not {fold.pe} and {fold.simd} (layer '{name}')")
        if fold.window is WindowStyle.PARALLEL:
            raise OptionError(f"Layer '{name}' has no window that could be parallel")
        self.layer.capacity(fold)

    def input_lanes(self, fold: Fold) -> tuple[int, ...]:
        """Give the codes in one beat of each input."""
        return (fold.simd,)

    def out_lanes(self, fold: Fold) -> int:
        """Give the codes in one beat of the output."""
        return fold.pe
