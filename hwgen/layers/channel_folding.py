"""The foldings of the layers that take and give channels of a pixel, PE of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hwgen.fold import Fold
from hwgen.layers.legal import check_divides, check_no_columns, check_same_lanes, divisors

__all__ = ["ChannelFolding"]


@dataclass(frozen=True)
class ChannelFolding:
    """A folding for each divisor of the channels; a beat of every input and of the output has PE channels, where nothing else is said.

    Parameters
    ----------
    layer : str
        Its name.
    channels : int
        What PE divides.
    what : str
        What these channels are, for the sentence that refuses another PE.
    inputs : int
        Maps that the layer reads.
    simd : bool
        SIMD is PE, as the layer gives the channels that it takes; False: it is 1, as there are no columns.
    in_lanes, all_out : int or None
        Codes in a beat of each input, or of the output, whatever PE is.
    needs : callable or None
        Refuses foldings for a further reason.
    """

    layer: str
    channels: int
    what: str = "channels"
    inputs: int = 1
    simd: bool = False
    in_lanes: int | None = None
    all_out: int | None = None
    needs: Callable[[Fold], object] | None = None

    def folds(self) -> Iterator[Fold]:
        """Give one folding for each divisor of the channels."""
        return (Fold(pe=pe, simd=pe if self.simd else 1) for pe in divisors(self.channels))

    def check(self, fold: Fold) -> None:
        """Refuse a folding that has no meaning for the layer.

        Raises
        ------
        OptionError
            Naming the layer, the illegal value and the nearest legal ones.
        """
        if self.simd:
            check_same_lanes(fold, self.layer)
        check_divides("PE", fold.pe, self.channels, self.what, self.layer)
        check_no_columns(replace(fold, simd=1) if self.simd else fold, self.layer)
        if self.needs:
            self.needs(fold)

    def input_lanes(self, fold: Fold) -> tuple[int, ...]:
        """Give the codes in one beat of each input."""
        return (self.in_lanes or fold.pe,) * self.inputs

    def out_lanes(self, fold: Fold) -> int:
        """Give the codes in one beat of the output."""
        return self.all_out or fold.pe
