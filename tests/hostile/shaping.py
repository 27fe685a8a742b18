"""Steps that move elements: pads, slices, splits, joins of parts, transpositions, resizing, pixel shuffles, reorders of channels."""

from __future__ import annotations

import numpy as np

from tests.hostile.net import Net, Tensor, Unsuitable
from tests.hostile.versions import pad, reshape, resize, slices, split, squeeze, transpose, unsqueeze

__all__ = ["channels_first", "channels_last", "flatten", "padded", "shaped"]


def channels_first(net: Net, x: Tensor) -> Tensor:
    if not x.last:
        return x
    y = transpose(net, x, [0, x.rank - 1, *range(1, x.rank - 1)])
    return Tensor(y.name, y.value)


def channels_last(net: Net, x: Tensor) -> Tensor:
    if x.last or x.rank == 2:
        return x
    y = transpose(net, x, [0, *range(2, x.rank), 1])
    return Tensor(y.name, y.value, last=True)


def _spatial(net: Net, x: Tensor) -> int:
    """Choose an axis that is neither frames nor channels."""
    axes = [axis for axis in range(1, x.rank) if axis != x.axis]
    if not axes:
        raise Unsuitable
    return int(net.choose(axes))


def padded(net: Net, x: Tensor) -> Tensor:
    """Put a border round a map: of zeros, ones, another value of the grid or none of it."""
    if x.rank < 3:
        raise Unsuitable
    pads = [0] * (2 * x.rank)
    for axis in range(1, x.rank):
        if axis != x.axis:
            pads[axis], pads[axis + x.rank] = net.choose([(0, 1), (1, 0), (1, 1), (1, 1), (2, 1), (0, 0)])
    values = [0.0, 0.0, 0.0, -1.0, 1.0, float(x.value.min()), float(net.random.choice(x.value.reshape(-1))), 0.5]
    return pad(net, x, pads, net.choose(values), "constant" if net.chance(0.95) else net.choose(["reflect", "edge"]))


def cropped(net: Net, x: Tensor) -> Tensor:
    axis = _spatial(net, x)
    size = x.shape[axis]
    if size < 3:
        raise Unsuitable
    return slices(
        net,
        x,
        axis,
        *net.choose([(1, size), (0, -1), (1, -1), (-2, 2**31 - 1), (0, size, 2), (1, 2**62, 2), (-1, -size - 1, -1)]),
    )


def some_channels(net: Net, x: Tensor) -> Tensor:
    if x.channels < 2:
        raise Unsuitable
    start = int(net.random.integers(0, x.channels - 1))
    return slices(net, x, x.axis, start, int(net.random.integers(start + 1, x.channels + 1)))


def shuffled(net: Net, x: Tensor) -> Tensor:
    """Reorder channels by indices."""
    count = x.channels + int(net.random.integers(-1, 2))
    return net.op("Gather", x, net.const(net.random.integers(0, x.channels, size=max(1, count)), np.int64), axis=x.axis)


def channel_shuffle(net: Net, x: Tensor) -> Tensor:
    """Reorder channels as ShuffleNet does."""
    if x.rank != 4 or x.last or x.channels % 2 or x.channels < 4:
        raise Unsuitable
    y = reshape(net, x, [2, x.channels // 2, *x.places])
    return reshape(net, transpose(net, y, [0, 2, 1, 3, 4]), [-1, *x.places])


def split_and_joined(net: Net, x: Tensor) -> Tensor:
    """Split along an axis and join the parts again, in another order at times."""
    axis = x.axis if net.chance(0.7) else _spatial(net, x)
    if x.shape[axis] < 2:
        raise Unsuitable
    first = int(net.random.integers(1, x.shape[axis]))
    parts = split(net, x, axis, [first, x.shape[axis] - first])
    return net.op("Concat", *(parts[::-1] if net.chance(0.5) else parts), axis=axis)


def doubled(net: Net, x: Tensor) -> Tensor:
    """Join a map with itself, or with its negative."""
    other = net.op("Neg", x) if net.chance(0.5) and x.value.dtype == np.float32 else x
    return net.op("Concat", x, other, axis=x.axis if net.chance(0.7) else _spatial(net, x))


def with_constant(net: Net, x: Tensor) -> Tensor:
    """Join a map with a constant one: coordinates, a token."""
    if net.batch != 1 or x.value.dtype != np.float32:
        raise Unsuitable
    axis = x.axis
    values = net.random.choice(x.value.reshape(-1), size=(1, *x.shape[1:]))
    constant = net.const(values.take([0], axis=axis))
    run = Tensor(constant.name, np.repeat(constant.value, x.shape[0], axis=0), True)
    order = net.choose([False, True])
    both, seen = (constant, x), (run, x)
    y = net.op("Concat", *(both[::-1] if order else both), run=seen[::-1] if order else seen, axis=axis)
    return Tensor(y.name, y.value, last=x.last)


def resized(net: Net, x: Tensor) -> Tensor:
    x = channels_first(net, x)
    if x.rank not in (3, 4):
        raise Unsuitable
    whole = net.chance(0.7)
    scales = [1.0, 1.0, *(float(net.choose([1, 2, 2, 3] if whole else [0.5, 1.5, 0.6, 1.3, 2])) for _ in x.places)]
    modes = {}
    if net.opset >= 11 and net.chance(0.7):
        modes = {
            "coordinate_transformation_mode": net.choose(
                ["asymmetric", "asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners"]
            ),
            "nearest_mode": net.choose(["floor", "floor", "round_prefer_floor", "round_prefer_ceil", "ceil"]),
        }
    return resize(net, x, scales, modes)


def pixels_shuffled(net: Net, x: Tensor) -> Tensor:
    x = channels_first(net, x)
    if x.rank != 4:
        raise Unsuitable
    if x.channels % 4 == 0 and net.chance(0.7):
        mode = {"mode": net.choose(["DCR", "CRD"])} if net.opset >= 11 else {}
        return net.op("DepthToSpace", x, blocksize=2, **mode)
    return net.op("SpaceToDepth", x, blocksize=2)


def there_and_back(net: Net, x: Tensor) -> Tensor:
    return channels_first(net, channels_last(net, x)) if not x.last else channels_last(net, channels_first(net, x))


def singleton(net: Net, x: Tensor) -> Tensor:
    """Put in an axis of one element and take it out again."""
    axis = int(net.random.integers(1, x.rank + 1))
    y = unsqueeze(net, x, [axis])
    return squeeze(net, y, [axis])


def turned(net: Net, x: Tensor) -> Tensor:
    """Exchange rows and columns."""
    x = channels_first(net, x)
    if x.rank != 4:
        raise Unsuitable
    return transpose(net, x, [0, 1, 3, 2])


def flatten(net: Net, x: Tensor) -> Tensor:
    """Flatten a map into a vector."""
    if x.rank == 2:
        return x
    if net.chance(0.5):
        y = net.op("Flatten", x, **({"axis": 1} if net.chance(0.5) else {}))
    else:
        y = reshape(net, x, [-1] if net.chance(0.5) else [int(np.prod(x.shape[1:]))])
    return Tensor(y.name, y.value)


def shaped(net: Net, x: Tensor) -> Tensor:
    """Do one of them."""
    ways = {
        padded: 3, cropped: 2, some_channels: 1.5, shuffled: 1, channel_shuffle: 1, split_and_joined: 1.5, doubled: 1,
        with_constant: 0.7, resized: 1.5, pixels_shuffled: 1, there_and_back: 1, singleton: 1, turned: 0.4,
    }  # fmt: skip
    found: Tensor = net.first_suitable(ways, x)
    return found
