"""Real numbers that are small multiples of one: what they count is then a matter of integers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

__all__ = ["COMMON", "SMALL", "common_unit"]

COMMON = 1e-9
"""Relative distance within which two numbers have a ratio of small integers."""

SMALL = 1 << 10
"""Largest numerator or denominator of such a ratio."""


def common_unit(numbers: np.ndarray) -> np.ndarray | None:
    """Find for each channel the number of which all numbers are small multiples; None if there is none.

    Parameters
    ----------
    numbers : ndarray of float64, shape (terms, channels)

    Returns
    -------
    ndarray of float64, shape (channels,), or None
    """
    units = np.empty(numbers.shape[1])
    for channel, column in enumerate(numbers.T):
        largest = float(np.max(np.abs(column))) or 1.0
        different = np.unique(column)
        ratios = [Fraction(float(number) / largest).limit_denominator(SMALL) for number in different]
        if any(
            abs(float(ratio) * largest - number) > COMMON * abs(number)
            for ratio, number in zip(ratios, different, strict=True)
        ):
            return None
        denominator = math.lcm(*(ratio.denominator for ratio in ratios))
        if denominator > SMALL:
            return None
        units[channel] = largest / denominator
    return units
