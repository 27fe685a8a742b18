"""BiBench's figures of efficiency and robustness (arXiv 2301.11233, section 3): ratios, and their quadratic means."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.bibench.writer import Counts

__all__ = ["compression", "overall", "relative_gap", "speedup"]

WEIGHT_BITS, PRODUCTS_A_WORD = 32, 64
"""A binary weight takes a 32nd of a float one, a binary product a 64th of a float one, as XNOR and popcount of a processor's word."""


def _ratio(binary: int, real: int, share: int) -> float:
    return (binary + real) / (binary / share + real)


def compression(counts: Counts) -> float:
    """Give ``r_c = |M| / (1/32 (|M| - |M^|) + |M^|)``: all parameters over the binary ones' 32nds and those that stay real."""
    return _ratio(counts.binary_weights, counts.real_weights, WEIGHT_BITS)


def speedup(counts: Counts) -> float:
    """Give ``r_s = FLOPs / (1/64 (FLOPs - FLOPs^) + FLOPs^)``."""
    return _ratio(counts.binary_macs, counts.real_macs, PRODUCTS_A_WORD)


def overall(*ratios: Sequence[float]) -> float:
    """Give an overall metric: the root of the mean square of each kind's mean.

    Parameters
    ----------
    *ratios : sequence of float
        Each kind's ratios: of compression and of speed over all architectures, say.
    """
    return float(np.sqrt(np.mean([np.mean(kind) ** 2 for kind in ratios])))


def relative_gap(clean: float, corrupted: Sequence[float], base_clean: float, base_corrupted: Sequence[float]) -> float:
    """Give a relative corruption error: how much accuracy a corruption costs at all severities, over what it costs a network of reference.

    Hendrycks and Dietterich, *Benchmarking Neural Network Robustness to Common Corruptions and Perturbations*, ICLR 2019, section 4. BiBench's gap is the same
    difference of accuracies, and its ratio the reciprocal.
    """
    return float(np.sum(clean - np.asarray(corrupted)) / np.sum(base_clean - np.asarray(base_corrupted)))
