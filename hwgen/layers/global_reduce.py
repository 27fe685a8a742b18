"""One number for a whole map, channel by channel: its sum, its greatest or its smallest code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from amaranth import signed, unsigned

from hwgen.codes import CodeType
from hwgen.fold import Fold, MemoryStyle
from hwgen.layers.costs import MemoryShape, Part, Resources
from hwgen.layers.legal import check_divides, check_same_lanes, check_slots, divisors
from hwgen.layers.parts import Bill
from hwgen.layers.protocol import MapShape
from hwgen.rtl_templates.compute.global_reduce import RING_GROUPS, GlobalReduceUnit, Reduction
from hwgen.rtl_templates.compute.storage import suits_block_ram
from hwgen.rtl_templates.streams.output_queue import OutputQueue
from hwgen.timing.schedule import Schedule

__all__ = ["GlobalReduce", "Reduction"]


@dataclass(frozen=True)
class GlobalReduce:
    """Code = sum, maximum or minimum of the channel over the map.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    operation : Reduction
    out_type : CodeType
        Holds every sum; that of the input for a maximum or minimum.
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    operation: Reduction
    out_type: CodeType

    @property
    def sources(self) -> tuple[str, ...]:
        """The one map that it reads."""
        return (self.source,)

    @property
    def out_shape(self) -> MapShape:
        """A single pixel."""
        return (1, 1, self.in_shape[2])

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, height, width, channels) int64 to codes (frames, 1, 1, channels)."""
        reduce: np.ufunc = {Reduction.SUM: np.add, Reduction.MAX: np.maximum, Reduction.MIN: np.minimum}[self.operation]
        return np.asarray(reduce.reduce(x, axis=(1, 2), keepdims=True))

    def check(self) -> None:
        """Raise ValueError if the map is empty or a result is no output code."""
        if min(self.in_shape) < 1:
            raise ValueError(f"Layer '{self.name}': the map {self.in_shape} is empty")
        if self.operation is not Reduction.SUM:
            if self.out_type != self.in_type:
                raise ValueError(
                    f"Layer '{self.name}' yields codes of its input's type {self.in_type}, not {self.out_type}"
                )
            return
        pixels = self.in_shape[0] * self.in_shape[1]
        low, high = pixels * self.in_type.low, pixels * self.in_type.high
        if self.out_type.bipolar or self.out_type.low > low or self.out_type.high < high:
            raise ValueError(f"Layer '{self.name}' yields sums {low}..{high}, which do not fit {self.out_type}")

    def folds(self) -> Iterator[Fold]:
        """Every legal folding: as many output as input lanes, a divisor of the channels."""
        return (Fold(pe=lanes, simd=lanes) for lanes in divisors(self.in_shape[2]))

    def check_fold(self, fold: Fold) -> None:
        """Raise OptionError naming the layer, the illegal value and the legal ones."""
        check_same_lanes(fold, self.name)
        check_divides("PE", fold.pe, self.in_shape[2], "channels", self.name)
        check_slots(fold, self.name)

    @property
    def _pixels(self) -> int:
        return self.in_shape[0] * self.in_shape[1]

    def _groups(self, fold: Fold) -> int:
        """Beats of a pixel."""
        return self.in_shape[2] // fold.simd

    def _slots(self, fold: Fold) -> int:
        """Depth of the output FIFO: the fold's choice, or the least that costs no cycle."""
        width = fold.pe * self.out_type.bits
        return fold.slots or GlobalReduceUnit.least_slots(width, self._groups(fold), self._pixels)

    def cycles(self, fold: Fold) -> int:
        """Input beats of a frame."""
        return self._pixels * self._groups(fold)

    def in_lanes(self, fold: Fold) -> int:
        """SIMD channels a beat."""
        return fold.simd

    def out_lanes(self, fold: Fold) -> int:
        """The same."""
        return fold.pe

    def timing(self, fold: Fold) -> Schedule:
        """Take a beat a step; those of the last pixel yield one each."""
        groups, slots = self._groups(fold), self._slots(fold)
        beats = np.arange(self._pixels * groups, dtype=np.int64)
        latency = GlobalReduceUnit.pipeline(groups) + OutputQueue.latency(fold.pe * self.out_type.bits, slots)
        return Schedule(cycles=len(beats), step=beats, accept=beats, emit=beats[-groups:], latency=latency, slots=slots)

    def resources(self, fold: Fold) -> Resources:
        bill, groups, lanes, bits = Bill(), self._groups(fold), fold.pe, self.in_type.bits
        width = lanes * self.out_type.bits
        bill.queue(f"{self.name}.queue", width, self._slots(fold))
        for count in (groups, self._pixels):
            bill.loop(count)
        if self.operation is Reduction.SUM:
            bill.add(Part.OTHER, width)
        else:
            bill.rank(self.in_type.bits, lanes, signed=self.in_type.signed)
            bill.add(Part.OTHER, 1.5 * lanes * bits)
        if groups <= RING_GROUPS:
            bill.register(groups * width)
            return bill.resources()
        style = MemoryStyle.BLOCK if suits_block_ram(groups, width) else MemoryStyle.DISTRIBUTED
        bill.memories.append(MemoryShape(f"{self.name}.results", groups, width, style))
        bill.add(Part.OTHER, width + 12)
        bill.register(2 * width + lanes * bits + 2 * (groups - 1).bit_length() + 5)
        bill.counter(groups)
        return bill.resources()

    def component(self, fold: Fold) -> GlobalReduceUnit:
        """Give the unit that reduces; bits of bipolar codes rank as the codes do."""
        in_type, out_type = self.in_type, self.out_type
        return GlobalReduceUnit(
            lanes=fold.simd,
            shape=signed(in_type.bits) if in_type.signed else unsigned(in_type.bits),
            groups=self._groups(fold),
            pixels=self._pixels,
            reduction=self.operation,
            result=signed(out_type.bits) if out_type.signed else unsigned(out_type.bits),
            bipolar=in_type.bipolar,
            slots=self._slots(fold),
        )
