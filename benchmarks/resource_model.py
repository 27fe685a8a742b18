"""Fit the prices of the resource model to the mapped layers, and say how far it is from them.

``python -m benchmarks.resource_model`` reads ``resources.json``, writes ``hwgen/devices/prices/<family>.json`` and prints the errors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.layer_samples import SAMPLES
from benchmarks.resources import DEVICES, RECORD
from hwgen.devices.boards import find_device
from hwgen.devices.family import Device, Family, fitted_prices
from hwgen.estimation.estimate import Quantities, quantities
from hwgen.rtl_templates.cost import Part

FLOOR = 20
"""LUTs below which errors weigh as if there were so many."""

EXPECTED = {
    Part.FLIPFLOP: 0,
    Part.UNIT: 4,
    Part.WALK_BIT: 2.5,
    Part.CASE: 2,
    Part.REGISTER_BIT: 2,
    Part.TABLE_STACK: 1.4,
    Part.OLD_WORD_BIT: 0.5,
}
"""LUTs of a part before anything is measured; 1 where it is not named, as most bills count LUTs."""

PRIOR = 0.5
"""Weight of that number: a relative error of a price counts as so much of one sample's."""

UNSURE = {
    Part.UNIT,
    Part.ADD_SUB_BIT,
    Part.PRODUCT_BIT,
    Part.RANK_BIT,
    Part.ROOM_BIT,
    Part.WALK_BIT,
    Part.CASE,
    Part.PADDING_BIT,
    Part.OLD_WORD_BIT,
    Part.STACK_BIT,
    Part.REGISTER_BIT,
    Part.STORED_BIT,
    Part.TABLE_STACK,
}
"""Parts that no bill counts to the LUT."""

UNSURE_PRIOR = 0.06
"""Weight of theirs."""

CERTAIN = 1e4
"""Weight of what is known: a flip-flop is no LUT."""

MERGED = {Part.CLEARED_BIT: 0.2, Part.TWIN_BIT: 0.1}
"""What is left of some parts on iCE40, where the LUT of a sum clears, too, and equal registers become one."""

RESET_LUTS = {"gatemate": 0.5}
"""LUTs of a flip-flop where a reset takes one: about half of them have one. No LUT of these families has four inputs of any function, so the bills' counts are worth less."""

PARTS_OF_TEN = 10
"""For the error on layers that a fit has not seen: each tenth of the samples is estimated by a fit to the others."""

GOOD, HOPELESS = 0.06, 0.15
"""Relative errors below which a sample counts less, and above which one counts no more than there."""

FLIPFLOPS = (Part.FLIPFLOP, Part.STORED_BIT, Part.TWIN_BIT)
"""Parts that are flip-flops; what others change about their number is small."""


def solve(matrix: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Give the least squares solution of which nothing is negative (Lawson and Hanson's active sets)."""
    n = matrix.shape[1]
    free, x = np.zeros(n, dtype=bool), np.zeros(n)
    for _ in range(10 * n):
        gradient = matrix.T @ (target - matrix @ x)
        gradient[free] = 0
        if gradient.max() <= 1e-9:
            break
        free[np.argmax(gradient)] = True
        while True:
            trial = np.zeros(n)
            trial[free] = np.linalg.lstsq(matrix[:, free], target, rcond=None)[0]
            if trial[free].min() > 0:
                x = trial
                break
            falling = free & (trial <= 0)
            step = np.min(x[falling] / (x[falling] - trial[falling] + 1e-30))
            x += step * (trial - x)
            free &= x > 1e-12
    return x


def fit(
    found: Sequence[Quantities], target: np.ndarray, parts: Sequence[Part], expected: np.ndarray, prior: np.ndarray
) -> np.ndarray:
    """Give the prices that bring as many samples as possible within a tenth."""
    matrix = np.array([[quantity.parts.get(part, 0) for part in parts] for quantity in found], dtype=float)
    weight = 1 / np.maximum(target, FLOOR)
    known = np.diag(prior / np.maximum(expected, 0.2))
    prices = np.zeros(len(parts))
    for _ in range(30):
        prices = solve(
            np.vstack([matrix * weight[:, None], known]), np.concatenate([target * weight, known @ expected])
        )
        error = np.abs(matrix @ prices - target) / np.maximum(target, FLOOR)
        urgency = np.clip(error / GOOD, 0.2, 1) * np.minimum(1, HOPELESS / np.maximum(error, 1e-9))
        weight = np.sqrt(urgency) / np.maximum(target, FLOOR)
    return prices


def measured(device: Device) -> tuple[list[str], list[Quantities], dict[str, np.ndarray]]:
    """Give names, quantities and measurements of the samples that the record holds for a device's family."""
    stages = {sample.name: sample.stage for sample in SAMPLES}
    rows = [
        row
        for row in json.loads(RECORD.read_text())["rows"]
        if row["family"] == device.family.name and row["sample"] in stages
    ]
    found = [quantities(stages[row["sample"]].resources(), device) for row in rows]
    kinds = ("luts", "ffs", "brams", "lutrams", "dsps")
    return (
        [row["sample"] for row in rows],
        found,
        {kind: np.array([row.get(kind, 0) for row in rows], float) for kind in kinds},
    )


def _expected(part: Part, kind: str, family: Family) -> tuple[float, float]:
    """Give the LUTs or flip-flops that a part should take, and the weight of that."""
    known = MERGED if family.name == "ice40" else {}
    if kind == "ffs":
        number = float(part in FLIPFLOPS) * known.get(part, 1)
        return number, PRIOR if part in FLIPFLOPS else UNSURE_PRIOR
    if family.name in RESET_LUTS:
        number = RESET_LUTS[family.name] if part is Part.FLIPFLOP else EXPECTED.get(part, 1)
        return number, UNSURE_PRIOR
    if part is Part.FLIPFLOP:
        return 0, CERTAIN
    number = EXPECTED.get(part, 1) * known.get(part, 1)
    return number, UNSURE_PRIOR if part in UNSURE else PRIOR


def _unseen(
    found: Sequence[Quantities],
    target: np.ndarray,
    parts: Sequence[Part],
    expected: np.ndarray,
    prior: np.ndarray,
    matrix: np.ndarray,
) -> np.ndarray:
    """Estimate each sample by prices that were fitted without it."""
    order = np.random.default_rng(0).permutation(len(found))
    estimated = np.zeros(len(found))
    for first in range(PARTS_OF_TEN):
        left_out = order[first::PARTS_OF_TEN]
        rest = np.setdiff1d(order, left_out)
        prices = fit([found[number] for number in rest], target[rest], parts, expected, prior)
        estimated[left_out] = matrix[left_out] @ prices
    return estimated


def _summary(error: np.ndarray) -> dict[str, float]:
    """Give the mean and the greatest relative error, and how many are at most a tenth."""
    size = np.abs(error)
    return {
        "mean": round(float(np.mean(size)), 4),
        "worst": round(float(np.max(size)), 4),
        "within_10_percent": round(float(np.mean(size <= 0.1)), 4),
    }


def model(device: Device, *, show: bool = False) -> dict[str, Any]:
    """Fit one family."""
    names, found, is_ = measured(device)
    known = set().union(*(quantity.parts for quantity in found))
    parts = [part for part in Part if part in known]
    lutram = np.array([quantity.lutrams * device.family.memories.lut_luts for quantity in found])
    fitted: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for kind, fixed in (("luts", lutram), ("ffs", np.zeros(len(found)))):
        expected, prior = np.array([_expected(part, kind, device.family) for part in parts]).T
        prices = fit(found, is_[kind] - fixed, parts, expected, prior)
        matrix = np.array([[quantity.parts.get(part, 0) for part in parts] for quantity in found], dtype=float)
        estimated = matrix @ prices + fixed
        error = (estimated - is_[kind]) / np.maximum(is_[kind], FLOOR)
        fitted[kind] = {part.value: round(float(price), 3) for part, price in zip(parts, prices, strict=True)}
        unseen = _unseen(found, is_[kind] - fixed, parts, expected, prior, matrix) + fixed
        errors[kind] = _summary(error) | {
            "unseen": _summary((unseen - is_[kind]) / np.maximum(is_[kind], FLOOR)),
        }
        if show:
            print(device.family.name, kind, fitted[kind], errors[kind])
            for index in np.argsort(-np.abs(error))[: int(np.sum(np.abs(error) > 0.08))]:
                print(f"  {error[index]:+.0%} {is_[kind][index]:6.0f} {estimated[index]:6.0f} {names[index]}")
    for kind in ("brams", "lutrams", "dsps"):
        counted = np.array([getattr(quantity, kind) for quantity in found])
        wrong = np.flatnonzero(counted != is_[kind])
        errors[kind] = {"exact": round(1 - len(wrong) / len(found), 4)}
        if show:
            for index in wrong:
                print(f"  {kind} {is_[kind][index]:g} estimated {counted[index]:g} {names[index]}")
    return {**fitted, "error": errors, "samples": len(found)}


def main() -> None:
    record = json.loads(RECORD.read_text())
    present = {row["family"] for row in record["rows"]}
    for device in map(find_device, DEVICES):
        family = device.family.name
        if family in present:
            content = {"yosys": record["yosys"], **model(device, show=True)}
            fitted_prices(family).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
