"""The layers whose mapping the resource model is fitted to: a designed sample over kinds, foldings, widths and memories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.layer_kinds import (
    Sample,
    argmax,
    conv,
    dense,
    matmul,
    narrow,
    pad,
    pool,
    register,
    registers,
    reorder,
    table,
    threshold,
    widen,
)
from hwgen.pipeline.stages import LayerStage

__all__ = ["SAMPLES", "UNSEEN"]


def slotted(sample: Sample, slots: int) -> Sample:
    """Give a layer a deeper output FIFO."""
    stage = sample.stage
    assert isinstance(stage, LayerStage)
    return Sample(f"{sample.name} slots{slots}", LayerStage(stage.layer, replace(stage.fold, slots=slots), (0,)))


def _dense() -> Iterator[Sample]:
    yield dense(64, 784, 4, 49)
    yield dense(64, 784, 8, 49, m="b")
    yield dense(64, 784, 1, 98)
    yield dense(64, 64, 4, 4)
    yield dense(64, 64, 8, 16)
    yield dense(64, 64, 2, 64)
    yield dense(256, 256, 8, 32)
    yield dense(256, 256, 1, 1)
    yield dense(256, 256, 1, 16)
    yield dense(32, 64, 16, 64, m="d")
    yield dense(16, 64, 4, 32, m="d")
    yield dense(10, 64, 2, 2, y="score")
    yield dense(10, 64, 10, 8, y="score")
    yield dense(10, 64, 5, 64, y="score", m="d")
    yield dense(10, 256, 1, 4, y="score")
    yield dense(10, 512, 2, 32, y="score", m="b")
    yield dense(16, 32, 16, 32)
    yield dense(8, 64, 8, 64)
    yield dense(64, 128, 4, 32, y="u2")
    yield dense(32, 128, 8, 16, y="u3")
    yield dense(48, 96, 3, 12)
    yield dense(24, 60, 6, 20)
    yield dense(64, 64, 4, 8, x="u2", y="u2")
    yield dense(64, 64, 8, 16, x="u2", y="b")
    yield dense(64, 784, 2, 14, x="u8")
    yield dense(32, 96, 4, 12, x="s8")
    yield dense(16, 64, 2, 4, x="u4", y="u4", words=True)
    yield dense(32, 64, 4, 8, x="t", w="t")
    yield dense(32, 64, 2, 16, x="b", w="t")
    yield dense(32, 64, 4, 4, x="u2", w="t", y="u2", words=True)
    yield dense(32, 64, 2, 4, x="u4", w="w4", y="u4")
    yield dense(16, 64, 2, 2, x="s8", w="w8", y="score")
    yield slotted(dense(64, 64, 16, 8), 24)
    yield slotted(dense(64, 64, 2, 16), 100)


def _conv() -> Iterator[Sample]:
    yield conv(64, (30, 30, 64), 3, 4, 16)
    yield conv(128, (12, 12, 64), 3, 2, 32, m="b")
    yield conv(256, (5, 5, 128), 3, 1, 32)
    yield conv(32, (10, 10, 16), 3, 4, 16, pad=1)
    yield conv(16, (14, 14, 8), 3, 4, 8, pad=1, m="d")
    yield conv(32, (14, 14, 16), 3, 8, 4, stride=2, pad=1)
    yield conv(32, (1, 62, 24), 5, 8, 24, pad=2)
    yield conv(16, (28, 28, 1), 3, 4, 1, x="u8", words=True)
    yield conv(16, (32, 32, 3), 3, 4, 3, x="u8", words=True)
    yield conv(64, (32, 32, 3), 3, 8, 3, x="s8", pad=1, words=True)
    yield conv(16, (1, 128, 6), 5, 2, 6, x="s8")
    yield conv(10, (8, 8, 16), 1, 2, 8, y="score")
    yield conv(16, (16, 16, 8), 3, 2, 8, x="u2", w="t", y="u2", pad=1)
    yield conv(16, (12, 12, 4), 3, 2, 2, x="u4", w="w4", y="u4")
    yield conv(16, (28, 28, 1), 3, 4, 9, x="u8", parallel=True)
    yield conv(16, (14, 14, 8), 3, 2, 72, parallel=True)
    yield conv(32, (10, 10, 16), 3, 4, 144, parallel=True, pad=1)
    yield conv(16, (1, 125, 16), 5, 4, 80, parallel=True)
    yield conv(16, (16, 16, 4), 3, 2, 36, x="u2", y="u2", parallel=True, pad=1, m="d")
    yield conv(8, (8, 8, 2), 3, 8, 18, parallel=True)


def _others() -> Iterator[Sample]:
    yield pool((28, 28, 64), 2, 16)
    yield pool((10, 10, 128), 2, 4, mixed=True)
    yield pool((1, 120, 16), 2, 2)
    yield pool((24, 24, 16), 2, 16, "u2")
    yield pool((12, 12, 16), 3, 4, "u8")
    yield pool((12, 12, 8), 2, 8, "s8", mixed=True)
    yield pad((14, 14, 16), 16)
    yield pad((28, 28, 4), 4, "u8")
    yield pad((10, 10, 64), 8, "u2")
    yield threshold(16, 4, "u8", "b")
    yield threshold(32, 8, "s8", "u2", mixed=True)
    yield threshold(6, 6, "u8", "u2", "d")
    yield threshold(32, 4, "s12", "b", "d", mixed=True)
    yield table(16, 4, "u4", "u4")
    yield table(8, 2, "u8", "u2")
    yield table(32, 8, "u2", "u3", "d")
    yield table(16, 4, "u8", "u4", "b")
    yield argmax(10, 1, "s12")
    yield argmax(10, 2, "s8")
    yield argmax(10, 10, "s8")
    yield widen(4, 8)
    yield widen(1, 49)
    yield widen(64, 4)
    yield widen(16, 9)
    yield narrow(4, 8)
    yield narrow(1, 49)
    yield narrow(64, 4)
    yield narrow(16, 9)
    yield register(49)
    yield register(196)


def _control() -> Iterator[Sample]:
    yield registers(1, 0)
    yield registers(3, 1)
    yield registers(4, 4)
    yield registers(9, 0)
    yield registers(9, 9)
    yield registers(18, 6)


def _whole() -> Iterator[Sample]:
    """Layers that compute everything at once, so that rows share sums."""
    yield dense(32, 64, 32, 64)
    yield dense(24, 32, 24, 32)
    yield dense(10, 64, 10, 64, y="score")


def _networks() -> Iterator[Sample]:
    """Layers of the networks in ``examples`` as ``--board`` folds them, and the units between them."""
    yield dense(64, 784, 16, 16)
    yield dense(64, 64, 2, 16)
    yield dense(10, 64, 1, 4, y="score", m="d")
    yield dense(7, 64, 1, 4, y="score")
    yield dense(64, 128, 1, 4, m="b")
    yield dense(10, 512, 1, 4, y="score")
    yield dense(10, 512, 1, 32, y="score")
    yield dense(64, 512, 2, 32)
    yield dense(10, 64, 1, 8, y="score", m="d")
    yield dense(10, 384, 2, 6, x="u4", w="w8", y="score")
    yield dense(10, 512, 1, 1, x="t", w="t", y="score", m="b", words=True)
    yield conv(16, (1, 128, 6), 5, 4, 6, x="u8")
    yield conv(24, (1, 62, 16), 5, 3, 16, m="b")
    yield conv(32, (1, 29, 24), 5, 2, 24)
    yield conv(32, (1, 12, 32), 5, 2, 16)
    yield conv(16, (28, 28, 1), 3, 16, 9, x="u8", parallel=True)
    yield conv(16, (14, 14, 1), 3, 2, 9, x="u8", m="b", parallel=True)
    yield conv(16, (12, 12, 16), 3, 2, 144, parallel=True)
    yield conv(32, (6, 6, 16), 3, 4, 16, m="b")
    yield conv(16, (14, 14, 1), 3, 1, 9, x="u8", w="w8", y="t", m="b", parallel=True)
    yield conv(16, (12, 12, 16), 3, 8, 16, x="t", w="t", y="t")
    yield conv(24, (6, 6, 16), 3, 1, 4, x="u4", w="w4", y="u4")
    yield conv(12, (14, 14, 12), 3, 3, 108, y="score", parallel=True, pad=1)
    yield pool((1, 124, 16), 2, 4)
    yield pool((12, 12, 16), 2, 4)
    yield pool((12, 12, 16), 2, 16, parallel=True)
    yield pool((12, 12, 16), 2, 4, "u4")
    yield pool((12, 12, 16), 2, 2, "t")
    yield pool((12, 12, 4), 2, 4, "u4", parallel=True)
    yield pad((8, 8, 32), 8)
    yield pad((16, 16, 3), 3, "u8")
    yield pad((1, 64, 16), 4)
    yield threshold(12, 3, "s19", "b")
    yield threshold(24, 2, "s16", "u2")
    yield threshold(16, 8, "s8", "u3")
    yield threshold(64, 16, "s12", "b")
    yield table(24, 2, "u4", "u4")
    yield table(8, 8, "u4", "u2")
    yield table(64, 4, "u3", "u3", "d")
    yield argmax(10, 1, "s8")
    yield argmax(10, 5, "s12")
    yield argmax(100, 4, "s16")
    yield widen(2, 8)
    yield widen(1, 24)
    yield widen(36, 6)
    yield narrow(4, 4)
    yield narrow(19, 3)
    yield register(8)
    yield register(16)


def _reorders() -> Iterator[Sample]:
    yield reorder("tokens", (1, 64, 32), 1, 1)
    yield reorder("tokens", (1, 64, 32), 8, 8)
    yield reorder("tokens", (7, 7, 24), 7, 4, "u4")
    yield reorder("patches", (16, 16, 8), 8, 8, "u4")
    yield reorder("space", (12, 12, 16), 2, 8, "u2")
    yield reorder("turned", (6, 20, 16), 16, 16)
    yield reorder("mixed", (1, 16, 16), 1, 1, "u2")
    yield reorder("mixed", (4, 6, 2), 1, 1, "u8")


def _later() -> Iterator[Sample]:
    """Layers mapped when the bills were finished, to see how far these are from what nobody had looked at."""
    yield dense(64, 128, 2, 16)
    yield dense(48, 96, 1, 3)
    yield dense(10, 48, 1, 1, x="b", w="w8", y="score")
    yield dense(24, 64, 3, 8)
    yield dense(10, 64, 2, 8, y="score", m="d")
    yield dense(12, 48, 12, 48)
    yield dense(40, 80, 4, 10, x="u2", w="t", y="u2")
    yield conv(64, (1, 64, 32), 1, 2, 32, parallel=True)
    yield conv(24, (9, 9, 12), 3, 3, 108, parallel=True)
    yield conv(16, (26, 26, 8), 3, 2, 8)
    yield conv(8, (16, 16, 3), 3, 4, 3, x="u8", pad=1, words=True)
    yield conv(20, (1, 40, 10), 7, 2, 10, y="u2", pad=3)
    yield pool((1, 58, 24), 2, 3)
    yield pool((13, 13, 8), 3, 8, "u2")
    yield pad((10, 10, 8), 4, "u2")
    yield threshold(20, 4, "s8", "u2", "d")
    yield table(12, 3, "u4", "u3")
    yield argmax(16, 4, "s8")
    yield widen(3, 8)
    yield widen(8, 3)
    yield narrow(6, 5)
    yield register(24)


def _products() -> Iterator[Sample]:
    """Products of two maps."""
    yield matmul(32, 1, 16, 64, 4, 16)
    yield matmul(64, 2, 64, 32, 8, 32)
    yield matmul(16, 2, 16, 32, 16, 8, y="score")
    yield matmul(64, 2, 32, 64, 8, 16, x="u1", by_rows=False)
    yield matmul(32, 1, 64, 32, 4, 32, x="u1", y="score", by_rows=False)
    yield matmul(16, 1, 3, 3, 3, 3, y="score", by_rows=False)
    yield matmul(32, 1, 32, 64, 4, 8, x="u4", w="b", y="u4", by_rows=False)
    yield matmul(32, 2, 32, 32, 4, 8, x="b", w="u2")
    yield matmul(32, 1, 32, 48, 2, 12, x="t", w="t", y="u2")
    yield matmul(16, 2, 16, 16, 2, 4, x="u4", w="s8", y="score", words=True)


SAMPLES: tuple[Sample, ...] = (
    *_dense(),
    *_conv(),
    *_others(),
    *_control(),
    *_whole(),
    *_networks(),
    *_later(),
    *_products(),
)
"""In the order in which they are recorded; names are unique."""

UNSEEN: tuple[Sample, ...] = tuple(_reorders())
"""Recorded behind them: they hold the bills of later units to what is mapped, and the prices are fitted without them."""
