"""What the manifest says of an accelerator's ports."""

from __future__ import annotations

import json
from pathlib import Path

import hwgen
from hwgen.fold import Fold
from hwgen.plan import Plan
from tests.small_networks import mlp
from tests.test_network import TWO_INPUTS


def ports_of(plan: Plan, folder: Path) -> dict:
    hwgen.build(plan, folder)
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["ports"]


def test_a_port_of_one_map_has_its_beats(tmp_path: Path) -> None:
    network = mlp(12, 6)
    ports = ports_of(Plan(network, {"dense0": Fold(pe=2, simd=3)}), tmp_path / "build")
    bipolar = {"low": -1, "high": 1, "bipolar": True}
    assert ports["s_axis"] == {"type": bipolar, "lanes": 3, "map": [1, 1, 12], "beats_per_frame": 4, "bytes": 1}
    sums = {"low": -12, "high": 12, "bipolar": False}
    assert ports["m_axis"] == {"type": sums, "lanes": 2, "map": [1, 1, 6], "beats_per_frame": 3, "bytes": 2}


def test_a_port_of_several_maps_has_each_by_its_name(tmp_path: Path) -> None:
    folds = {"dense": Fold(pe=2, simd=1), "sum": Fold(pe=2), "all": Fold(pe=1)}
    port = ports_of(Plan(TWO_INPUTS, folds), tmp_path / "build")["s_axis"]
    assert list(port) == ["beats_per_frame", "bytes", "inputs"]
    assert list(port["inputs"]) == ["x", "z"]
    assert port["beats_per_frame"] == sum(part["beats_per_frame"] for part in port["inputs"].values())
    assert port["inputs"]["z"]["map"] == [1, 1, 4]


def test_each_text_of_a_build_folder_ends_with_its_line(dense_build: Path) -> None:
    texts = [
        path for path in dense_build.rglob("*") if path.suffix in {".json", ".v", ".mem", ".vlt", ".md", ".py", ".core"}
    ]
    assert len(texts) > 8
    assert [path.name for path in texts if not path.read_text(encoding="utf-8").endswith("\n")] == []
