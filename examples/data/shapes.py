"""Clouds of points on solids, made by arithmetic that IEEE 754 rounds alike everywhere; needs NumPy only."""

import numpy as np

from examples.data.dice import Dice

POINTS = 64
UNIT = 40
"""Codes of a length of one: a cloud's points are within -127..127."""

SOLIDS = 5
"""Ball, box, cylinder, cone, ring."""


def _fraction(dice, *shape):
    """Return numbers from -1 to 1."""
    return (2 * dice.below(1 << 20, *shape) - (1 << 20)) / (1 << 20)


def _unit(*parts):
    """Return vectors of length one in the direction of `parts`."""
    length = np.sqrt(sum(part * part for part in parts))
    return tuple(part / np.maximum(length, 1e-9) for part in parts)


def _surface(solid, dice, count):
    """Return x, y, z of points on one solid, [count] each."""
    u, v, w = _fraction(dice, 3, count)
    choice = dice.below(6, count)
    if solid == 0:
        return _unit(u, v, w)
    if solid == 1:
        side, sign = choice // 2, 2.0 * (choice % 2) - 1
        return tuple(np.where(side == axis, sign, part) * 0.8 for axis, part in enumerate((u, v, w)))
    x, y = _unit(u, v)
    if solid == 2:
        cap, radius = choice < 2, 0.6 * np.sqrt(np.abs(w))
        return (
            np.where(cap, radius * x, 0.6 * x),
            np.where(cap, radius * y, 0.6 * y),
            np.where(cap, 2.0 * (choice % 2) - 1, w),
        )
    if solid == 3:
        radius = np.sqrt(np.abs(w))
        return 0.9 * radius * x, 0.9 * radius * y, np.where(choice < 2, -0.8, 0.8 - 1.6 * radius)
    a, b = _unit(w, _fraction(dice, count))
    return (0.8 + 0.3 * a) * x, (0.8 + 0.3 * a) * y, 0.3 * b


def _rotated(parts, dice, tilt):
    """Return a cloud turned at random: by any angle about the upright axis, and tilted by less the smaller `tilt` is, 0 to 1."""
    while True:
        q = _fraction(dice, 4)
        length = q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]
        if 0.01 < length <= 1:
            break
    q[1:3] *= tilt
    a, b, c, d = _unit(*q)
    x, y, z = parts
    return (
        (a * a + b * b - c * c - d * d) * x + 2 * (b * c - a * d) * y + 2 * (b * d + a * c) * z,
        2 * (b * c + a * d) * x + (a * a - b * b + c * c - d * d) * y + 2 * (c * d - a * b) * z,
        2 * (b * d - a * c) * x + 2 * (c * d + a * b) * y + (a * a - b * b - c * c + d * d) * z,
    )


def _codes(parts):
    return np.clip(np.rint(UNIT * np.stack(parts)), -127, 127).astype(np.int8)


def solids(count, seed):
    """Make single solids, each turned and tilted at random: int8 [count, 3, 64] of x, y, z, and which of five it is, uint8 [count]."""
    dice = Dice(seed)
    labels = dice.below(SOLIDS, count).astype(np.uint8)
    clouds = [_codes(_rotated([1.4 * part for part in _surface(solid, dice, POINTS)], dice, 0.33)) for solid in labels]
    return np.stack(clouds), labels


def pairs(count, seed):
    """Make two different solids side by side, turned at random about the upright axis: int8 [count, 3, 64], and which solid each point is on, uint8 [count, 64]."""
    dice = Dice(seed)
    clouds, labels = [], []
    for _ in range(count):
        first = int(dice.below(SOLIDS, 1)[0])
        second = (first + 1 + int(dice.below(SOLIDS - 1, 1)[0])) % SOLIDS
        near, far = (_rotated(_surface(solid, dice, POINTS // 2), dice, 0.0) for solid in (first, second))
        moved = [np.concatenate([one, two]) for one, two in zip(near, far, strict=True)]
        moved[0] += np.repeat([-1.2, 1.2], POINTS // 2)
        order = np.argsort(dice.below(1 << 30, POINTS), kind="stable")
        clouds.append(_codes(_rotated([part[order] for part in moved], dice, 0.0)))
        labels.append(np.repeat([first, second], POINTS // 2)[order])
    return np.stack(clouds), np.array(labels, np.uint8)
