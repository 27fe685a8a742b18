"""Compile a network of BiBench's, hold it to ONNX Runtime, and fold it for a device of each family."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import hwgen
from benchmarks.bibench.algorithms import ALGORITHMS, BASELINE
from benchmarks.bibench.architectures import ARCHITECTURES, Architecture, write
from benchmarks.bibench.metrics import compression, speedup
from benchmarks.bibench.targets import TARGETS, facts, folded
from hwgen.devices.boards import find_device
from hwgen.errors import HwgenError
from hwgen.network import Network
from hwgen.verification.record import Outcome

__all__ = ["NETWORKS", "frames", "measure", "read"]

NETWORKS = {**ALGORITHMS, BASELINE.name: BASELINE}

SMALL, SEEDS = 1024, 6
"""Numbers of a frame up to which ranges are taken from so many draws of samples."""

FIXED_BITS = (16, 24)
"""Bits of real streams that are tried: with random weights, decisions lie closer together than where training has put them."""


def read(file: Path, architecture: Architecture, samples: np.ndarray) -> tuple[Network | None, dict[str, Any]]:
    """Read a file as its user would: as it is, then, where real numbers become fixed point, with their ranges from frames and more bits.

    Returns
    -------
    Network or None
        None: it is refused.
    dict
        ``outcome`` of holding it to ONNX Runtime, or ``refused``.
    """
    declared = {"input_type": architecture.input_type, "input_scale": architecture.input_scale}
    known: dict[str, Any] = {}
    network = None
    for bits in FIXED_BITS:
        calibrate = None if bits == FIXED_BITS[0] else samples
        try:
            network = hwgen.read(file, **declared, fixed_bits=bits, calibrate=calibrate)
        except HwgenError as error:
            return network, {"refused": str(error)[:300]}
        try:
            found = hwgen.verify(file, network, frames=calibrate)
        except HwgenError as error:
            known = {"outcome": "refused", "sentence": str(error)[:120], "fixed_bits": bits}
            continue
        known = {"outcome": found.outcome.name.lower(), "sentence": found.sentence, "frames": found.frames}
        known |= {"off": max(found.off.values()), "fixed_bits": bits if network.announced else None}
        if found.outcome is not Outcome.DIFFERS:
            break
    return network, known


def frames(architecture: Architecture) -> np.ndarray:
    """Give frames that show what real numbers there are, as the model means them."""
    seeds = SEEDS if np.prod(architecture.frame) <= SMALL else 1
    codes = np.concatenate([architecture.samples(seed) for seed in range(seeds)])
    return codes if architecture.input_scale == 1 else (codes * architecture.input_scale).astype(np.float32)


def measure(architecture: str, algorithm: str, families: Iterable[str], folder: Path) -> Iterator[dict[str, Any]]:
    """Write, read and fold a network; yield its record, then one for each family."""
    what = ARCHITECTURES[architecture]
    key = {"architecture": architecture, "algorithm": algorithm}
    written = write(what, NETWORKS[algorithm])
    file = folder / f"{architecture}_{algorithm}.onnx"
    written.save(file)
    began = time.process_time()
    network, known = read(file, what, frames(what))
    counts = written.counts
    yield {
        **key,
        **known,
        **asdict(counts),
        "compression": round(compression(counts), 2),
        "speedup": round(speedup(counts), 2),
        "layers": len(network.layers) if network else None,
        "seconds": round(time.process_time() - began, 1),
    }
    if network is None:
        return
    for family in families:
        target = TARGETS[family]
        began = time.process_time()
        try:
            found = facts(*folded(network, target), find_device(target.device))
        except HwgenError as error:
            found = {"refused": str(error)[:300]}
        yield {**key, "family": family, "device": target.device, **found} | {
            "seconds": round(time.process_time() - began, 1)
        }
