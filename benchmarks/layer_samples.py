"""The layers whose mapping the resource model is fitted to: a designed sample over kinds, foldings, widths and memories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from amaranth.lib import wiring

from hwgen.activation import Lookup, Positions, Thresholds
from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned
from hwgen.fold import Fold, LaneStyle, MemoryStyle, WindowStyle
from hwgen.layers.argmax import ArgMax
from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from hwgen.layers.matmul import MatMul
from hwgen.layers.matvec import accumulator_range
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.pad import Pad
from hwgen.layers.protocol import Layer
from hwgen.layers.reorder import Reorder
from hwgen.layers.table import Table
from hwgen.layers.thresholding import Thresholding
from hwgen.layers.window import Window
from hwgen.pipeline.glue import InputRegister, Narrow, Widen
from hwgen.pipeline.stages import LayerStage
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.registers.control import Control
from hwgen.rtl_templates.registers.registers import RegisterMap
from hwgen.rtl_templates.registers.write_bus import Contents

__all__ = ["SAMPLES", "UNSEEN", "Sample"]

TYPES: Mapping[str, CodeType] = {
    "b": BIPOLAR,
    "t": TERNARY,
    "u1": unsigned(1),
    "u2": unsigned(2),
    "u3": unsigned(3),
    "u4": unsigned(4),
    "u8": unsigned(8),
    "s8": signed(8),
    "s12": signed(12),
    "s16": signed(16),
    "s19": signed(19),
}


class Mapped(Protocol):
    """What is mapped and priced: a stage, or what stands beside the stages."""

    def component(self) -> wiring.Component: ...
    def resources(self) -> Resources: ...


STYLES = {"a": MemoryStyle.AUTO, "b": MemoryStyle.BLOCK, "d": MemoryStyle.DISTRIBUTED}


@dataclass(frozen=True)
class Sample:
    """One stage to map.

    Parameters
    ----------
    name : str
        What the record calls it: everything that it is made of.
    stage : Mapped
    """

    name: str
    stage: Mapped


def _weights(random: np.random.Generator, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """Draw weights: "b" +-1, "t" ternary, "w4" 4 bits, "w8" 8 bits."""
    if kind == "b":
        return random.choice(np.array([-1, 1]), shape)
    low, high = {"t": (-1, 1), "w4": (-8, 7), "w8": (-128, 127)}[kind]
    return random.integers(low, high, size=shape, endpoint=True)


def _levels(random: np.random.Generator, low: np.ndarray, high: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Draw levels around the middle of the accumulators, as a trained network has them."""
    middle, spread = float(np.mean(low + high)) / 2, float(np.mean(high - low)) / 8 + 1
    return np.sort(np.rint(random.normal(middle, spread, shape)).astype(np.int64), axis=-1)


def _matrix(layer: Dense | Conv, random: np.random.Generator, out: str) -> Layer:
    """Give a layer without activation its thresholds, or the range of its scores."""
    low, high = (
        accumulator_range(layer.weights, layer.in_type) if isinstance(layer, Dense) else layer.accumulator_range()
    )
    fields = {name: getattr(layer, name) for name in layer.__dataclass_fields__}
    if out == "score":
        return type(layer)(**{**fields, "out_type": CodeType(int(low.min()), int(high.max()))})
    kind = TYPES[out]
    shape = (1, layer.rows, kind.levels - 1)
    thresholds = Thresholds(_levels(random, low, high, shape), Positions.uniform(*layer.out_shape[:2]))
    return type(layer)(**{**fields, "thresholds": thresholds, "out_type": kind})


def dense(
    rows: int,
    columns: int,
    pe: int,
    simd: int,
    x: str = "b",
    w: str = "b",
    y: str = "b",
    m: str = "a",
    *,
    words: bool = False,
) -> Sample:
    random = np.random.default_rng([rows, columns, pe, simd])
    bare = Dense("layer", "x", (1, 1, columns), TYPES[x], _weights(random, w, (rows, columns)), None, BIPOLAR)
    fold = Fold(pe=pe, simd=simd, memory=STYLES[m], lanes=_lanes(words))
    return Sample(
        f"dense {rows}x{columns} {x}{w}{y} {pe}x{simd} {m}{' words' * words}",
        LayerStage(_matrix(bare, random, y), fold, (0,)),
    )


def _lanes(words: bool) -> LaneStyle:
    return LaneStyle.WORDS if words else LaneStyle.AUTO


def conv(
    rows: int,
    shape: tuple[int, int, int],
    kernel: int,
    pe: int,
    simd: int,
    x: str = "b",
    w: str = "b",
    y: str = "b",
    m: str = "a",
    *,
    pad: int = 0,
    stride: int = 1,
    parallel: bool = False,
    words: bool = False,
) -> Sample:
    random = np.random.default_rng([rows, *shape, kernel, pe, simd])
    window = Window(
        (kernel if shape[0] > 1 else 1, kernel),
        (stride if shape[0] > 1 else 1, stride),
        pads=(pad if shape[0] > 1 else 0, pad) * 2,
    )
    weights = _weights(random, w, (rows, *window.kernel, shape[2]))
    bare = Conv("layer", "x", shape, TYPES[x], weights, window, 0, None, BIPOLAR)
    style = WindowStyle.PARALLEL if parallel else WindowStyle.SEQUENTIAL
    simd = bare.columns if parallel else simd
    fold = Fold(pe=pe, simd=simd, memory=STYLES[m], window=style, lanes=_lanes(words))
    maps = "x".join(map(str, shape))
    name = f"conv {rows}x{kernel} of {maps} {x}{w}{y} {pe}x{fold.simd} {m} pad{pad} stride{stride} {style.value}{' words' * words}"
    return Sample(name, LayerStage(_matrix(bare, random, y), fold, (0,)))


def pool(
    shape: tuple[int, int, int], kernel: int, lanes: int, x: str = "b", *, mixed: bool = False, parallel: bool = False
) -> Sample:
    random = np.random.default_rng([*shape, kernel, lanes])
    minimum = tuple(bool(flag) for flag in random.integers(0, 2, shape[2])) if mixed else (False,) * shape[2]
    rows = kernel if shape[0] > 1 else 1
    layer = MaxPool("layer", "x", shape, TYPES[x], Window((rows, kernel), (rows, kernel)), minimum)
    name = f"pool {kernel} of {'x'.join(map(str, shape))} {x} {lanes}{' mixed' if mixed else ''}{' parallel' if parallel else ''}"
    style = WindowStyle.PARALLEL if parallel else WindowStyle.SEQUENTIAL
    return Sample(name, LayerStage(layer, Fold(pe=lanes, simd=lanes, window=style), (0,)))


def pad(shape: tuple[int, int, int], lanes: int, x: str = "b") -> Sample:
    layer = Pad("layer", "x", shape, TYPES[x], (1, 1, 1, 1), TYPES[x].low)
    return Sample(
        f"pad of {'x'.join(map(str, shape))} {x} {lanes}", LayerStage(layer, Fold(pe=lanes, simd=lanes), (0,))
    )


def threshold(channels: int, lanes: int, x: str, y: str, m: str = "a", *, mixed: bool = False) -> Sample:
    random = np.random.default_rng([channels, lanes])
    kind, out, shape = TYPES[x], TYPES[y], (4, 4, channels)
    levels = np.sort(random.integers(kind.low, kind.high + 1, (1, channels, out.levels - 1)), axis=-1)
    negate = tuple(bool(flag) for flag in random.integers(0, 2, channels)) if mixed else (False,) * channels
    layer = Thresholding("layer", "x", shape, kind, Thresholds(levels, Positions.uniform(4, 4)), negate, out)
    name = f"threshold {channels} {x}{y} {lanes} {m}{' mixed' if mixed else ''}"
    return Sample(name, LayerStage(layer, Fold(pe=lanes, memory=STYLES[m]), (0,)))


def table(channels: int, lanes: int, x: str, y: str, m: str = "a") -> Sample:
    random = np.random.default_rng([channels, lanes])
    kind, out, shape = TYPES[x], TYPES[y], (4, 4, channels)
    entries = random.integers(out.low, out.high + 1, (1, channels, kind.high - kind.low + 1))
    layer = Table("layer", "x", shape, kind, Lookup(entries, kind.low, Positions.uniform(4, 4)), out)
    return Sample(f"table {channels} {x}{y} {lanes} {m}", LayerStage(layer, Fold(pe=lanes, memory=STYLES[m]), (0,)))


def argmax(channels: int, lanes: int, x: str) -> Sample:
    return Sample(
        f"argmax {channels} {x} {lanes}",
        LayerStage(ArgMax("layer", "x", (1, 1, channels), TYPES[x]), Fold(pe=lanes), (0,)),
    )


def reorder(what: str, shape: tuple[int, int, int], pe: int, simd: int, x: str = "b") -> Sample:
    """Give a layer that exchanges positions and channels, gathers patches of 2x2 pixels, turns rows round, or mixes everything."""
    height, width, channels = shape
    places = np.arange(height * width * channels)
    blocks = places.reshape(height // 2, 2, width // 2, 2, channels) if what in ("patches", "space") else places
    order, given = {
        "tokens": lambda: (places.reshape(-1, channels).T, (1, channels, height * width)),
        "patches": lambda: (blocks.transpose(0, 2, 1, 3, 4), (height // 2, width // 2, 4 * channels)),
        "space": lambda: (blocks.transpose(0, 2, 4, 1, 3), (height // 2, width // 2, 4 * channels)),
        "turned": lambda: (places.reshape(shape)[:, ::-1], shape),
        "mixed": lambda: (np.random.default_rng(0).permutation(places), shape),
    }[what]()
    layer = Reorder("layer", "x", shape, TYPES[x], given, order.ravel())
    size = "x".join(map(str, shape))
    return Sample(f"reorder {what} {size} {x} {pe}x{simd}", LayerStage(layer, Fold(pe, simd), (0,)))


def widen(width: int, ratio: int) -> Sample:
    return Sample(f"widen {width} {ratio}", Widen("layer", (0,), 1, width, ratio, ratio * 4))


def narrow(width: int, ratio: int) -> Sample:
    return Sample(f"narrow {width} {ratio}", Narrow("layer", (0,), 1, width * ratio, ratio, 4))


def register(width: int) -> Sample:
    return Sample(f"register {width}", InputRegister("layer", width, 1, 4))


@dataclass(frozen=True)
class Registers:
    """The registers of an accelerator, and memories of 256 words of 48 bits that they reach; mapped as a stage is."""

    stages: int
    memories: int

    @property
    def shape(self) -> RegisterMap:
        contents = Contents((0,) * 256, 48)
        return RegisterMap(0x0123456789ABCDEF, self.stages, [(512 * (1 + n), contents) for n in range(self.memories)])

    def component(self) -> Control:
        return Control(self.shape, 25, 10)

    def resources(self) -> Resources:
        return Control.bill(self.shape, 25, 10).resources()


def registers(stages: int, memories: int) -> Sample:
    return Sample(f"registers {stages} {memories}", Registers(stages, memories))


def matmul(
    pixels: int,
    groups: int,
    rows: int,
    columns: int,
    pe: int,
    simd: int,
    x: str = "b",
    w: str = "b",
    y: str = "b",
    *,
    by_rows: bool = True,
    words: bool = False,
) -> Sample:
    random = np.random.default_rng([pixels, groups, rows, columns, pe, simd])
    second = (1, rows, groups * columns) if by_rows else (1, columns, groups * rows)
    shapes = ((1, pixels, groups * columns), second)
    layer = MatMul("layer", ("x", "w"), shapes, (TYPES[x], TYPES[w]), groups, by_rows, None, BIPOLAR)
    low, high = layer.accumulator_range()
    if y == "score":
        layer = replace(layer, out_type=CodeType(low, high))
    else:
        shape = (1, groups * rows, TYPES[y].levels - 1)
        levels = Thresholds(_levels(random, np.array(low), np.array(high), shape), Positions.uniform(1, pixels))
        layer = replace(layer, thresholds=levels, out_type=TYPES[y])
    order = "rows" if by_rows else "columns"
    name = f"matmul {pixels}x{groups}x{rows}x{columns} {x}{w}{y} {pe}x{simd} {order}{' words' * words}"
    return Sample(name, LayerStage(layer, Fold(pe=pe, simd=simd, lanes=_lanes(words)), (0, 0)))


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
