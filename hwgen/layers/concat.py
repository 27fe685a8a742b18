"""Maps of one size side by side: the channels of one after those of the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.codes import CodeType
from hwgen.layers.protocol import MapShape

__all__ = ["Concat"]


@dataclass(frozen=True)
class Concat:
    """Channels of every source in turn, as codes of one type that holds all of theirs.

    Parameters
    ----------
    name : str
        Name of the layer.
    sources : tuple of str
        The layers or inputs that it reads, at least two; one may be named more than once.
    in_shapes : tuple of MapShape
        Shapes that differ in their channels only.
    in_types : tuple of CodeType
        Type of each map's codes.
    out_type : CodeType
        Holds the codes of every source; numbers stay the same numbers (a bipolar code is -1 or +1).
    """

    name: str
    sources: tuple[str, ...]
    in_shapes: tuple[MapShape, ...]
    in_types: tuple[CodeType, ...]
    out_type: CodeType

    @property
    def out_shape(self) -> MapShape:
        """All channels together."""
        return (*self.in_shapes[0][:2], sum(shape[2] for shape in self.in_shapes))

    def golden(self, *maps: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shapes[n]) int64 of every source to codes (frames, *out_shape) int64."""
        return np.concatenate(maps, axis=-1)

    def check(self) -> None:
        """Raise ValueError with a sentence if the record is inconsistent."""
        counts = {len(self.sources), len(self.in_shapes), len(self.in_types)}
        if len(self.sources) < 2 or len(counts) > 1:
            raise ValueError(
                f"Layer '{self.name}' needs at least two sources, with a shape and a type for each, "
                f"not {len(self.sources)}, {len(self.in_shapes)} and {len(self.in_types)}"
            )
        if len({shape[:2] for shape in self.in_shapes}) > 1:
            sizes = ", ".join(f"{height}x{width}" for height, width, _ in self.in_shapes)
            raise ValueError(f"Layer '{self.name}' needs maps of one size, not {sizes}")
        for source, kind in zip(self.sources, self.in_types, strict=True):
            # 0 lies between -1 and +1, but is no bipolar code.
            if not self.out_type.contains(np.array([kind.low, kind.high])) or (
                self.out_type.bipolar and not kind.bipolar
            ):
                raise ValueError(f"Layer '{self.name}' cannot hold the {kind} codes of '{source}' in {self.out_type}")
