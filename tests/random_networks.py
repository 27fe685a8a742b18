"""Hypothesis strategies for whole networks of small layers, chains and graphs, and for plans that fold them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from hwgen.activation import Lookup, Positions, Thresholds
from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned
from hwgen.fold import Fold
from hwgen.layers.argmax import ArgMax
from hwgen.layers.combine import Combine, Operation
from hwgen.layers.concat import Concat
from hwgen.layers.conv import Conv
from hwgen.layers.crop import Crop
from hwgen.layers.dense import Dense
from hwgen.layers.embedding import Embedding
from hwgen.layers.global_reduce import GlobalReduce, Reduction
from hwgen.layers.interleave import Interleave
from hwgen.layers.matmul import MatMul
from hwgen.layers.matvec import accumulator_range
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.pad import Pad
from hwgen.layers.protocol import Layer, MapShape, sources_of
from hwgen.layers.reorder import Reorder
from hwgen.layers.segments import Segments
from hwgen.layers.select import Select
from hwgen.layers.table import Table
from hwgen.layers.thresholding import Thresholding
from hwgen.layers.topk import TopK
from hwgen.layers.upsample import Upsample
from hwgen.layers.window import Window
from hwgen.network import InputPort, Network, OutputPort, check
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.plan import Plan
from tests.layers.channelwise_cases import STYLES

MAX_CYCLES = 3000
"""Fold product up to which a random plan is worth simulating."""

INPUT_TYPES = (BIPOLAR, BIPOLAR, unsigned(8), signed(8), unsigned(2), TERNARY)


def random_weights(random: np.random.Generator, shape: tuple[int, ...], kind: str) -> np.ndarray:
    if kind == "bipolar":
        return random.choice(np.array([-1, 1]), size=shape)
    return random.integers(-1 if kind == "ternary" else -5, 2 if kind == "ternary" else 6, size=shape)


def random_levels(random: np.random.Generator, low: int, high: int, shape: tuple[int, int, int]) -> np.ndarray:
    """Draw levels within the range and just outside of it, so that some never and some always fire."""
    return np.sort(random.integers(low - 1, high + 3, size=shape), axis=-1)


def random_codes(random: np.random.Generator, kind: CodeType, shape: tuple[int, ...]) -> np.ndarray:
    codes = random.integers(kind.low, kind.high + 1, size=shape)
    return np.where(codes >= (kind.low + kind.high + 1) // 2, kind.high, kind.low) if kind.bipolar else codes


@st.composite
def positions(draw: st.DrawFn, height: int, width: int) -> Positions:
    if draw(st.integers(0, 3)):
        return Positions.uniform(height, width)
    classes = [
        [
            min(label, number)
            for number, label in enumerate(draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)))
        ]
        for size in (height, width)
    ]
    dense = [tuple(sorted(set(labels)).index(label) for label in labels) for labels in classes]
    return Positions(rows=dense[0], columns=dense[1])


@st.composite
def windows(draw: st.DrawFn, height: int, width: int, *, padded: bool) -> Window:
    extents = []
    for size in (height, width):
        before, after = draw(st.sampled_from([(0, 0), (0, 0), (1, 1), (0, 1), (2, 1)])) if padded else (0, 0)
        kernel = draw(st.integers(1, min(4, size + before + after)))
        most = (size + before + after - 1) // (kernel - 1) if kernel > 1 else 1
        dilation = draw(st.integers(1, min(2, most)))
        span = (kernel - 1) * dilation + 1
        before, after = min(before, span - 1), min(after, span - 1)
        if span > size + before + after:
            kernel, dilation, before, after = 1, 1, 0, 0
        extents.append((kernel, draw(st.integers(1, 3)), dilation, before, after))
    (kernel_h, step_h, dilation_h, top, bottom), (kernel_w, step_w, dilation_w, left, right) = extents
    window = Window((kernel_h, kernel_w), (step_h, step_w), (dilation_h, dilation_w), (top, left, bottom, right))
    try:
        window.check(height, width)
    except ValueError:  # dilated taps that all step over a tiny map
        return Window((1, 1))
    return window


@st.composite
def output_types(draw: st.DrawFn) -> CodeType:
    return draw(
        st.sampled_from([BIPOLAR, BIPOLAR, BIPOLAR, unsigned(1), unsigned(2), signed(2), CodeType(-3, 1), unsigned(3)])
    )


@st.composite
def matvec(
    draw: st.DrawFn, name: str, source: str, shape: MapShape, kind: CodeType, *, dense: bool, last: bool
) -> Layer:
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, groups = draw(st.integers(1, 8)), 1
    weight_kind = draw(st.sampled_from(["bipolar", "bipolar", "bipolar", "ternary", "small"]))
    raw = draw(st.booleans()) if last else draw(st.integers(0, 4)) == 0
    layer: Dense | Conv
    if dense:
        weights = random_weights(random, (rows, int(np.prod(shape))), weight_kind)
        layer = Dense(name, source, shape, kind, weights, None, CodeType(-(2**40), 2**40))
    else:
        window = draw(windows(*shape[:2], padded=True))
        pad_value = draw(st.sampled_from([0, kind.low, kind.high]))
        groups = draw(st.sampled_from([1, 1, *(count for count in range(2, shape[2] + 1) if shape[2] % count == 0)]))
        rows = groups * -(-rows // groups)
        weights = random_weights(random, (rows, *window.kernel, shape[2] // groups), weight_kind)
        layer = Conv(name, source, shape, kind, weights, window, pad_value, None, CodeType(-(2**40), 2**40), groups)
    lows, highs = accumulator_range(weights, kind) if isinstance(layer, Dense) else layer.accumulator_range()
    low, high = int(np.min(lows)), int(np.max(highs))
    fields = {field: getattr(layer, field) for field in layer.__dataclass_fields__}
    if raw:
        return type(layer)(**{**fields, "out_type": CodeType(low, high)})
    out_type = draw(output_types())
    where = draw(positions(*layer.out_shape[:2]))
    levels = random_levels(random, low, high, (where.count, rows, out_type.levels - 1))
    return type(layer)(**{**fields, "thresholds": Thresholds(levels, where), "out_type": out_type})


@st.composite
def segments(draw: st.DrawFn, name: str, source: str, shape: MapShape, kind: CodeType) -> Layer:
    """Draw lines whose sums go a little beyond the codes; of all channels or positions alike, or each with its own."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    pieces, shift, alike = draw(st.integers(1, 5)), draw(st.integers(0, 8)), draw(st.booleans())
    out_type = draw(st.sampled_from([unsigned(2), signed(4), CodeType(-5, 6), signed(8)]))
    where = draw(st.just(Positions.uniform(*shape[:2])) | positions(*shape[:2]))
    rows, span = (where.count, 1 if alike else shape[2]), 1 << shift
    breaks = np.sort(random.integers(kind.low - 1, kind.high + 2, (*rows, pieces - 1)), axis=-1)
    factors = random.integers(-2 * span, 2 * span + 1, (*rows, pieces))
    if draw(st.booleans()):
        factors = 1 << random.integers(0, shift + 1, (*rows, pieces))
    offsets = random.integers(-4 * span, 4 * span + 1, (*rows, pieces))
    tables = [np.broadcast_to(table, (where.count, shape[2], table.shape[2])) for table in (breaks, factors, offsets)]
    return Segments(name, source, shape, kind, *tables, shift, out_type, where)


@st.composite
def moves(draw: st.DrawFn, name: str, source: str, shape: MapShape, kind: CodeType) -> Layer:
    """Draw a layer that leaves codes as they are and gives them elsewhere, more often or not at all."""
    choice = draw(st.sampled_from(["upsample", "crop", "select", "constant", "reorder"]))
    if choice == "constant" and shape[0] * shape[1] <= 16:
        random, places = (
            np.random.default_rng(draw(st.integers(0, 2**32 - 1))),
            draw(st.sampled_from([(0,), (1,), (0, 2)])),
        )
        constants = tuple(random_codes(random, kind, shape) for _ in places)
        return Concat(name, (source,), (shape,), (kind,), kind, draw(st.integers(0, 2)), constants, places)
    if choice == "reorder":
        order = np.arange(math.prod(shape)).reshape(shape).transpose(draw(st.permutations(range(3))))
        return Reorder(name, source, shape, kind, order.shape, order.ravel())
    if choice == "upsample" and shape[0] * shape[1] <= 16:
        return Upsample(name, source, shape, kind, (draw(st.integers(1, 3)), draw(st.integers(1, 3))))
    if choice == "select":
        channels = draw(st.lists(st.integers(0, shape[2] - 1), min_size=1, max_size=6))
        kept = sorted(set(channels)) if draw(st.booleans()) else channels
        return Select(name, source, shape, kind, tuple(kept))
    (top, bottom), (left, right) = (
        sorted(draw(st.lists(st.integers(0, size), min_size=2, max_size=2, unique=True))) for size in shape[:2]
    )
    return Crop(name, source, shape, kind, (top, left, bottom, right))


@st.composite
def layers(draw: st.DrawFn, name: str, source: str, shape: MapShape, kind: CodeType, *, last: bool) -> Layer:
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    choices = ["dense", "dense", "conv", "conv", "conv", "conv", "pool", "pool", "thresholding", "segments", "moves"]
    if kind.levels <= 64:
        choices.append("table")
    if shape[2] == 1 and 0 <= kind.low <= kind.high < 256:
        choices += ["embedding", "embedding"]
    if kind.levels >= 2:
        choices.append("pad")
    if last:
        choices += ["argmax", "topk", "reduce"]
    choice = draw(st.sampled_from(choices))
    if choice in ("dense", "conv"):
        return draw(matvec(name, source, shape, kind, dense=choice == "dense", last=last))
    if choice == "pool":
        seeks = random.integers(0, 2, size=shape[2]) if draw(st.booleans()) else np.zeros(shape[2])
        minimum = tuple(bool(flag) for flag in seeks)
        return MaxPool(name, source, shape, kind, draw(windows(*shape[:2], padded=False)), minimum)
    if choice == "pad":
        value = int(random_codes(random, kind, (1,))[0])
        return Pad(name, source, shape, kind, tuple(int(size) for size in random.integers(0, 3, size=4)), value)
    if choice == "argmax":
        return ArgMax(name, source, shape, kind, last=draw(st.booleans()))
    if choice == "topk":
        return TopK(name, source, shape, kind, draw(st.integers(1, shape[2])), draw(st.booleans()))
    if choice == "reduce":
        operation = draw(st.sampled_from(Reduction))
        sums = CodeType(*(shape[0] * shape[1] * code for code in (kind.low, kind.high)))
        return GlobalReduce(name, source, shape, kind, operation, sums if operation is Reduction.SUM else kind)
    if choice == "embedding":
        out_type = draw(output_types())
        table = random_codes(random, out_type, (kind.high + 1, draw(st.integers(1, 6))))
        return Embedding(name, source, shape, kind, table, out_type)
    if choice == "segments":
        return draw(segments(name, source, shape, kind))
    if choice == "moves":
        return draw(moves(name, source, shape, kind))
    where, out_type = draw(positions(*shape[:2])), draw(output_types())
    if choice == "table":
        table = random_codes(random, out_type, (where.count, shape[2], kind.high - kind.low + 1))
        return Table(name, source, shape, kind, Lookup(table, kind.low, where), out_type)
    levels = random_levels(random, kind.low, kind.high, (where.count, shape[2], out_type.levels - 1))
    negate = tuple(bool(flag) for flag in random.integers(0, 2, size=shape[2]))
    return Thresholding(name, source, shape, kind, Thresholds(levels, where), negate, out_type)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Draw a chain of one to four layers over a map of up to 7 x 7 pixels."""
    shape = (draw(st.integers(1, 7)), draw(st.integers(1, 7)), draw(st.sampled_from([1, 2, 3, 4, 6])))
    kind = draw(st.sampled_from(INPUT_TYPES))
    port = InputPort("x", shape, (0, 1, 2), shape, kind)
    count, chain = draw(st.integers(1, 4)), []
    source = port.name
    for number in range(count):
        layer = draw(layers(f"layer{number}", source, shape, kind, last=number == count - 1))
        chain.append(layer)
        source, shape, kind = layer.name, layer.out_shape, layer.out_type
    ones = np.ones(shape[2])
    output = OutputPort("y", source, shape, (0, 1, 2), "float32", ones, 0 * ones)
    network = Network("random_network", (port,), tuple(chain), (output,))
    check(network)
    return network


def frames_of(random: np.random.Generator, network: Network, frames: int) -> dict[str, np.ndarray]:
    """Give random codes for every input."""
    return {port.name: random_codes(random, port.type, (frames, *port.shape)) for port in network.inputs}


class Growth:
    """A network as it grows: its layers, and for every map its shape, its type, and whether anything reads it."""

    def __init__(self, ports: Sequence[InputPort]) -> None:
        self.layers: list[Layer] = []
        self.maps: dict[str, tuple[MapShape, CodeType]] = {port.name: (port.shape, port.type) for port in ports}
        self.unread = {port.name for port in ports}

    def add(self, layer: Layer) -> str:
        self.layers.append(layer)
        self.maps[layer.name] = (layer.out_shape, layer.out_type)
        self.unread = (self.unread - set(sources_of(layer))) | {layer.name}
        return layer.name

    @property
    def next_name(self) -> str:
        return f"layer{len(self.layers)}"


@st.composite
def joins(draw: st.DrawFn, growth: Growth, sources: list[str]) -> Layer:
    """Draw a layer that joins maps of one shape."""
    name, shape = growth.next_name, growth.maps[sources[0]][0]
    kinds = tuple(growth.maps[source][1] for source in sources)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    choices = ["add", "add", "concat"]
    if np.prod([float(max(-kind.low, kind.high)) for kind in kinds]) < 1 << 20:
        choices.append("multiply")
    if len(set(kinds)) == 1 and shape[0] * shape[1] <= 16:
        choices.append("interleave")
    if len(sources) == 2 and "multiply" in choices and shape[1] <= 4:
        choices.append("matmul")
    choice = draw(st.sampled_from(choices))
    if choice == "matmul":
        groups = draw(st.sampled_from([n for n in (1, 2, 3) if shape[2] % n == 0]))
        product = MatMul(
            name, (sources[0], sources[1]), (shape, shape), (kinds[0], kinds[1]), groups, True, None, BIPOLAR
        )
        return replace(product, out_type=CodeType(*product.accumulator_range()))
    if choice == "interleave":
        phases = draw(st.sampled_from([(1, len(sources)), (len(sources), 1)]))
        return Interleave(name, tuple(sources), shape, kinds[0], phases)
    low, high = min(kind.low for kind in kinds), max(kind.high for kind in kinds)
    if choice == "concat":
        out_type = BIPOLAR if all(kind.bipolar for kind in kinds) else CodeType(low, high)
        axis = draw(st.sampled_from([2, 2, *(axis for axis in (0, 1) if shape[axis] <= 4)]))
        places = draw(st.sampled_from([(), (), (0,), (len(sources),)]))
        constants = tuple(random_codes(random, out_type, shape) for _ in places)
        return Concat(name, tuple(sources), (shape,) * len(sources), kinds, out_type, axis, constants, places)
    factors = np.ones((len(sources), shape[2]), dtype=np.int64)
    if choice == "add":
        columns = draw(st.sampled_from([1, shape[2]]))
        factors = factors * random.choice(np.array([1, 1, -1, 2, 3]), size=(len(sources), columns))
    operation = Operation.ADD if choice == "add" else Operation.MULTIPLY
    layer = Combine(name, tuple(sources), shape, kinds, operation, factors, BIPOLAR)
    if choice == "multiply" and all(kind.bipolar for kind in kinds):
        return layer
    lows, highs = layer.result_range()
    return replace(layer, out_type=CodeType(int(lows.min()), int(highs.max())))


@st.composite
def same_shape(draw: st.DrawFn, name: str, source: str, shape: MapShape, kind: CodeType) -> Layer:
    """Draw a layer that keeps the shape: a convolution of its own padding, or a function of each code."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):
        size = draw(st.sampled_from([1, 3])) if min(shape[:2]) > 1 else 1
        weights = random_weights(random, (shape[2], size, size, shape[2]), draw(st.sampled_from(["bipolar", "small"])))
        window = Window((size, size), pads=(size // 2,) * 4)
        layer = Conv(name, source, shape, kind, weights, window, 0, None, CodeType(-(2**40), 2**40))
        lows, highs = layer.accumulator_range()
        return replace(layer, out_type=CodeType(int(lows.min()), int(highs.max())))
    if not kind.bipolar and draw(st.booleans()):
        return draw(segments(name, source, shape, kind))
    out_type = draw(output_types())
    levels = random_levels(random, kind.low, kind.high, (1, shape[2], out_type.levels - 1))
    where = Positions.uniform(*shape[:2])
    return Thresholding(name, source, shape, kind, Thresholds(levels, where), (False,) * shape[2], out_type)


@st.composite
def graphs(draw: st.DrawFn) -> Network:
    """Draw a network that branches and joins: one to three inputs, blocks with a shortcut, layers beside one another, and in the end all side by side."""
    ports: list[InputPort] = []
    for name in draw(st.sampled_from(["x", "x", "xw", "xwv"])):
        alike = bool(ports) and draw(st.booleans())
        size, channels = st.integers(1, 6), st.sampled_from([1, 2, 3, 4, 6])
        shape = ports[0].shape if alike else (draw(size), draw(size), draw(channels))
        ports.append(InputPort(name, shape, (0, 1, 2), shape, draw(st.sampled_from(INPUT_TYPES))))
    growth = Growth(ports)

    def narrow(source: str) -> str:
        """Keep numbers from growing without end."""
        shape, kind = growth.maps[source]
        if max(-kind.low, kind.high) < 1 << 12:
            return source
        levels = np.sort(np.random.default_rng(0).integers(kind.low // 4, kind.high // 4 + 1, (1, shape[2], 3)))
        where = Positions.uniform(*shape[:2])
        quantise = Thresholds(levels, where)
        return growth.add(
            Thresholding(growth.next_name, source, shape, kind, quantise, (False,) * shape[2], unsigned(2))
        )

    for _ in range(draw(st.integers(1, 3))):
        source = narrow(draw(st.sampled_from(sorted(growth.maps))))
        shape, kind = growth.maps[source]
        if draw(st.integers(0, 2)) == 0:
            growth.add(draw(layers(growth.next_name, source, shape, kind, last=draw(st.booleans()))))
            continue
        ends = [source]
        for _ in range(draw(st.integers(1, 2))):
            end = source
            for _ in range(draw(st.integers(1, 2))):
                end = narrow(growth.add(draw(same_shape(growth.next_name, end, *growth.maps[end]))))
            ends.append(end)
        if draw(st.integers(0, 3)) == 0:
            ends = ends[-1:] * 2
        others = [other for other in sorted(growth.unread) if growth.maps[other][0] == shape and other not in ends]
        if others:
            ends.append(narrow(draw(st.sampled_from(others))))
        growth.add(draw(joins(growth, ends)))
    ends = sorted(growth.unread)
    if len(ends) > 1:
        vectors = []
        for end in ends:
            shape, kind = growth.maps[end]
            weights = random_weights(
                np.random.default_rng(len(ends)), (draw(st.integers(1, 4)), int(np.prod(shape))), "ternary"
            )
            dense = Dense(growth.next_name, end, shape, kind, weights, None, CodeType(-(2**40), 2**40))
            lows, highs = accumulator_range(weights, kind)
            vectors.append(growth.add(replace(dense, out_type=CodeType(int(lows.min()), int(highs.max())))))
        shapes, kinds = zip(*(growth.maps[vector] for vector in vectors), strict=True)
        out_type = CodeType(min(kind.low for kind in kinds), max(kind.high for kind in kinds))
        growth.add(Concat(growth.next_name, tuple(vectors), shapes, kinds, out_type))
    (source,) = growth.unread
    shape, _ = growth.maps[source]
    ones = np.ones(shape[2])
    output = OutputPort("y", source, shape, (0, 1, 2), "float32", ones, 0 * ones)
    network = Network("random_graph", tuple(ports), tuple(growth.layers), (output,))
    check(network)
    return network


def random_plan(network: Network, one_of: Callable[[Sequence[Any]], Any]) -> Plan:
    """Fold each layer at random, as ``one_of`` chooses, so that it keeps a frame within `MAX_CYCLES`."""
    folds = {}
    for layer in network.layers:
        legal = list(layer.folding.folds())
        intervals = [layer.timing(fold).interval for fold in legal]
        quick = [
            fold for fold, cycles in zip(legal, intervals, strict=True) if cycles <= max(MAX_CYCLES, min(intervals))
        ]
        fold, style = one_of(quick), one_of(STYLES)
        folds[layer.name] = Fold(
            pe=fold.pe, simd=fold.simd, window=fold.window, memory=style, fetch_registers=one_of((0, 0, 1))
        )
    return size_fifos(Plan(network, folds))


def seeded_plan(network: Network, seed: int) -> Plan:
    """Give the `random_plan` of a seed."""
    random = np.random.default_rng(seed)
    return random_plan(network, lambda options: options[random.integers(len(options))])


@st.composite
def plans(draw: st.DrawFn, of: st.SearchStrategy[Network] | None = None) -> Plan:
    """Draw a network, a chain by default, and a folding for each layer."""
    network = draw(networks() if of is None else of)
    return random_plan(network, lambda options: draw(st.sampled_from(options)))
