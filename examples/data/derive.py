"""Further data sets made of the kept ones by integer arithmetic; needs NumPy only.

The same functions make the training frames from the training images. Whatever is random comes from
`examples.data.dice`.
"""

import numpy as np

from examples.data.dice import Dice

POINTS = 64
CANVAS = 32
DIGITS_ON_CANVAS = 3
FRAGMENTS_ON_CANVAS = 6
FRAGMENT = 5
SCENE = 56
NO_BOX = 255


def half(images, labels):
    """Halve the images: each pixel is the rounded mean of four; uint8 [n, 1, 14, 14]."""
    total = images.reshape(-1, 14, 2, 14, 2).astype(np.int64).sum(axis=(2, 4))
    return ((total + 2) // 4).astype(np.uint8)[:, None], labels


def points(images, labels):
    """Take 64 of the ink's pixels as a cloud of points: int8 [n, 2, 64] of x and y, -27..27.

    They are evenly spaced in the raster order of the pixels above 127.
    """
    clouds = np.empty((len(images), 2, POINTS), np.int8)
    for cloud, image in zip(clouds, images, strict=True):
        y, x = np.nonzero(image > 127)
        chosen = np.arange(POINTS) * len(y) // POINTS
        cloud[:] = 2 * np.stack([x[chosen], y[chosen]]) - 27
    return clouds, labels


def coloured(images, labels):
    """Paint the images on 32 x 32 pixels, with random ink, paper and place: uint8 [n, 3, 32, 32].

    The ink is lighter than the paper by 64 to 128 in each of red, green and blue.
    """
    dice = Dice(len(images))
    paper = dice.below(128, len(images), 3, 1, 1)
    ink = paper + 64 + dice.below(65, len(images), 3, 1, 1)
    place = dice.below(5, len(images), 2)
    strength = np.zeros((len(images), 1, 32, 32), np.int64)
    for plane, image, (y, x) in zip(strength[:, 0], images, place, strict=True):
        plane[y : y + 28, x : x + 28] = image
    return (paper + (ink - paper) * strength // 255).astype(np.uint8), labels


def cluttered(images, labels):
    """Lay half-size digits among fragments of others: uint8 [n, 1, 32, 32], a label for each pixel.

    A canvas has three digits in three of its four quarters, and six squares of 5 x 5 pixels cut from
    other digits, on noise of 0..31. A pixel's label is 1 + the digit whose ink (above 63) covers it, 0 elsewhere;
    uint8 [n, 32, 32].
    """
    small, count = half(images, labels)[0][:, 0], len(images)
    dice = Dice(count)
    canvases = dice.below(32, count, CANVAS, CANVAS).astype(np.uint8)
    maps = np.zeros(canvases.shape, np.uint8)
    others = dice.below(count, count, FRAGMENTS_ON_CANVAS + DIGITS_ON_CANVAS - 1)
    cuts = dice.below(14 - FRAGMENT + 1, count, FRAGMENTS_ON_CANVAS, 2)
    places = dice.below(CANVAS - FRAGMENT + 1, count, FRAGMENTS_ON_CANVAS, 2)
    quarters = dice.below(4, count, 1)[:, 0]
    offsets = dice.below(3, count, DIGITS_ON_CANVAS, 2)
    for index, canvas in enumerate(canvases):
        pieces = zip(others[index], cuts[index], places[index], strict=False)
        for other, (top, left), (y, x) in pieces:
            spot = canvas[y : y + FRAGMENT, x : x + FRAGMENT]
            np.maximum(spot, small[other, top : top + FRAGMENT, left : left + FRAGMENT], out=spot)
        digits = [index, *others[index, FRAGMENTS_ON_CANVAS:]]
        quarter = [place for place in range(4) if place != quarters[index]]
        for digit, place, (dy, dx) in zip(digits, quarter, offsets[index], strict=True):
            y, x = 16 * (place // 2) + dy, 16 * (place % 2) + dx
            spot = canvas[y : y + 14, x : x + 14]
            np.maximum(spot, small[digit], out=spot)
            ink = small[digit] > 63
            maps[index, y : y + 14, x : x + 14][ink] = labels[digit] + 1
    return canvases[:, None], maps


def scenes(images, labels):
    """Lay digits of two sizes out on a canvas: uint8 [n, 1, 56, 56], and a box round each, uint8 [n, 4, 5].

    Each quarter of a canvas has nothing, a digit of 28 x 28 or one of 14 x 14 somewhere, on noise of 0..31. A box is the digit, left, top, right and
    bottom of its ink (above 63), the last two beyond it; 255 instead of a digit is no box.
    """
    small, count = half(images, labels)[0][:, 0], len(images)
    dice = Dice(count)
    canvases = dice.below(32, count, SCENE, SCENE).astype(np.uint8)
    boxes = np.full((count, 4, 5), NO_BOX, np.uint8)
    sizes, others, offsets = dice.below(3, count, 4), dice.below(count, count, 4), dice.below(15, count, 4, 2)
    for canvas, found, kinds, chosen, moves in zip(canvases, boxes, sizes, others, offsets, strict=True):
        for place in range(4):
            if kinds[place] == 0:
                continue
            y, x = 28 * (place // 2), 28 * (place % 2)
            digit = images[chosen[place]]
            if kinds[place] == 2:
                digit = small[chosen[place]]
                y, x = y + moves[place, 0], x + moves[place, 1]
            spot = canvas[y : y + len(digit), x : x + len(digit)]
            np.maximum(spot, digit, out=spot)
            rows, columns = np.nonzero(digit > 63)
            found[place] = (
                labels[chosen[place]],
                x + columns.min(),
                y + rows.min(),
                x + columns.max() + 1,
                y + rows.max() + 1,
            )
    return canvases[:, None], boxes


VIEWS = {
    "mnist_half": ("mnist_test", half),
    "mnist_points": ("mnist_test", points),
    "mnist_coloured": ("mnist_test", coloured),
    "mnist_cluttered": ("mnist_test", cluttered),
    "mnist_scenes": ("mnist_test", scenes),
}
"""Name of each derived set: the kept set that it comes from, and the function that makes it."""
