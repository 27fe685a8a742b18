"""How a convolution can be folded: in time over its rows and the channels of its window, group by group, or with the whole window at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hwgen.errors import OptionError
from hwgen.fold import Fold, WindowStyle
from hwgen.layers.groups import Groups
from hwgen.layers.legal import check_divides, check_memory, check_slots, divisors
from hwgen.layers.matvec import MatVec

__all__ = ["ConvFolding"]


class _Conv(Protocol):
    """What of a convolution its foldings depend on."""

    @property
    def name(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def columns(self) -> int: ...
    @property
    def weights(self) -> np.ndarray: ...
    @property
    def grouping(self) -> Groups: ...
    @property
    def matrix(self) -> MatVec: ...
    def capacity(self, fold: Fold) -> int: ...


@dataclass(frozen=True)
class ConvFolding:
    """PE divides the rows, SIMD the channels, both of a group; or SIMD is the whole window.

    PE may also be the rows of several groups, and SIMD is then all channels of a group.
    """

    layer: _Conv

    def folds(self) -> Iterator[Fold]:
        """Give every folding that may be the cheapest of its rate."""
        groups, choices = self.layer.grouping, self.layer.matrix.lane_choices
        own = groups.own_channels
        for pe in divisors(self.layer.rows):
            for simd in divisors(own):
                if groups.allow(pe, simd):
                    yield from choices(Fold(pe=pe, simd=simd))
            if groups.allow(pe, own):
                yield from choices(Fold(pe=pe, simd=self.layer.columns, window=WindowStyle.PARALLEL))

    def check(self, fold: Fold) -> None:
        """Raise OptionError naming the layer, the illegal value and the legal ones."""
        layer, name, groups = self.layer, self.layer.name, self.layer.grouping
        check_divides("PE", fold.pe, layer.rows, "output channels", name)
        check_slots(fold, name)
        check_memory(fold, layer.weights, layer.rows // fold.pe * layer.columns // fold.simd, name)
        layer.matrix.check_lanes(fold, name)
        if fold.window is WindowStyle.PARALLEL:
            groups.check(fold.pe, groups.own_channels, name)
            if fold.simd != layer.columns:
                whole = f"the whole window of {layer.columns} inputs, as it is parallel"
                raise OptionError(f"SIMD must be {whole}, not {fold.simd} (layer '{name}')")
            return
        groups.check(fold.pe, fold.simd, name)
        layer.capacity(fold)

    def in_lanes(self, fold: Fold) -> int:
        """Give SIMD channels of a pixel a beat, or all for a parallel window; so many of each group that is computed at once."""
        groups = self.layer.grouping
        own = groups.own_channels if fold.window is WindowStyle.PARALLEL else fold.simd
        return own * groups.at_once(fold.pe)

    def input_lanes(self, fold: Fold) -> tuple[int, ...]:
        """Give the codes in one beat of each input."""
        return (self.in_lanes(fold),)

    def out_lanes(self, fold: Fold) -> int:
        """Give the codes in one beat of the output: PE rows."""
        return fold.pe
