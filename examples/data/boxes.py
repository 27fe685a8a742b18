"""What a detector's outputs mean as boxes, how right they are, and a picture of them; needs NumPy only."""

import base64
import struct
import zlib

import numpy as np

from examples.data.derive import NO_BOX, SCENE

CLASSES = 10
STEPS = (4, 8)
"""Pixels from cell to cell of each map, which is what their offsets count in."""

SIZES = (12, 24)
"""Height and width of the default box of each map's cells; a width of the box is told as the difference in eighths of it."""


def cells():
    """Return the middle of each cell, x and y, its step and the size of its default box: four arrays, first map first."""
    found = []
    for step, size in zip(STEPS, SIZES, strict=True):
        y, x = np.mgrid[0 : SCENE // step, 0 : SCENE // step].reshape(2, -1)
        found.append((x * step + step / 2, y * step + step / 2, np.full(len(x), step), np.full(len(x), size)))
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))


def decode(outputs):
    """Return what outputs, [n, 15, cells], say: class, score and box (left, top, right, bottom) of each cell."""
    x, y, step, size = cells()
    scores, shift = outputs[:, 1 : 1 + CLASSES], outputs[:, 1 + CLASSES :]
    middle_x, middle_y = x + step * shift[:, 0], y + step * shift[:, 1]
    width, height = size * (1 + shift[:, 2] / 8), size * (1 + shift[:, 3] / 8)
    edges = (middle_x - width / 2, middle_y - height / 2, middle_x + width / 2, middle_y + height / 2)
    return scores.argmax(1), scores.max(1) - outputs[:, 0], np.stack(edges, 2)


def encode(boxes):
    """Return what a detector should answer where `boxes`, uint8 [n, 4, 5], are: classes [n, cells], 0 for none, and offsets [n, 4, cells].

    A box is told by the cell that its middle is in: of the second map if it is higher than 16 pixels, else of the first.
    """
    x, y, step, size = cells()
    classes, offsets = np.zeros((len(boxes), len(x)), np.int64), np.zeros((len(boxes), 4, len(x)), np.float32)
    per_row = [SCENE // each for each in STEPS]
    for frame, found in enumerate(boxes.astype(np.int64)):
        for digit, left, top, right, bottom in found[found[:, 0] != NO_BOX]:
            second = int(bottom - top > 16)
            middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
            row, column = int(middle_y // STEPS[second]), int(middle_x // STEPS[second])
            cell = second * per_row[0] ** 2 + row * per_row[second] + column
            classes[frame, cell] = digit + 1
            offsets[frame, :, cell] = (
                (middle_x - x[cell]) / step[cell],
                (middle_y - y[cell]) / step[cell],
                8 * ((right - left) / size[cell] - 1),
                8 * ((bottom - top) / size[cell] - 1),
            )
    return classes, offsets


def overlap(box, others):
    """Return how much of the union of `box` and each of `others`, [n, 4], both cover."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    both = np.prod(np.maximum(high - low, 0), 1)
    area = np.prod(np.maximum(others[:, 2:] - others[:, :2], 0), 1) + np.prod(np.maximum(box[2:] - box[:2], 0))
    return both / np.maximum(area - both, 1e-9)


def detections(classes, scores, edges, least=0.0):
    """Return the boxes of one frame, best first: those that score more than `least` and overlap no better one by 0.45."""
    kept = []
    for index in np.argsort(-scores, kind="stable"):
        if scores[index] <= least:
            break
        if not kept or overlap(edges[index], edges[kept]).max() < 0.45:
            kept.append(index)
    return [(int(classes[index]), float(scores[index]), edges[index]) for index in kept]


def mean_average_precision(outputs, boxes, at=0.5):
    """Return the mean over the digits that occur of the area under precision over recall; a box is found that is overlapped by `at`."""
    hits, wanted = [[] for _ in range(CLASSES)], np.zeros(CLASSES)
    for frame, *told in zip(boxes.astype(np.int64), *decode(outputs), strict=True):
        there = frame[frame[:, 0] != NO_BOX]
        wanted += np.bincount(there[:, 0], minlength=CLASSES)
        free = np.ones(len(there), bool)
        for digit, score, box in detections(*told, least=-2.0):
            match = (
                np.where(free & (there[:, 0] == digit), overlap(box, there[:, 1:]), 0) if len(there) else np.zeros(1)
            )
            found = match.max() >= at
            free[match.argmax() : match.argmax() + 1] &= not found
            hits[digit].append((-score, found))
    areas = []
    for found, count in zip(hits, wanted, strict=True):
        if count == 0:
            continue
        right = np.cumsum([hit for _, hit in sorted(found, key=lambda pair: pair[0])])
        precision = right / np.arange(1, len(right) + 1)
        best = np.maximum.accumulate(precision[::-1])[::-1]
        areas.append(float(np.sum(np.diff(right, prepend=0) * best) / count))
    return float(np.mean(areas))


def drawing(images, outputs):
    """Return an SVG of scenes, uint8 [n, 56, 56], side by side, with the boxes that `outputs` tell."""
    parts = []
    for place, (image, *told) in enumerate(zip(images, *decode(outputs), strict=True)):
        rows = zlib.compress(b"".join(b"\0" + bytes(row) for row in image))
        blocks = ((b"IHDR", struct.pack(">IIBBBBB", SCENE, SCENE, 8, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
        png = b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in blocks
        )
        left = place * (SCENE + 4)
        href = base64.b64encode(png).decode()
        parts.append(f'<image x="{left}" width="{SCENE}" height="{SCENE}" href="data:image/png;base64,{href}"/>')
        for digit, _, (x0, y0, x1, y1) in detections(*told):
            box = f'x="{left + x0:.1f}" y="{y0:.1f}" width="{x1 - x0:.1f}" height="{y1 - y0:.1f}"'
            parts.append(f'<rect {box} fill="none" stroke="#e33" stroke-width="0.6"/>')
            parts.append(f'<text x="{left + x0 + 0.6:.1f}" y="{y0 + 5:.1f}" font-size="5" fill="#fd3">{digit}</text>')
    width = len(images) * (SCENE + 4) - 4
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {SCENE}" width="{3 * width}" font-family="sans-serif">'
    return "\n".join([head, *parts, "</svg>"]) + "\n"
