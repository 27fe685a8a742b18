"""The board's top: which accelerator it says it holds, and its clock and rate."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import hwgen
from hwgen.board.line import Line, divisor
from hwgen.board.top import Boot
from hwgen.board.write import boot_image, network_id, write_board_top
from hwgen.errors import BuildError, OptionError
from hwgen.pipeline import memory_image
from hwgen.pipeline.memory_image import LOADED
from hwgen.tools.processes import run
from hwgen.tools.toolchain import Toolchain
from tests.small_networks import mlp


@pytest.mark.parametrize(
    ("clock_hz", "baud", "cycles"),
    [(12_000_000, 3_000_000, 4), (12_000_000, 115_200, 104), (27_000_000, 3_000_000, 9), (25_000_000, 921_600, 27)],
)
def test_cycles_of_a_bit(clock_hz: int, baud: int, cycles: int) -> None:
    assert divisor(clock_hz, baud) == cycles


def test_a_clock_that_is_too_slow_is_refused_with_the_highest_rate() -> None:
    with pytest.raises(
        OptionError, match=r"3,000,000 baud needs a clock of 12 MHz, not 10; choose at most 2,500,000 baud"
    ):
        divisor(10_000_000, 3_000_000)


def test_a_rate_that_the_clock_does_not_give_is_refused() -> None:
    with pytest.raises(OptionError, match=r"A clock of 25 MHz gives 3,125,000 baud, not 3,000,000; choose a rate that"):
        divisor(25_000_000, 3_000_000)


def test_an_spi_host_may_clock_once_in_six_cycles() -> None:
    assert divisor(12_000_000, 2_000_000, Line.SPI) == 6
    assert divisor(12_000_000, 700_000, Line.SPI) == 17
    with pytest.raises(
        OptionError,
        match=r"SPI at 2,000,001 bit/s needs a clock of 12,000,006 Hz, not 12,000,000; choose at most 2,000,000",
    ):
        divisor(12_000_000, 2_000_001, Line.SPI)


def test_the_network_id_changes_with_the_hardware_and_with_the_meaning_of_codes_only(
    dense_build: Path, dense_onnx: Path, tmp_path: Path
) -> None:
    network = hwgen.read(dense_onnx)
    hwgen.build(hwgen.plan(network, min_area=True), tmp_path / "same")
    hwgen.build(hwgen.plan(network, max_throughput=True), tmp_path / "folded")
    assert network_id(tmp_path / "same") == network_id(dense_build)
    assert network_id(tmp_path / "folded") != network_id(dense_build)


def test_a_changed_build_has_no_network_id(dense_build: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(dense_build, tmp_path / "build")
    (folder / "network.json").write_text("{}")
    with pytest.raises(BuildError, match=r"network\.json' was changed"):
        network_id(folder)


def test_the_same_top_is_the_same_text_and_instantiates_the_accelerator(dense_build: Path, tmp_path: Path) -> None:
    accelerator = hwgen.load(dense_build)
    tops = [write_board_top(accelerator, tmp_path / name, clock_hz=12_000_000, baud=3_000_000) for name in "ab"]
    texts = [top.file.read_text() for top in tops]
    assert texts[0] == texts[1]
    assert [top.file.name for top in tops] == [f"{accelerator.network.name}_board.v"] * 2
    assert f"network id {tops[0].shape.network_id:016x}" in texts[0]
    assert len(re.findall(rf"^  {accelerator.network.name} \w+ \($", texts[0], re.MULTILINE)) == 1
    assert not re.search(rf"^module {accelerator.network.name}\(", texts[0], re.MULTILINE)


EXPECTED_WARNINGS = {
    "CASEINCOMPLETE",  # a state that does not exist needs no branch
    "WIDTHEXPAND",  # as in the accelerator: hwgen.verilog.write.WAIVERS
    "WIDTHTRUNC",
}


@pytest.mark.parametrize(("widths", "line"), [((8, 1), Line.UART), ((24, 12, 5), Line.UART), ((8, 1), Line.SPI)])
def test_verilator_finds_nothing_unusual_in_the_whole_board(
    widths: tuple[int, ...], line: Line, tmp_path: Path
) -> None:
    accelerator = hwgen.build(hwgen.plan(mlp(*widths), max_throughput=True), tmp_path / "build")
    rtl = tmp_path / "build" / "rtl"
    top = write_board_top(accelerator, tmp_path, clock_hz=12_000_000, baud=2_000_000, line=line)
    toolchain = Toolchain.find()
    command = [toolchain.need("verilator").path, "--lint-only", "-Wno-fatal", "--top-module", top.module]
    log = tmp_path / "lint.log"
    printed = run([*command, str(rtl / "mlp.v"), str(top.file)], rtl, log, toolchain.environment("verilator"))
    assert set(re.findall(r"%Warning-(\w+)", printed)) <= EXPECTED_WARNINGS


def test_a_layer_called_like_a_part_of_the_board_is_refused(tmp_path: Path) -> None:
    network = mlp(8, 4, 3)
    first, second = network.layers
    layers = (replace(first, name="board_link"), replace(second, source="board_link"))
    plan = hwgen.plan(replace(network, layers=layers), min_area=True)
    accelerator = hwgen.build(plan, tmp_path / "build")
    with pytest.raises(
        OptionError, match=r"module 'mlp_board_link' is also a layer's; compile with another --name than"
    ):
        write_board_top(accelerator, tmp_path / "board", clock_hz=12_000_000, baud=3_000_000)


@pytest.mark.parametrize(
    ("clock_hz", "half_cycles"), [(12_000_000, 1), (40_000_000, 1), (40_000_001, 2), (80_000_000, 2), (100_000_000, 3)]
)
def test_a_flash_is_read_as_fast_as_twenty_megahertz_allow(clock_hz: int, half_cycles: int) -> None:
    assert Boot(words=1, address=0, clock_hz=clock_hz).half_cycles == half_cycles


def test_memories_that_start_with_their_contents_need_no_image_even_when_another_was_loaded(
    dense_onnx: Path, tmp_path: Path
) -> None:
    network = hwgen.read(dense_onnx)
    accelerator = hwgen.build(hwgen.plan(network, min_area=True, writable="all"), tmp_path / "build")
    (accelerator.folder / LOADED).mkdir()
    (accelerator.folder / LOADED / memory_image.FILE).write_bytes(b"image")
    assert memory_image.current_image(accelerator.folder, accelerator.plan) == b"image"
    assert boot_image(accelerator) is None
