"""How the groups of a convolution share its lanes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.errors import OptionError
from hwgen.layers.legal import check_divides

__all__ = ["Groups"]


@dataclass(frozen=True)
class Groups:
    """Output and input channels in equal groups of neighbours; a row has weights for the channels of its group.

    The PE rows computed at once are some of one group, or those of several groups. In the second case a beat brings the
    channels of all these groups, so SIMD, what each row takes of a pixel, is all channels of a group.

    Parameters
    ----------
    rows, channels : int
        Of all groups.
    count : int
        Groups; divides both.
    """

    rows: int
    channels: int
    count: int = 1

    @property
    def own_rows(self) -> int:
        """Rows of one group."""
        return self.rows // self.count

    @property
    def own_channels(self) -> int:
        """Channels of one group."""
        return self.channels // self.count

    def at_once(self, pe: int) -> int:
        """Groups computed at once."""
        return max(1, pe // self.own_rows)

    def passes(self, pe: int) -> int:
        """How often a beat is needed: row folds of the groups at once."""
        return max(1, self.own_rows // pe)

    def parts(self, pe: int) -> int:
        """Parts of a pixel that are computed one after the other, each with all taps."""
        return self.count // self.at_once(pe)

    def allow(self, pe: int, simd: int) -> bool:
        """Tell whether lanes fit the groups, given that they divide rows and channels."""
        if self.own_rows % pe == 0:
            return self.own_channels % simd == 0
        return pe % self.own_rows == 0 and simd == self.own_channels

    def check(self, pe: int, simd: int, layer: str) -> None:
        """Refuse lanes that do not fit the groups.

        Raises
        ------
        OptionError
            Naming the layer, the value and legal ones.
        """
        if self.count > 1 and self.own_rows % pe and pe % self.own_rows:
            below = max(d for d in range(1, min(pe, self.own_rows) + 1) if self.own_rows % d == 0)
            nearest = below if pe < self.own_rows else pe // self.own_rows * self.own_rows
            raise OptionError(
                f"PE must divide the {self.own_rows} output channels of a group or be those of whole groups, not {pe} "
                f"(layer '{layer}'): use {nearest}"
            )
        if self.at_once(pe) > 1 and simd != self.own_channels:
            raise OptionError(
                f"SIMD must be the {self.own_channels} input channels of a group, as PE {pe} computes "
                f"{self.at_once(pe)} groups at once, not {simd} (layer '{layer}')"
            )
        what = "input channels" if self.count == 1 else "input channels of a group"
        check_divides("SIMD", simd, self.own_channels, what, layer)

    def reads(self, pe: int, simd: int, taps: int) -> list[list[int]] | None:
        """Give the inputs of a beat that each row takes; None if every row takes all.

        Parameters
        ----------
        pe, simd : int
        taps : int
            Taps that a beat holds, of ``simd`` inputs for each group at once.
        """
        groups = self.at_once(pe)
        if groups == 1:
            return None
        lanes = np.arange(taps * groups * simd).reshape(taps, groups, simd)
        rows: list[list[int]] = [lanes[:, row * groups // pe].ravel().tolist() for row in range(pe)]
        return rows
