"""Embedding: each symbol of a map is replaced by its vector of codes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.channel_folding import ChannelFolding
from hwgen.layers.matvec import pack_words
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.rtl_templates.compute.embedding import EmbeddingUnit
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.output_queue import OutputQueue
from hwgen.timing.schedule import Schedule

__all__ = ["Embedding"]


@dataclass(frozen=True, eq=False)
class Embedding:
    """Vector of codes = row of the table that the symbol numbers.

    Parameters
    ----------
    name, source : str
        Name of the layer and of the layer or input that it reads.
    in_shape : MapShape
        (height, width, 1): a symbol at each position.
    in_type : CodeType
        Symbols from 0 on; no more than the table has rows.
    table : ndarray of int64, shape (entries, dimensions)
        Codes of ``out_type``.
    out_type : CodeType
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    table: np.ndarray
    out_type: CodeType

    inputs = OneInput()

    @property
    def out_shape(self) -> MapShape:
        """Shape of the output map: a vector at each position."""
        return (*self.in_shape[:2], int(self.table.shape[1]))

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map symbols (frames, height, width, 1) int64 to codes (frames, height, width, dimensions) int64."""
        return np.asarray(self.table[x[..., 0]], dtype=np.int64)

    def check(self) -> None:
        """Raise ValueError with a sentence if the record is inconsistent."""
        if self.in_shape[2] != 1:
            raise ValueError(f"Layer '{self.name}' takes one symbol at each position, not {self.in_shape[2]}")
        if self.table.ndim != 2 or 0 in self.table.shape:
            raise ValueError(
                f"Layer '{self.name}' needs a table of shape (entries, dimensions), not {self.table.shape}"
            )
        if self.in_type.low < 0 or self.in_type.high >= len(self.table):
            raise ValueError(
                f"Layer '{self.name}' has a table of {len(self.table)} entries, but symbols are "
                f"{self.in_type.low}..{self.in_type.high}"
            )
        if not self.out_type.contains(self.table):
            raise ValueError(f"Layer '{self.name}': the table holds values that are no {self.out_type} codes")

    @property
    def folding(self) -> ChannelFolding:
        """One symbol a beat, and PE of its dimensions."""
        return ChannelFolding(self.name, self.out_shape[2], in_lanes=1)

    def writable(self, fold: Fold) -> Fold:
        """Give the folding with memories that can be written."""
        return replace(fold, writable=True)

    def timing(self, fold: Fold) -> Schedule:
        """Take a symbol with the first of its steps; each step yields a beat."""
        steps = np.arange(prod(self.out_shape) // fold.pe, dtype=np.int64)
        width = fold.pe * self.out_type.bits
        slots = OutputQueue.least_slots(width, EmbeddingUnit.PIPELINE) if fold.slots is None else fold.slots
        return Schedule.through(
            len(steps),
            events=steps,
            accept=steps[:: self.out_shape[2] // fold.pe],
            emit=steps,
            latency=EmbeddingUnit.PIPELINE + OutputQueue.latency(width, slots),
            slots=slots,
        )

    def resources(self, fold: Fold) -> Resources:
        return EmbeddingUnit.bill(
            self.name, words=self._fields(fold), bits=self.out_type.bits, **self._unit(fold)
        ).resources()

    def component(self, fold: Fold) -> EmbeddingUnit:
        """Give the unit that reads the table."""
        words = pack_words(self._fields(fold), self.out_type.bits, 1, fold.pe)
        return EmbeddingUnit(words=words, width=fold.pe * self.out_type.bits, **self._unit(fold))

    def _unit(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        return {
            "in_bits": self.in_type.bits,
            "entries": len(self.table),
            "style": fold.memory,
            "slots": fold.slots,
            "writable": fold.writable,
        }

    def _fields(self, fold: Fold) -> np.ndarray:
        """Give the table as bits, int64 (words, PE): the first PE dimensions of all symbols, then the next."""
        fields = self.out_type.to_bits(self.table).astype(np.int64)
        return fields.reshape(len(fields), -1, fold.pe).swapaxes(0, 1).reshape(-1, fold.pe)
