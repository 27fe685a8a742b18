"""One layer of each kind, by a few numbers and letters, as a sample to be mapped."""

from __future__ import annotations

from collections.abc import Mapping
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

__all__ = [
    "Sample",
    "argmax",
    "conv",
    "dense",
    "matmul",
    "narrow",
    "pad",
    "pool",
    "register",
    "registers",
    "reorder",
    "table",
    "threshold",
    "widen",
]

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
    m: str = "a",
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
    name = f"matmul {pixels}x{groups}x{rows}x{columns} {x}{w}{y} {pe}x{simd} {order}{' words' * words}{f' {m}' * (m != 'a')}"
    return Sample(name, LayerStage(layer, Fold(pe=pe, simd=simd, memory=STYLES[m], lanes=_lanes(words)), (0, 0)))
