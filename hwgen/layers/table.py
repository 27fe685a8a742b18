"""Any function of one code for each channel, as a table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hwgen.activation import Lookup
from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.channel_folding import ChannelFolding
from hwgen.layers.channelwise import elastic_schedule
from hwgen.layers.legal import check_positions
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.rtl_templates.compute.lookup import LookupUnit
from hwgen.rtl_templates.cost import Resources
from hwgen.timing.schedule import Schedule

__all__ = ["Table"]


@dataclass(frozen=True, eq=False)
class Table:
    """Code = table entry of the class of positions, channel and input code.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    lookup : Lookup
        Covers every code of ``in_type``.
    out_type : CodeType
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    lookup: Lookup
    out_type: CodeType

    inputs = OneInput()

    @property
    def out_shape(self) -> MapShape:
        """Shape of the output map: that of the input."""
        return self.in_shape

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes of the same shape."""
        return self.lookup.values(x)

    def check(self) -> None:
        """Raise ValueError if table, positions and types do not fit one another."""
        height, width, channels = self.in_shape
        table, positions = self.lookup.table, self.lookup.positions
        if table.ndim != 3 or table.shape[:2] != (positions.count, channels):
            raise ValueError(
                f"Layer '{self.name}': the table must have shape ({positions.count} classes, {channels} channels, entries), not {table.shape}"
            )
        check_positions(positions, height, width, self.name)
        high = self.lookup.low + table.shape[2] - 1
        if self.lookup.low > self.in_type.low or high < self.in_type.high:
            raise ValueError(
                f"Layer '{self.name}': the table covers {self.lookup.low}..{high}, but inputs are {self.in_type.low}..{self.in_type.high}"
            )
        if not self.out_type.contains(self.lookup.values(self._all_inputs())):
            raise ValueError(f"Layer '{self.name}': the table holds values that are no {self.out_type} codes")

    @property
    def folding(self) -> ChannelFolding:
        """PE channels a beat."""
        return ChannelFolding(self.name, self.in_shape[2])

    def writable(self, fold: Fold) -> Fold:
        """Give the folding with memories that can be written."""
        return replace(fold, writable=True)

    def timing(self, fold: Fold) -> Schedule:
        """Take and yield a beat a step."""
        width_out = fold.pe * self.out_type.bits
        return elastic_schedule(self.in_shape, fold, width_out=width_out, stages=LookupUnit.PIPELINE)

    def resources(self, fold: Fold) -> Resources:
        return LookupUnit.bill(self.name, **self._unit(fold)).resources()

    def component(self, fold: Fold) -> LookupUnit:
        """Give the lookup unit: one table a lane, addressed by the bits of the code."""
        return LookupUnit(**self._unit(fold))

    def _unit(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        return {
            "lanes": fold.pe,
            "in_bits": self.in_type.bits,
            "out_bits": self.out_type.bits,
            "table": self._by_bits(),
            "rows": self.lookup.positions.rows,
            "columns": self.lookup.positions.columns,
            "style": fold.memory,
            "slots": fold.slots,
            "writable": fold.writable,
        }

    def _by_bits(self) -> np.ndarray:
        """Give the entries as bits, in the order of the inputs' bits: int64 (classes, channels, 2**in_bits)."""
        codes = self._codes()
        table = np.zeros((*self.lookup.table.shape[:2], 1 << self.in_type.bits), dtype=np.int64)
        entries = self.lookup.table[..., codes - self.lookup.low]
        table[..., self.in_type.to_bits(codes).astype(np.int64)] = self.out_type.to_bits(entries).astype(np.int64)
        return table

    def _codes(self) -> np.ndarray:
        """Give every input code."""
        return np.array([-1, 1]) if self.in_type.bipolar else np.arange(self.in_type.low, self.in_type.high + 1)

    def _all_inputs(self) -> np.ndarray:
        """Give a batch of maps, one for each input code."""
        return np.broadcast_to(self._codes()[:, None, None, None], (len(self._codes()), *self.in_shape))
