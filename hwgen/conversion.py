"""How real numbers become integers: what a user chooses, and a network keeps; and what became of the file's tensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.errors import OptionError

__all__ = ["MOST_FIXED_BITS", "SIGNS", "Announced", "Conversion", "Trace", "sign_named"]

MOST_FIXED_BITS = 24
"""Bits of a stream of real numbers at most."""

SIGNS = {"plus": 1, "minus": -1}
"""What one bit may take a Sign of 0 as, by name."""


@dataclass(frozen=True)
class Conversion:
    """How real numbers become integers; another model is made alike by the same.

    Parameters
    ----------
    strict : bool
        Refuse a Sign that can see exactly 0, which is a third value or taken as ``sign_at_zero``.
    exact : bool
        Refuse whatever is no exact calculation of integers.
    fixed_bits : int
        Bits of a stream of real numbers.
    weight_bits : int
        Bits of real weights.
    ranges : tuple of (str, float, float)
        Least and greatest value of tensors, from data; a tensor that is not named takes its full reachable range.
    sign_at_zero : int
        What one bit takes a Sign as that can see exactly 0: +1 or -1; 0: three values, as ONNX has it.

    Raises
    ------
    OptionError
        If a number of bits is out of range.
    """

    strict: bool = False
    exact: bool = False
    fixed_bits: int = 16
    weight_bits: int = 8
    ranges: tuple[tuple[str, float, float], ...] = ()
    sign_at_zero: int = 0

    def __post_init__(self) -> None:
        if not 4 <= self.fixed_bits <= MOST_FIXED_BITS:
            raise OptionError(
                f"Streams of real numbers take 4 to {MOST_FIXED_BITS} bits, not {self.fixed_bits} (--fixed-bits)"
            )
        if not 2 <= self.weight_bits <= 16:
            raise OptionError(f"Real weights take 2 to 16 bits, not {self.weight_bits} (--weight-bits)")
        if self.sign_at_zero not in (-1, 0, 1):
            raise OptionError(f"A Sign at zero is taken as -1 or +1, or 0 for three values, not {self.sign_at_zero}")

    def range_of(self, tensor: str) -> tuple[float, float] | None:
        """Give the least and the greatest value of a tensor; None where no data told them."""
        return next(((low, high) for name, low, high in self.ranges if name == tensor), None)


def sign_named(name: str | None) -> int:
    """Read "plus" or "minus"; None is 0.

    Raises
    ------
    OptionError
        If it is neither.
    """
    if name is not None and name not in SIGNS:
        raise OptionError(f"A Sign at zero is 'plus' or 'minus', not '{name}' (--sign-at-zero)")
    return 0 if name is None else SIGNS[name]


@dataclass(frozen=True, eq=False)
class Trace:
    """Where a tensor of the ONNX file is in the network: element ``index`` of a map, worth ``scale[channel] * code + offset[channel]``.

    Parameters
    ----------
    tensor : str
    source : str
        The layer or input that yields the map.
    index : ndarray of int64, shape of the tensor without batch
        Element of the flattened map at each place of the tensor.
    scale, offset : ndarray of float64, shape (channels,)
    """

    tensor: str
    source: str
    index: np.ndarray
    scale: np.ndarray
    offset: np.ndarray

    def values(self, codes: np.ndarray) -> np.ndarray:
        """Give the tensor, frames first, of the map's codes (frames, height, width, channels)."""
        meant = (self.scale * codes + self.offset).reshape(len(codes), -1)
        return np.asarray(meant[:, self.index])

    @property
    def step(self) -> np.ndarray:
        """What one code is worth at each place."""
        return np.abs(np.asarray(self.scale[self.index % len(self.scale)]))


@dataclass(frozen=True)
class Announced:
    """How far the codes of a layer may be from what the ONNX file makes of the same inputs, as a note says in words.

    Parameters
    ----------
    layer : str
        Or an input, whose codes the host rounds.
    codes : float
        Greatest distance in codes, saturation left out of account.
    share : float
        Further distance as a share of the sum of the magnitudes that the layer adds up.
    zero : float
        Code that counts as magnitude 0, as it stands for about 0.
    shift : float
        Further distance of that sum, in its steps, where that code is another in some channels.
    """

    layer: str
    codes: float = 0.0
    share: float = 0.0
    zero: float = 0.0
    shift: float = 0.0
