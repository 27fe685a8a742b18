"""Transposed convolutions: one convolution for each phase of the output, woven together; no inserted zeros are multiplied."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hwgen.codes import CodeType
from hwgen.conversion import Announced
from hwgen.graph import Node
from hwgen.layers.interleave import Interleave
from hwgen.operators.windows import transposed_pads
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.weights import integer_rows, note_rounding, rounded_rows
from hwgen.streamlining.functions.domain import Integers
from hwgen.streamlining.functions.linear import Linear
from hwgen.streamlining.functions.signal import Origin, Signal, flat_map, signal_of
from hwgen.streamlining.functions.terms import Call, Leaf, Parameter
from hwgen.streamlining.nodes.windows import convolution
from hwgen.streamlining.places.rearrange import rearranged
from hwgen.streamlining.resolve import codes_of

__all__ = ["transposed_convolution"]


@dataclass(frozen=True)
class _Phase:
    """One residue of the output along an axis: the taps that it sees, in the order of a window over the input.

    Parameters
    ----------
    taps : tuple of int
        Number of the kernel's tap at each place of the window, -1 for none.
    dilation : int
    before, after : int
        Padding of the input; negative: so much is cut off.
    """

    taps: tuple[int, ...]
    dilation: int
    before: int
    after: int


@dataclass(frozen=True)
class _Axis:
    """One axis of the output: its size, and its phases."""

    size: int
    phases: tuple[_Phase, ...]


def _phase(residue: int, size: int, count: int, kernel: int, stride: int, dilation: int, pad: int) -> _Phase:
    """Find the inputs that reach outputs residue, residue + stride, ...: tap t of input i goes to i * stride + t * dilation - pad."""
    reached = {}
    for tap in range(kernel):
        place, rest = divmod(residue + pad - tap * dilation, stride)
        if rest == 0 and -count < place < size:
            reached[place] = tap
    if not reached:
        return _Phase((-1,), 1, 0, count - size)
    first, last = min(reached), max(reached)
    step = int(np.gcd.reduce([place - first for place in reached])) or 1
    taps = tuple(reached.get(place, -1) for place in range(first, last + 1, step))
    return _Phase(taps, step, -first, count + last - size)


def _axes(node: Node, sizes: tuple[int, ...], kernel: tuple[int, ...]) -> list[_Axis]:
    rank = len(kernel)

    def numbers(name: str, default: int) -> list[int]:
        return [int(number) for number in node.attributes.get(name) or (default,) * rank]

    strides, dilations, extra = numbers("strides", 1), numbers("dilations", 1), numbers("output_padding", 0)
    full = [
        (size - 1) * stride + (extent - 1) * dilation + 1
        for size, stride, extent, dilation in zip(sizes, strides, kernel, dilations, strict=True)
    ]
    begins, ends = transposed_pads(node.attributes, sizes, full, strides, extra)
    axes = []
    for axis, stride in enumerate(strides):
        out = full[axis] + extra[axis] - begins[axis] - ends[axis]
        count = -(-out // stride)
        phases = (
            _phase(residue, sizes[axis], count, kernel[axis], stride, dilations[axis], begins[axis])
            for residue in range(stride)
        )
        axes.append(_Axis(out, tuple(phases)))
    return axes


def transposed_convolution(
    node: Node, signal: Signal, weights: np.ndarray, bias: np.ndarray | None, builder: Builder
) -> Signal:
    """Upsample a map by a transposed convolution in one or two dimensions.

    Raises
    ------
    ModelError
        If weights or inputs are no codes and only exact calculation is allowed.
    """
    groups = int(node.attributes.get("group", 1))
    kernels = _rows_first(weights.astype(np.float64), groups)
    flat = kernels.reshape(len(kernels), -1)
    found = integer_rows(flat)
    integers, scale = rounded_rows(flat, node, builder) if found is None else found
    if found is not None:
        note_rounding(flat, integers, scale, node, builder)
    off = np.abs(integers * scale[:, None] - flat).max(axis=1) if node.name in builder.rounded_weights else 0 * scale
    kernels = (integers * scale[:, None]).reshape(kernels.shape)
    # The codes are made once, for all phases.
    codes = codes_of(signal, node, builder)
    signal = signal_of(codes, signal.origin.node, signal.index)
    axes = _axes(node, signal.index.shape[2:], kernels.shape[2:])
    if len(axes) == 1:
        axes = [_Axis(1, (_Phase((0,), 1, 0, 0),)), axes[0]]
        signal, kernels = signal.moved(signal.index[:, :, None]), kernels[:, :, None]
    parts = [
        _part(f"{node.name}.{a}.{b}", signal, kernels, row, column, groups, builder)
        for a, row in enumerate(axes[0].phases)
        for b, column in enumerate(axes[1].phases)
    ]
    ratio = np.divide(codes.offset, codes.scale, out=np.zeros_like(codes.offset), where=codes.scale != 0)
    zero = -float(ratio.mean())
    off = off * float(np.abs(codes.scale).max())
    shift = off * kernels[0].size * float(np.abs(ratio + zero).max())
    whole = _woven(node, parts, (len(axes[0].phases), len(axes[1].phases)), builder, off, zero, shift)
    if bias is not None and np.any(bias):
        add = Node("Add", node.name, (), ())
        whole = replace(whole, term=Call(add, (whole.term, Parameter(bias.astype(np.float64)[None, None]))))
    index = whole.index[:, :, : axes[0].size, : axes[1].size]
    return whole.moved(index if weights.ndim == 4 else index[:, :, 0])


def _rows_first(weights: np.ndarray, groups: int) -> np.ndarray:
    """Turn (channels, rows // groups, ...) into (rows, channels // groups, ...)."""
    parts = [np.swapaxes(part, 0, 1) for part in np.split(weights, groups)]
    return np.concatenate(parts)


def _part(
    name: str, signal: Signal, kernels: np.ndarray, row: _Phase, column: _Phase, groups: int, builder: Builder
) -> Signal:
    """Convolve for one phase; the taps that it lacks have weight 0."""
    picked = kernels[:, :, np.maximum(row.taps, 0)][:, :, :, np.maximum(column.taps, 0)]
    picked = picked * np.outer(np.array(row.taps) >= 0, np.array(column.taps) >= 0)
    height, width = signal.index.shape[2:]
    cut = signal.index[
        :,
        :,
        max(-row.before, 0) : height - max(-row.after, 0),
        max(-column.before, 0) : width - max(-column.after, 0),
    ]
    pads = [max(pad, 0) for pad in (row.before, column.before, row.after, column.after)]
    attributes = {"pads": pads, "dilations": (row.dilation, column.dilation), "group": groups}
    if cut.shape != signal.index.shape:
        signal = rearranged(signal.moved(cut), cut.shape, Node("ConvTranspose", name, (), ()), builder)
    return convolution(Node("Conv", name, (), (), attributes), signal, picked, None, builder)


def _woven(
    node: Node,
    parts: list[Signal],
    phases: tuple[int, int],
    builder: Builder,
    off: np.ndarray,
    zero: float,
    shift: np.ndarray,
) -> Signal:
    """Weave accumulators that count in one unit.

    Rounded weights are ``off`` by so much times the meaning of a step of their inputs, and sums by ``shift`` where code ``zero`` stands for another number than 0.
    """
    linears: list[Linear] = []
    scales, offsets = [], []
    for part in parts:
        leaf = part.term
        if not isinstance(part.origin.linear, Linear) or not isinstance(leaf, Leaf):
            raise TypeError("A phase is a convolution whose accumulators nothing has read")
        linears.append(part.origin.linear)
        scales.append(leaf.scale.array.reshape(-1))
        height, width, rows = part.shape
        offsets.append(np.broadcast_to(leaf.offset.array, (height, width, rows)))
    table = np.stack(scales)
    unit = np.where(table > 0, table, np.inf).min(axis=0)
    unit = np.where(np.isfinite(unit), unit, 1.0)
    times = np.rint(table / unit).astype(np.int64)
    while np.any(np.abs(table / unit - times) > 1e-6 * np.maximum(times, 1)):
        unit = np.where(np.all(np.abs(table / unit - times) <= 1e-6 * np.maximum(times, 1), axis=0), unit, unit / 2)
        times = np.rint(table / unit).astype(np.int64)
    linears = [
        replace(linear, weights=linear.weights * factor.reshape(-1, *(1,) * (linear.weights.ndim - 1)))
        for linear, factor in zip(linears, times, strict=True)
    ]
    domains = [linear.domain().merged() for linear in linears]
    low = np.min([domain.low for domain in domains], axis=0)
    high = np.max([domain.high for domain in domains], axis=0)
    step = np.gcd.reduce(
        [np.gcd(np.where(domain.count > 1, domain.step, 0), domain.low - low) for domain in domains], axis=0
    )
    step = np.maximum(step, 1)
    kind = CodeType(int(low.min()), int(high.max()))
    sources = tuple(builder.add(linear.record(None, kind)) for linear in linears)
    for source, part, factor in zip(sources, parts, times, strict=True):
        # Weights of a phase alone may have been rounded once more.
        name = part.origin.node
        share = float(np.max(off / unit + builder.rounded_weights.get(name, 0.0) * factor))
        apart = float(np.max(shift / unit + builder.rounded_shifts.get(name, (0.0, 0.0))[1] * factor))
        if share:
            builder.announce(Announced(source, share=share, zero=zero, shift=apart))
    offset = np.empty((height * phases[0], width * phases[1], rows))
    for number, part_offset in enumerate(offsets):
        offset[number // phases[1] :: phases[0], number % phases[1] :: phases[1]] = part_offset
    for axis in (0, 1):
        first = np.take(offset, [0], axis=axis)
        offset = first if np.all(offset == first) else offset
    leaf = Leaf(Parameter(unit[None, None]), Parameter(offset))
    if len(sources) == 1:
        source, shape = sources[0], parts[0].shape
    else:
        weave = Interleave(builder.name("interleave", node), sources, parts[0].shape, kind, phases)
        source, shape = builder.add(weave), weave.out_shape
    full = Integers(low, step, (high - low) // step + 1, domains[0].positions)
    full = replace(full, positions=type(full.positions).uniform(*shape[:2]))
    origin = Origin(node.name, shape, full, source=source, type=kind)
    return Signal(origin, leaf, shape, flat_map(shape).transpose(2, 0, 1)[None])
