"""BiBench's robustness track: what corruptions cost trained networks of ResNet-20's shape, as the accelerator computes them.

``OMP_NUM_THREADS=1 python -m benchmarks.bibench.robustness`` runs the golden models, which are the Verilog bit for bit, and writes ``robustness.json``;
`float_twin` adds the reference.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import hwgen
from benchmarks.bibench.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from benchmarks.bibench.metrics import overall, relative_gap
from examples.data.load import load
from hwgen.arrays import codec
from hwgen.golden.network import PackedNetwork

__all__ = ["FRAMES", "NETWORKS", "REFERENCE", "accuracies", "keep", "summary", "test_images"]

RECORD = Path(__file__).with_name("robustness.json")
EXAMPLES = Path(__file__).parents[2] / "examples" / "algorithms"
NETWORKS = ("bireal20", "reactnet20")
REFERENCE = "float"
FRAMES = 500

Scores = Callable[[np.ndarray], np.ndarray]


def test_images(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the first test images, uint8 [frames, 3, 32, 32], and their labels."""
    codes, labels = load("mnist_coloured")
    return codes[:frames].reshape(frames, 3, 32, 32), labels[:frames]


def golden(name: str) -> Scores:
    """Give the integer network of an example as a function of images."""
    meaning = json.loads((EXAMPLES / name / "expected.json").read_text(encoding="utf-8"))["input"]
    network = hwgen.read(EXAMPLES / name / "model.onnx", input_type=meaning["type"], input_scale=meaning["scale"])
    packed = PackedNetwork(network)

    def scores(images: np.ndarray) -> np.ndarray:
        return codec.from_codes(network, packed.golden(codec.to_codes(network.input, images)))

    return scores


def accuracies(scores: Scores, images: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Give the accuracy on images as they are, and with each corruption at each severity."""

    def right(changed: np.ndarray) -> float:
        return float(np.mean(scores(changed).reshape(len(labels), -1).argmax(1) == labels))

    clean = right(images)
    found = {name: [right(corrupt(images, name, level + 1)) for level in range(SEVERITIES)] for name in CORRUPTIONS}
    return {"frames": len(labels), "clean": clean, "corrupted": found}


def keep(name: str, found: dict[str, Any]) -> None:
    """Put a network's accuracies into the record."""
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    RECORD.write_text(json.dumps(dict(sorted((record | {name: found}).items())), indent=1) + "\n", encoding="utf-8")


def summary(record: dict[str, Any], name: str) -> dict[str, float]:
    """Give a network's mean accuracy under corruption, its relative mean corruption error, and BiBench's overall metric of robustness.

    The error is the mean of the corruptions' relative gaps to the reference's; the overall metric the quadratic mean of the reciprocals of the gaps' ratio over
    corruptions, as BiBench has it, by which 1 is as robust as the reference and more is better.
    """
    own, base = record[name], record[REFERENCE]
    gaps = {
        each: relative_gap(own["clean"], levels, base["clean"], base["corrupted"][each])
        for each, levels in own["corrupted"].items()
    }
    return {
        "clean": own["clean"],
        "corrupted": float(np.mean(list(own["corrupted"].values()))),
        "relative_mce": float(np.mean(list(gaps.values()))),
        "overall": overall(*([1 / gap] for gap in gaps.values())),
    }


def main() -> None:
    for name in NETWORKS:
        keep(name, accuracies(golden(name), *test_images(FRAMES)))
        print(name, json.loads(RECORD.read_text(encoding="utf-8"))[name], flush=True)


if __name__ == "__main__":
    main()
