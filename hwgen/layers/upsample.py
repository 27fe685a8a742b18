"""Every pixel many times: nearest-neighbour upsampling, and a single pixel spread over a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.channel_folding import ChannelFolding
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.chain import Chain
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH, Fifo
from hwgen.rtl_templates.windows.row_repeater import RowRepeater
from hwgen.timing.schedule import Schedule

__all__ = ["Upsample"]


@dataclass(frozen=True)
class _Rows:
    """Repetition in the hardware's terms: rows of ``columns`` pixels of ``words`` words.

    A map whose rows are not repeated is one of rows of a single pixel, and a single pixel is repeated as a row.
    """

    rows: int
    columns: int
    words: int
    row_repeats: int
    pixel_repeats: int

    @classmethod
    def of(cls, shape: MapShape, factors: tuple[int, int], words: int) -> _Rows:
        height, width, _ = shape
        if factors[0] == 1 or width == 1:
            return cls(height * width, 1, words, factors[0] * factors[1], 1)
        return cls(height, width, words, *factors)

    @property
    def words_a_row(self) -> int:
        return self.columns * self.words

    @property
    def steps_a_row(self) -> int:
        return self.words_a_row * self.pixel_repeats * self.row_repeats

    def first_steps(self) -> np.ndarray:
        """Give the step of a row in which each of its words is given for the first time."""
        column, word = np.divmod(np.arange(self.words_a_row), self.words)
        return column * self.pixel_repeats * self.words + word

    def last_steps(self) -> np.ndarray:
        """Give the step in which each word is given for the last time."""
        passes = self.steps_a_row - self.words_a_row * self.pixel_repeats
        return passes + (self.pixel_repeats - 1) * self.words + self.first_steps()

    def keeps_up(self, capacity: int) -> bool:
        """Tell whether no word is late that is taken as early as a memory of ``capacity`` words has room."""
        row, word = np.divmod(np.arange(self.words_a_row) + capacity, self.words_a_row)
        needed = row * self.steps_a_row + self.first_steps()[word]
        return bool(np.all(self.last_steps() + 1 + RowRepeater.READ_LATENCY <= needed))

    def capacity(self) -> int:
        """Give the words that keep the unit at full rate, whether these come evenly or as early as there is room.

        Words that come evenly are ``row_repeats * pixel_repeats`` cycles apart. A row's first pass starts so late that its last word
        is just in time, and all the while until its last pass words of the next row come in.
        """
        apart, words = self.row_repeats * self.pixel_repeats, self.words
        start = apart * (self.words_a_row - 1) + RowRepeater.READ_LATENCY - int(self.first_steps()[-1])
        even = -(-(start + int(self.last_steps()[0]) + 1) // apart)
        least = max(words * self.columns, even)
        while not self.keeps_up(least):
            least += 1
        return least


@dataclass(frozen=True)
class Upsample:
    """Code = code of the pixel at (row // vertical factor, column // horizontal factor).

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    factors : tuple of int
        How often each row and each pixel of a row is given.
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    factors: tuple[int, int]

    inputs = OneInput()

    @property
    def out_shape(self) -> MapShape:
        """Shape of the enlarged map."""
        height, width, channels = self.in_shape
        return (height * self.factors[0], width * self.factors[1], channels)

    @property
    def out_type(self) -> CodeType:
        """Type of the codes, unchanged."""
        return self.in_type

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes (frames, *out_shape) int64."""
        height, width, _ = self.out_shape
        rows, columns = np.arange(height) // self.factors[0], np.arange(width) // self.factors[1]
        return x[:, rows[:, None], columns[None, :]]

    def check(self) -> None:
        """Raise ValueError if a factor is not positive."""
        if min(self.factors) < 1:
            raise ValueError(f"Layer '{self.name}' can only repeat rows and columns, not {self.factors} times")

    @property
    def folding(self) -> ChannelFolding:
        """PE channels a beat, in and out; the row memory holds a row."""
        return ChannelFolding(self.name, self.in_shape[2], simd=True, needs=self._capacity)

    def _rows(self, fold: Fold) -> _Rows:
        return _Rows.of(self.in_shape, self.factors, self.in_shape[2] // fold.simd)

    def _capacity(self, fold: Fold) -> int:
        """Give the words of the row memory: the fold's choice, or the least that costs no cycle."""
        rows = self._rows(fold)
        if fold.buffer_beats is None:
            return rows.capacity()
        if fold.buffer_beats < rows.words_a_row:
            raise OptionError(
                f"Layer '{self.name}' needs a buffer of at least {rows.words_a_row} beats, not {fold.buffer_beats}"
            )
        return fold.buffer_beats

    def timing(self, fold: Fold) -> Schedule:
        """Yield a beat a step; those of a row's first pass wait for their words."""
        rows, capacity, slots = self._rows(fold), self._capacity(fold), fold.slots or FULL_RATE_DEPTH
        starts = np.arange(rows.rows)[:, None] * rows.steps_a_row
        first, last = ((starts + steps).ravel() for steps in (rows.first_steps(), rows.last_steps()))
        events, beats = rows.rows * rows.steps_a_row, len(first)
        need = np.full(events, -1)
        need[first] = np.arange(beats)
        frame, word = np.divmod(np.arange(beats) - capacity, beats)
        steps = np.arange(events, dtype=np.int64)
        return Schedule.through(
            steps=events,
            events=steps,
            emit=steps,
            latency=Fifo.latency(slots, fold.pe * self.in_type.bits),
            slots=slots,
            need=need,
            room=frame * events + last[word],
            read_latency=RowRepeater.READ_LATENCY,
        )

    def resources(self, fold: Fold) -> Resources:
        bill = Fifo.bill(f"{self.name}.queue", fold.simd * self.in_type.bits, fold.slots or FULL_RATE_DEPTH)
        bill.include(RowRepeater.bill(f"{self.name}.row", **self._repeater(fold)))
        return bill.resources()

    def component(self, fold: Fold) -> Chain:
        """Give the unit that replays a row, and a FIFO behind it."""
        queue = Fifo(fold.simd * self.in_type.bits, fold.slots or FULL_RATE_DEPTH)
        return Chain({"repeater": RowRepeater(**self._repeater(fold)), "queue": queue})

    def _repeater(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        rows = self._rows(fold)
        return {
            "width": fold.simd * self.in_type.bits,
            "words": rows.words,
            "columns": rows.columns,
            "pixel_repeats": rows.pixel_repeats,
            "row_repeats": rows.row_repeats,
            "capacity": self._capacity(fold),
        }
