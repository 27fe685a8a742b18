"""What a plan shall reach: one goal, and one place that says which device."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hwgen
from hwgen.cli import main
from hwgen.errors import OptionError
from hwgen.folding.file import folding_from_json, folding_to_json
from hwgen.folding.target import Target
from tests.small_networks import mlp

NETWORK = mlp(12, 8, 6)


def test_a_device_is_named_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sentence = "A board has its device: give board 'icebreaker' or device 'hx8k'"
    with pytest.raises(OptionError, match=re.escape(sentence)):
        Target(board="icebreaker", device="hx8k")
    assert (
        main.main(["compile", "no.onnx", "-o", str(tmp_path / "b"), "--board", "icebreaker", "--device", "hx8k"]) == 2
    )
    assert capsys.readouterr().err == f"hwgen: {sentence}\n"
    with pytest.raises(OptionError, match="A folding file has its own device; change it there"):
        Target(folding_file="folding.json", device="hx8k")


def test_a_folding_file_says_its_device_and_older_ones_do_not(tmp_path: Path) -> None:
    text = folding_to_json(hwgen.plan(NETWORK, device="hx8k"))
    assert text.count('"device": "hx8k"') == 1
    assert folding_from_json(NETWORK, text).device == "hx8k"
    (tmp_path / "folding.json").write_text(text)
    assert hwgen.plan(NETWORK, folding_file=tmp_path / "folding.json").device == "hx8k"
    older = text.replace('  "device": "hx8k",\n', "")
    assert folding_from_json(NETWORK, older).device is None
    for device, message in (
        ('"up6k"', r"'device' of folding file must be one of up5k, .*, not 'up6k'"),
        ("5", "'device' of folding file must be the name of a device, not 5"),
    ):
        with pytest.raises(OptionError, match=message):
            folding_from_json(NETWORK, text.replace('"hx8k"', device))
    with pytest.raises(
        OptionError, match="folding file names board 'icebreaker', which has its device; leave 'device' out"
    ):
        folding_from_json(NETWORK, text.replace('"device"', '"board": "icebreaker",\n  "device"'))


def test_a_device_without_a_model_prices_nothing() -> None:
    with pytest.raises(
        OptionError, match=r"no resource model of xc7a35t's family 'xilinx7', only of .*; choose another one"
    ):
        hwgen.plan(NETWORK, device="xc7a35t")
