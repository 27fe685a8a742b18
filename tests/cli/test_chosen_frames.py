"""A simulation without frames of the user's chooses its own, and says what they can tell."""

import json
from pathlib import Path

import pytest

from hwgen.cli.main import main


def test_simulate_without_input_chooses_frames_so_that_weights_matter(
    dense_build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", str(dense_build), "--stall", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    seen = facts["seen"]
    assert (facts["mismatches"], facts["beats_off_schedule"]) == (0, 0)
    assert 1024 + 8 <= facts["frames"] <= 1024 + 96
    assert 90 < seen["weight_bits_tried"] <= 128
    lost = seen["weight_bits_tried"] - seen["weight_bits_seen"] + seen["thresholds_tried"] - seen["thresholds_seen"]
    assert lost == len(seen["unseen"])
    assert main(["simulate", str(dense_build), "--frames", "3"]) == 0
    shown = capsys.readouterr().out
    assert "3 frames in verilator" in shown
    assert "weight bits that show" in shown
