"""Corruptions of images at five severities, after CIFAR10-C (Hendrycks and Dietterich, ICLR 2019, arXiv 1903.12261), in NumPy.

Strengths are those of its 32 x 32 images. Left out are those that need a codec or pictures: JPEG, frost, snow, spatter, elastic, fog, zoom.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["CORRUPTIONS", "SEVERITIES", "corrupt"]

SEVERITIES = 5

Change = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def _gaussian_noise(x: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    return x + strength * random.standard_normal(x.shape)


def _shot_noise(x: np.ndarray, photons: float, random: np.random.Generator) -> np.ndarray:
    return random.poisson(x * photons) / photons


def _impulse_noise(x: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    hit, white = random.random(x.shape) < share, random.random(x.shape) < 0.5
    return np.where(hit, white, x)


def _speckle_noise(x: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    return x + x * strength * random.standard_normal(x.shape)


def _filtered(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Give the map seen through a square kernel of odd size; borders are mirrored."""
    around = len(kernel) // 2
    padded = np.pad(x, [(0, 0), (0, 0), (around, around), (around, around)], mode="symmetric")
    height, width = x.shape[2:]
    result = np.zeros_like(x)
    for row, column in zip(*np.nonzero(kernel), strict=True):
        result += kernel[row, column] * padded[:, :, row : row + height, column : column + width]
    return result


def _gaussian_blur(x: np.ndarray, sigma: float, random: np.random.Generator) -> np.ndarray:
    reach = int(np.ceil(3 * sigma))
    line = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = np.outer(line, line)
    return _filtered(x, kernel / kernel.sum())


def _defocus_blur(x: np.ndarray, radius: float, random: np.random.Generator) -> np.ndarray:
    """Blur with a disk whose edge is drawn from eight points a pixel each way."""
    reach = int(np.ceil(radius))
    fine = (np.arange((2 * reach + 1) * 8) + 0.5) / 8 - reach - 0.5
    disk = (fine[:, None] ** 2 + fine**2 <= radius**2).reshape(2 * reach + 1, 8, 2 * reach + 1, 8).mean((1, 3))
    return _filtered(x, disk / disk.sum())


def _motion_blur(x: np.ndarray, length: float, random: np.random.Generator) -> np.ndarray:
    """Blur each image along a line at an angle of its own, at most 45 degrees off the rows."""
    result = np.empty_like(x)
    reach = int(length) // 2 + 1
    for number, angle in enumerate(random.uniform(-np.pi / 4, np.pi / 4, size=len(x))):
        kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
        for step in np.linspace(-length / 2, length / 2, 8 * reach):
            kernel[reach + round(step * np.sin(angle)), reach + round(step * np.cos(angle))] += 1
        result[number : number + 1] = _filtered(x[number : number + 1], kernel / kernel.sum())
    return result


def _brightness(x: np.ndarray, more: float, random: np.random.Generator) -> np.ndarray:
    """Raise the value of each pixel's colour, its greatest channel, and keep hue and saturation."""
    value = x.max(axis=1, keepdims=True)
    bright = np.minimum(value + more, 1)
    return np.where(value > 0, x * bright / np.maximum(value, 1e-9), bright)


def _contrast(x: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    mean = x.mean(axis=(2, 3), keepdims=True)
    return (x - mean) * share + mean


def _saturate(x: np.ndarray, factor: float, random: np.random.Generator) -> np.ndarray:
    """Pull each pixel's channels from, or towards, its greatest one."""
    value = x.max(axis=1, keepdims=True)
    return value - np.minimum((value - x) * factor, value)


def _pixelate(x: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """Take the mean of as many boxes as a share of the pixels each way, and enlarge it by the nearest."""
    return _enlarged(_enlarged(_means(_means(x, share, 2), share, 3), x.shape[2], 2), x.shape[3], 3)


def _means(x: np.ndarray, share: float, axis: int) -> np.ndarray:
    size = x.shape[axis]
    ends = np.linspace(0, size, max(1, int(size * share)) + 1)
    # The part of each pixel that each box covers.
    covered = np.clip(
        np.minimum(ends[1:, None], np.arange(1, size + 1)) - np.maximum(ends[:-1, None], np.arange(size)), 0, 1
    )
    return np.moveaxis(np.moveaxis(x, axis, -1) @ (covered / covered.sum(1, keepdims=True)).T, -1, axis)


def _enlarged(x: np.ndarray, size: int, axis: int) -> np.ndarray:
    return np.take(x, ((np.arange(size) + 0.5) * x.shape[axis] / size).astype(int), axis=axis)


CORRUPTIONS: dict[str, tuple[Change, tuple[float, ...]]] = {
    "gaussian noise": (_gaussian_noise, (0.04, 0.06, 0.08, 0.09, 0.10)),
    "shot noise": (_shot_noise, (500, 250, 100, 75, 50)),
    "impulse noise": (_impulse_noise, (0.01, 0.02, 0.03, 0.05, 0.07)),
    "speckle noise": (_speckle_noise, (0.06, 0.1, 0.12, 0.16, 0.2)),
    "gaussian blur": (_gaussian_blur, (0.4, 0.6, 0.7, 0.8, 1)),
    "defocus blur": (_defocus_blur, (0.6, 0.8, 1.0, 1.2, 1.5)),
    "motion blur": (_motion_blur, (1.5, 2.5, 3.5, 4.5, 6)),
    "brightness": (_brightness, (0.05, 0.1, 0.15, 0.2, 0.3)),
    "contrast": (_contrast, (0.75, 0.5, 0.4, 0.3, 0.15)),
    "saturate": (_saturate, (0.3, 0.1, 1.5, 2, 5)),
    "pixelate": (_pixelate, (0.95, 0.9, 0.85, 0.75, 0.65)),
}
"""Name -> what it does to images of 0 to 1, [n, channels, height, width], and its strength at each severity."""


def corrupt(images: np.ndarray, name: str, severity: int) -> np.ndarray:
    """Corrupt images, the same ones always alike.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, channels, height, width)
    name : str
        A key of `CORRUPTIONS`.
    severity : int
        1 to 5.

    Returns
    -------
    ndarray of uint8, same shape
    """
    change, strengths = CORRUPTIONS[name]
    random = np.random.default_rng([list(CORRUPTIONS).index(name), severity])
    changed = change(images / 255, strengths[severity - 1], random)
    return np.rint(255 * np.clip(changed, 0, 1)).astype(np.uint8)
