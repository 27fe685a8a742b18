"""Between which numbers a node's results lie, if its inputs lie between others and float32 rounds as the file's did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from hwgen.graph import Node
from hwgen.operators import evaluate

__all__ = ["PRODUCTS", "Bracket", "agrees", "bracketed", "largest_summed", "settled"]

ALIKE = 2.0**-14
"""How far, relative to the largest number of a tensor, two executors of one precision may be apart in a sum."""

NEAR = 1e-6
"""Distance from a multiple within which a weight is meant to be that, of the row's largest; as where weights are typed."""

MOST_MULTIPLES = 255
"""Largest whole number up to which multiples are looked for."""

FINE = 2.5e-7
"""The same distance for larger ones."""

FIRST = 64
"""Weights of a row that are tried first."""

SETTLED = 2.0**-40
"""How far, relative to what is summed, float64 may be off in any sum."""

HALF_AN_ULP = 2.0**-24
"""How far, relative to itself, float32's nearest is from a number."""

MOST_CORNERS = 3
"""Inputs of a node that are taken at both ends independently of one another."""

RANKINGS = ("ArgMax", "ArgMin", "TopK")

SUMS = ("Add", "Sub", "AveragePool", "GlobalAveragePool", "ReduceMean", "ReduceSum", "Sum")

PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")

Bracket = tuple[np.ndarray, np.ndarray, np.ndarray]
"""A tensor calculated exactly, and the least and the greatest that it may be."""


def agrees(
    node: Node, same: np.ndarray, file: np.ndarray, given: Sequence[np.ndarray | None], summed: float = 0.0
) -> np.ndarray:
    """Whether each number of the file is what a node makes of the file's own inputs, but for the rounding of what it, or the nodes that it is part of, has ``summed`` up."""
    there = file.astype(np.float64).reshape(same.shape)
    near = np.full(same.shape, max(_alike(there), ALIKE * summed))
    if same.dtype.kind == "f":
        near = np.maximum(near, ALIKE * _magnitudes(node, same, given))
    return np.asarray(np.abs(same - there) <= near)


def largest_summed(node: Node, given: Sequence[np.ndarray | None]) -> float:
    """Give the largest sum of magnitudes of a product or a sum; 0 for other nodes."""
    if node.op not in (*PRODUCTS, *SUMS):
        return 0.0
    return float(np.max(_magnitudes(node, np.zeros(()), given), initial=0.0))


def settled(node: Node, result: np.ndarray, given: Sequence[np.ndarray | None]) -> np.ndarray:
    """Take float64's own rounding out of a result: what is zero, or a float32, but for that, is meant to be it."""
    if result.dtype.kind != "f":
        return result
    near = SETTLED * _magnitudes(node, result, given)
    with np.errstate(over="ignore", invalid="ignore"):
        short = result.astype(np.float32)
        found = np.where(np.abs(result - short) <= near, short, result)
    return np.where(np.abs(found) <= near, 0.0, found)


def _alike(file: np.ndarray) -> float:
    """Give how far another executor may be from a tensor."""
    return ALIKE * float(np.max(np.abs(file), initial=0.0))


def _magnitudes(node: Node, same: np.ndarray, given: Sequence[np.ndarray | None]) -> np.ndarray:
    """Give the sizes of what is summed up."""
    if node.op not in (*PRODUCTS, *SUMS):
        return np.abs(same)
    plain = replace(node, op=node.op.replace("Sub", "Add"))
    sizes = [None if array is None else np.abs(array) if array.dtype.kind == "f" else array for array in given]
    return np.abs(evaluate.apply(plain, sizes, np.float64)[0])


def bracketed(
    node: Node,
    given: Sequence[np.ndarray | None],
    meant: Sequence[np.ndarray | None],
    ends: Sequence[Bracket | None],
    file: Sequence[np.ndarray | None],
    summed: float = 0.0,
) -> Iterator[Bracket]:
    """Bracket what a node yields.

    Parameters
    ----------
    node : Node
    given : sequence of ndarray or None
        Its inputs as the file has them.
    meant : sequence of ndarray or None
        And as they are meant.
    ends : sequence of Bracket or None
        And as they may be.
    file : sequence of ndarray or None
        What the file has as results, where it is known.
    summed : float
        The largest sum of magnitudes of the nodes that the file does not have one by one, in front of this.
    """
    exact = evaluate.apply(node, meant, np.float64)
    if node.op in RANKINGS:
        yield from _ranked(node, exact, next(bracket for bracket in ends if bracket is not None))
        return
    runs = [list(run) for run in zip(*_runs(node, exact, ends), strict=True)]
    rounded = evaluate.apply(node, given)
    for local, same, found, sides in zip(exact, rounded, file, runs, strict=False):
        there = None if found is None or found.size != local.size else found.reshape(local.shape)
        yield _widened(node, local, same, there, sides, given, summed)


def _widened(
    node: Node,
    exact: np.ndarray,
    same: np.ndarray,
    file: np.ndarray | None,
    runs: list[np.ndarray],
    given: Sequence[np.ndarray | None],
    summed: float,
) -> Bracket:
    """Allow for the rounding of this node; nothing is explained where the file does not mean the same."""
    middle = runs[0]
    if exact.dtype.kind == "f":
        runs = [*runs, exact, *(middle - exact + meant for meant in _as_multiples(node, given, exact))]
        runs = [*runs, *(run + _of_bias(node, given) for run in runs)]
        runs = [*runs, *(settled(node, run, given) for run in runs)]
        if file is not None:
            fits = agrees(node, same, file, given, summed)
            runs = [*runs, np.where(fits, file, np.nan), np.where(fits, same, np.nan)]
    elif file is not None:
        runs = [*runs, np.where(same == file, file, middle)]
    return middle, np.minimum.reduce(runs), np.maximum.reduce(runs)


def _runs(node: Node, exact: Sequence[np.ndarray], ends: Sequence[Bracket | None]) -> list[Sequence[np.ndarray]]:
    """Calculate a node with its inputs as they are meant, and at their ends."""
    wide = [place for place, bracket in enumerate(ends) if bracket is not None and not _is_one(bracket)]
    if not wide:
        return [exact]
    middle = [None if bracket is None else bracket[0] for bracket in ends]
    runs: list[Sequence[np.ndarray]] = [evaluate.apply(node, middle, np.float64)]
    if node.op in PRODUCTS:
        off = _spread(node, ends)
        return [*runs, (runs[0][0] - off,), (runs[0][0] + off,)]
    apart = wide if node.op in evaluate.CHANNELWISE and len(wide) <= MOST_CORNERS else [-1]
    for sides in product((1, 2), repeat=len(apart)):
        at = dict(zip(apart, sides, strict=True))
        taken = [
            None if bracket is None else bracket[at.get(place, at.get(-1, 0))] for place, bracket in enumerate(ends)
        ]
        runs.append(evaluate.apply(node, taken, np.float64))
    return runs


def _is_one(bracket: Bracket) -> bool:
    middle, low, high = bracket
    return (middle is low and middle is high) or (np.array_equal(middle, low) and np.array_equal(middle, high))


def _spread(node: Node, ends: Sequence[Bracket | None]) -> np.ndarray:
    """Tell how far a sum of products may be from that of the middles."""
    first, second = (_around(bracket) for bracket in ends[:2] if bracket is not None)
    linear = _plain(node, magnitudes=True)
    off = sum(
        evaluate.apply(linear, pair, np.float64)[0]
        for pair in ((first[1], second[0]), (first[0], second[1]), (first[1], second[1]))
        if np.any(pair[0]) and np.any(pair[1])
    )
    return np.asarray(off)


def _around(bracket: Bracket) -> tuple[np.ndarray, np.ndarray]:
    """Give the magnitude of the middle, and how far the ends are from it."""
    middle, low, high = (np.asarray(side, dtype=np.float64) for side in bracket)
    return np.abs(middle), np.maximum(np.abs(high - middle), np.abs(middle - low))


def _plain(node: Node, *, magnitudes: bool = False) -> Node:
    """Give a product without what is added, and of magnitudes without a sign of its own."""
    attributes = dict(node.attributes)
    if magnitudes and "alpha" in attributes:
        attributes["alpha"] = abs(attributes["alpha"])
    return replace(node, inputs=node.inputs[:2], attributes=attributes)


def _ranked(node: Node, exact: Sequence[np.ndarray], bracket: Bracket) -> Iterator[Bracket]:
    """Bracket what a ranking yields: a place may hold every number that so many others may be ahead of, and so many behind."""
    _, low, high = bracket
    axis = int(node.attributes["axis"])
    if node.op == "ArgMin" or not node.attributes.get("largest", 1):
        low, high = -high, -low
    low, high = (np.moveaxis(np.nan_to_num(side, nan=0.0), axis, -1)[..., None] for side in (low, high))
    near = ALIKE * HALF_AN_ULP * np.maximum(np.abs(low), np.abs(high))
    others = np.swapaxes(low, -1, -2), np.swapaxes(high, -1, -2)
    first = np.sum(others[0] > high + near, axis=-1)
    last = np.sum(others[1] >= low - near, axis=-1) - 1
    count = exact[-1].shape[axis] if node.op == "TopK" else 1
    places = np.arange(count)
    may = (first[..., None] <= places) & (places <= last[..., None])
    least = may.argmax(axis=-2)
    greatest = may.shape[-2] - 1 - may[..., ::-1, :].argmax(axis=-2)
    for result in exact:
        sides = [np.moveaxis(side, -1, axis).reshape(exact[-1].shape).astype(np.float64) for side in (least, greatest)]
        yield (result, *sides) if result is exact[-1] else (result, result, result)


def _of_bias(node: Node, given: Sequence[np.ndarray | None]) -> np.ndarray | float:
    """Tell how far a product is off whose bias is multiplied by a factor, and rounded, before it is added."""
    factor = float(node.attributes.get("beta", 1.0)) if node.op == "Gemm" and len(given) > 2 else 1.0
    if factor == 1.0 or given[2] is None:
        return 0.0
    times = np.float64(np.float32(factor)) * given[2].astype(np.float64)
    return np.asarray(times.astype(np.float32) - times)


def _as_multiples(node: Node, given: Sequence[np.ndarray | None], exact: np.ndarray) -> list[np.ndarray]:
    """Give a sum of products as it is where weights that float32 rounded are multiples of a step, at the least and the greatest step that they may mean."""
    if node.op not in PRODUCTS or any(array is None for array in given[:2]):
        return []
    x, weights = (np.asarray(array, dtype=np.float64) for array in given[:2])
    axis = _rows_axis(node, weights)
    rows = np.moveaxis(weights, axis, 0).reshape(weights.shape[axis], -1)
    multiples = _multiples(rows)
    steps = np.divide(rows, multiples, out=np.full(rows.shape, np.nan), where=multiples != 0)
    plain = _plain(node)
    before = evaluate.apply(plain, [x, weights], np.float64)[0]
    found = []
    for step in (np.fmin.reduce(steps, axis=1), np.fmax.reduce(steps, axis=1)):
        # Of a row of no small multiples each weight may be as far off as where larger ones are typed.
        taken = np.where(np.isnan(step)[:, None], rows, multiples * np.nan_to_num(step)[:, None])
        meant = np.moveaxis(taken.reshape(np.moveaxis(weights, axis, 0).shape), 0, axis)
        found.append(exact + evaluate.apply(plain, [x, meant], np.float64)[0] - before)
    real = np.isnan(steps).all(axis=1) & np.any(rows, axis=1)
    if np.any(real):
        largest = np.max(np.abs(rows), axis=1, keepdims=True)
        off = np.where(real[:, None] & (rows != 0), FINE * largest, 0.0)
        off = np.moveaxis(off.reshape(np.moveaxis(weights, axis, 0).shape), 0, axis)
        spread = evaluate.apply(_plain(node, magnitudes=True), [np.abs(x), off], np.float64)[0]
        found += [exact - spread, exact + spread]
    return found


def _rows_axis(node: Node, weights: np.ndarray) -> int:
    """Give the axis of the weights along which rows of their own scales lie."""
    if node.op == "Conv":
        return 0
    if node.op == "Gemm":
        return 0 if node.attributes.get("transB", 0) else 1
    return weights.ndim - 1 if node.op == "MatMul" else 1


def _multiples(rows: np.ndarray) -> np.ndarray:
    """Give whole numbers of which each row's weights are multiples, up to float32's rounding; zeros where there are none."""
    found = np.zeros(rows.shape)
    largest = np.max(np.abs(rows), axis=1, initial=0.0)
    left = np.flatnonzero(largest > 0)
    for number in range(1, MOST_MULTIPLES + 1):
        if not len(left):
            break
        some = rows[left, :FIRST] * (number / largest[left])[:, None]
        near = left[np.all(np.abs(some - np.rint(some)) <= NEAR * number, axis=1)]
        if not len(near):
            continue
        ratios = rows[near] * (number / largest[near])[:, None]
        whole = np.rint(ratios)
        fits = np.all(np.abs(ratios - whole) <= NEAR * number, axis=1)
        found[near[fits]] = whole[fits]
        left = np.setdiff1d(left, near[fits])
    return found
