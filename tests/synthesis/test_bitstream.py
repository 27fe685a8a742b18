"""Bitstreams of boards: pins, rates, packing, and a clock that is missed."""

from __future__ import annotations

import json
import shutil
from itertools import product
from pathlib import Path

import pytest

import hwgen
from hwgen.board import pins
from hwgen.board.line import LINE_PORTS, Line
from hwgen.board.pins import BoardPins, choose_baud, constraints
from hwgen.board.top import FLASH_PORTS
from hwgen.cli import main
from hwgen.devices.boards import boards, find_board
from hwgen.devices.families import FAMILIES
from hwgen.errors import OptionError, ToolError
from hwgen.folding.file import folding_from_json
from hwgen.synthesis import flow, synthesise
from hwgen.synthesis.job import prepare
from hwgen.synthesis.pack import append
from hwgen.tools import toolchain
from hwgen.tools.processes import Task
from hwgen.verilog.write import convert
from tests.small_networks import mlp

PREAMBLE = {"icebreaker": bytes.fromhex("7eaa997e"), "ulx3s_12f": bytes.fromhex("bdb3"), "orangecrab": b"\xbd\xb3"}
"""What a configuration begins with, after comments and padding."""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bitstream") / "build"
    hwgen.build(hwgen.plan(mlp(4, 2), min_area=True), folder)
    return folder


@pytest.fixture(scope="module")
def on_icebreaker(tmp_path_factory: pytest.TempPathFactory, build: Path) -> Path:
    """A build folder with a bitstream, by the command line."""
    folder = shutil.copytree(build, tmp_path_factory.mktemp("packed") / "build")
    assert main.main(["synth", str(folder), "--board", "icebreaker", "--seed", "1", "-q"]) == 0
    return folder


def test_a_board_gets_a_bitstream(on_icebreaker: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = on_icebreaker / "synth" / "icebreaker"
    facts = json.loads((results / "result.json").read_text())
    assert (facts["out_of_context"], facts["bitstream"]) == (False, "mlp.bin")
    assert (facts["link"], facts["baud"]) == ("uart", 3_000_000)
    assert (facts["clock_goal_mhz"], facts["clock_met"]) == (12, True)
    assert facts["notes"] == ["the board's clock of 12 MHz drives the link and the accelerator"]
    assert set(facts["tools"]) == {"pyosys", "nextpnr-ice40", "icepack"}
    assert facts["resources"]["luts"] > 0
    assert facts["harness"]["luts"] > 400  # the link
    assert PREAMBLE["icebreaker"] in (results / "mlp.bin").read_bytes()[:64]
    assert (results / "pins.pcf").read_text() == constraints(find_board("icebreaker"))
    assert "3000000 baud" in (results / "mlp_board.v").read_text()
    assert main.main(["synth", str(on_icebreaker), "--board", "icebreaker", "--seed", "1"]) == 0
    shown = capsys.readouterr().out
    assert "Bitstream mlp.bin, serial port at 3,000,000 baud" in shown
    assert "out of context" not in shown


def test_the_same_bitstream_comes_from_the_kept_netlist_and_from_none(
    on_icebreaker: Path, build: Path, tmp_path: Path
) -> None:
    first = (on_icebreaker / "synth" / "icebreaker" / "mlp.bin").read_bytes()
    fresh = shutil.copytree(build, tmp_path / "build")
    file = fresh / "synth" / "icebreaker" / "mlp.bin"
    assert synthesise(fresh, board="icebreaker", place_and_route=False)["bitstream"] is None
    assert not file.exists()
    assert synthesise(fresh, board="icebreaker", seeds=[1])["cached"] is False
    assert file.read_bytes() == first
    assert synthesise(fresh, board="icebreaker", seeds=[1])["cached"] is True
    assert file.read_bytes() == first


def test_a_board_may_have_its_link_at_spi(
    on_icebreaker: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(on_icebreaker, tmp_path / "build")
    command = ["synth", str(folder), "--board", "icebreaker", "--link", "spi", "--seed", "1"]
    assert main.main(command) == 0
    assert "Bitstream mlp.bin, SPI up to 2,000,000 bit/s" in capsys.readouterr().out
    results = folder / "synth" / "icebreaker"
    facts = json.loads((results / "result.json").read_text())
    assert (facts["link"], facts["baud"], facts["bitstream"]) == ("spi", 2_000_000, "mlp.bin")
    assert facts["notes"][1].startswith("SPI: on PMOD 1A")
    assert facts["harness"]["luts"] > 400  # the link
    assert (results / "pins.pcf").read_text() == constraints(find_board("icebreaker"), line=Line.SPI)
    assert "Clock 12 MHz, up to 2000000 bit/s" in (results / "mlp_board.v").read_text()


def test_spi_is_refused_where_there_are_no_pins_for_it(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["synth", str(build), "--board", "gatemate_evb", "--link", "spi"]) == 2
    assert capsys.readouterr().err == (
        "hwgen: Board 'gatemate_evb' has no SPI pins: leave out --link spi, or give a TOML file of its own a table 'spi'\n"
    )
    assert main.main(["synth", str(build), "--device", "up5k", "--link", "spi"]) == 2
    assert "A device has no link to a host; leave out --link spi, or choose a --board" in capsys.readouterr().err


def test_a_board_s_clock_that_is_missed_is_exit_code_1_without_a_bitstream(
    on_icebreaker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def slow(tasks: list[Task], at_once: int, progress: object) -> list[ToolError | None]:
        report = {"fmax": {"clk": {"achieved": 11.9}}, "utilization": {}, "critical_paths": []}
        (tasks[0].cwd / "report2.json").write_text(json.dumps(report))
        tasks[0].log.write_text("")
        return [None]

    monkeypatch.setattr(flow, "run_all", slow)
    folder = shutil.copytree(on_icebreaker, tmp_path / "build")
    assert main.main(["synth", str(folder), "--board", "icebreaker", "--seed", "2", "-q"]) == 1
    assert capsys.readouterr().err == (
        "hwgen: no bitstream: 11.9 MHz do not reach the board's clock of 12 MHz; "
        "compile with a smaller --target-fps or --min-area, or choose a larger device\n"
    )
    assert not (folder / "synth" / "icebreaker" / "mlp.bin").exists()


def test_a_pll_makes_a_board_s_clock(build: Path) -> None:
    facts = synthesise(build, board="icebreaker", clock_mhz=31, seeds=[1])
    assert (facts["clock_goal_mhz"], facts["clock_met"], facts["baud"]) == (30.75, True, 1_000_000)
    assert facts["notes"] == ["the PLL's clock of 30.75 MHz drives the link and the accelerator"]
    assert set(facts["clocks"]) == {"aclk"}
    assert "Clock 30.75 MHz, 1000000 baud" in (build / "synth" / "icebreaker" / "mlp_board.v").read_text()
    netlist = json.loads((build / "synth" / "icebreaker" / "netlist.json").read_text())
    cells = netlist["modules"]["harness"]["cells"].values()
    (pll,) = [cell for cell in cells if cell["type"] == "SB_PLL40_PAD"]
    assert [int(pll["parameters"][name], 2) for name in ("DIVR", "DIVF", "DIVQ")] == [0, 81, 5]
    at_pin = synthesise(build, board="icebreaker", clock_mhz=12, seeds=[1])
    assert at_pin["notes"] == ["the board's clock of 12 MHz drives the link and the accelerator"]


PACKERS = {one.program: one for family in FAMILIES.values() if (one := family.packer) is not None}


@pytest.mark.parametrize("name", ["icepack", "ecppack", "gmpack", "gowin_pack", "prjoxide"])
def test_a_missing_packer_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = PACKERS[name]
    ends = (one.program, one.package, one.module, one.call)
    assert toolchain.packer(*ends).name == name
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match=rf"^{name} was not found, and it makes the bitstream; install it with: pip"):
        toolchain.packer(*ends)


@pytest.mark.parametrize(
    ("name", "baud"),
    [
        ("icebreaker", 3_000_000),
        ("orangecrab", 3_000_000),
        ("tang_nano_9k", 1_000_000),
        ("ulx3s_12f", 1_000_000),
        ("colorlight_i5", 115_200),
    ],
)
def test_the_rate_is_the_fastest_that_port_and_clock_allow(name: str, baud: int) -> None:
    assert choose_baud(find_board(name), find_board(name).clock.hz) == baud


def test_a_clock_that_is_nearly_fast_enough_for_a_rate_gets_the_next() -> None:
    """Four cycles a bit are the fewest, at the rate that is asked for."""
    assert choose_baud(find_board("icebreaker"), 12_000_000) == 3_000_000
    assert choose_baud(find_board("icebreaker"), 11_950_000) == 2_000_000


def test_a_board_without_a_common_rate_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "BAUDS", (3_000_001,))
    with pytest.raises(
        OptionError, match=r"^Board 'icebreaker' has a clock of 12 MHz and a serial port of at most 3,000"
    ):
        choose_baud(find_board("icebreaker"), 12_000_000)


def test_pins_are_written_for_each_family() -> None:
    assert constraints(find_board("icebreaker")) == (
        "set_io clk 35\nset_io -pullup yes uart_rx 6\nset_io uart_tx 9\nset_io led 11\nset_io -pullup yes button 10\n"
    )
    assert constraints(find_board("upduino31")).splitlines()[-1] == "set_io high0 16"
    assert 'LOCATE COMP "uart_rx" SITE "M1";' in constraints(find_board("ulx3s_12f"))
    assert 'IOBUF PORT "button" IO_TYPE=LVCMOS33 PULLMODE=DOWN;' in constraints(find_board("ulx3s_12f"))
    assert 'IOBUF PORT "button" IO_TYPE=SSTL135_I PULLMODE=NONE;' in constraints(find_board("orangecrab"))
    assert 'IO_LOC "button" 3;\nIO_PORT "button" IO_TYPE=LVCMOS18 PULL_MODE=UP;' in constraints(
        find_board("tang_nano_9k")
    )


def test_spi_takes_the_place_of_the_serial_port_s_pins() -> None:
    assert constraints(find_board("upduino31"), line=Line.SPI) == (
        "set_io clk 20\nset_io spi_sclk 46\nset_io spi_mosi 45\nset_io -pullup yes spi_cs 48\nset_io spi_miso 47\nset_io led 41\n"
    )
    text = convert(BoardPins("inner", find_board("upduino31"), clock_hz=12_000_000, line=Line.SPI), "pins").text
    assert all(f".{port}({port})" in text for port in LINE_PORTS[Line.SPI])
    assert "uart" not in text
    assert "high0" not in text


def test_pins_of_crosslink_and_gatemate_are_written_in_their_programs_words() -> None:
    crosslink = constraints(find_board("crosslink_nx_evn")).splitlines()
    assert crosslink[:2] == [
        "ldc_set_location -site {L13} [get_ports clk]",
        "ldc_set_port -iobuf {IO_TYPE=LVCMOS33 PULLMODE=NONE} [get_ports clk]",
    ]
    assert constraints(find_board("gatemate_evb")) == (
        'Pin_in "clk" Loc = "IO_SB_A8";\nPin_in "uart_rx" Loc = "IO_NB_A2" | PULLUP=true;\n'
        'Pin_out "uart_tx" Loc = "IO_NB_A1";\nPin_out "led" Loc = "IO_EB_B1";\nPin_in "button" Loc = "IO_EB_B0" | PULLUP=true;\n'
    )


def test_a_button_resets_with_its_own_polarity_and_pins_are_held_high() -> None:
    low, high, none = (
        convert(BoardPins("inner", find_board(name), clock_hz=12_000_000), "pins").text
        for name in ("icebreaker", "ulx3s_12f", "upduino31")
    )
    assert "assign reset = ~button;" in low.replace("~ ", "~")
    assert "assign reset = button;" in high or ".rst(button)" in high
    assert "led = ~" in low.replace("~ ", "~")
    assert "led = ~" not in high.replace("~ ", "~")
    assert "button" not in none
    assert "assign high0 = 1'h1;" in none


@pytest.fixture(scope="module")
def spram_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    layers = {"dense0": {"pe": 2, "simd": 6}, "dense1": {"pe": 1, "simd": 4, "memory": "spram"}}
    folder = tmp_path_factory.mktemp("spram") / "build"
    hwgen.build(folding_from_json(mlp(24, 8, 5), json.dumps({"layers": layers})), folder)
    return folder


@pytest.mark.slow
def test_one_file_has_the_bitstream_and_what_the_boot_loader_reads(
    spram_build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = synthesise(spram_build, board="icebreaker", seeds=[1])
    assert (facts["bitstream"], facts["flash_offset"], facts["resources"]["sprams"]) == ("mlp.bin", 0x20000, 1)
    assert "after power-up the memories are loaded from byte 131,072 of the board's flash" in facts["notes"]
    content = (spram_build / "synth" / "icebreaker" / "mlp.bin").read_bytes()
    assert PREAMBLE["icebreaker"] in content[:64]
    assert content[0x20000:] == (spram_build / "load.bin").read_bytes()
    pins = (spram_build / "synth" / "icebreaker" / "pins.pcf").read_text()
    assert pins == constraints(find_board("icebreaker"), boots=True)
    assert main.main(["program", str(spram_build), "--dry-run"]) == 0
    assert capsys.readouterr().out.split()[-1].endswith("synth/icebreaker/mlp.bin")
    assert main.main(["program", str(spram_build), "--dry-run", "--volatile"]) == 2


def test_only_boards_with_a_flash_and_builds_with_memories_to_load_boot(spram_build: Path, build: Path) -> None:
    jobs = [
        prepare(*one, None, False, (1,), None)[0] for one in product((spram_build, build), ("icebreaker", "upduino31"))
    ]
    assert [job.flash_offset for job in jobs] == [0x20000, None, None, None]
    assert [job.image is not None for job in jobs] == [True, True, False, False]
    text = convert(BoardPins("inner", find_board("icebreaker"), clock_hz=12_000_000, boots=True), "pins").text
    assert all(f".{port}(" in text for port in (*FLASH_PORTS, "failed"))


def test_the_pins_of_the_flash_are_there_with_a_boot_loader_only() -> None:
    added = set(constraints(find_board("icebreaker"), boots=True).splitlines())
    added -= set(constraints(find_board("icebreaker")).splitlines())
    assert added == {
        "set_io flash_clk 15",
        "set_io flash_cs 16",
        "set_io flash_copi 14",
        "set_io -pullup yes flash_cipo 17",
    }


def test_an_image_goes_behind_the_bitstream_or_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "net.bin"
    file.write_bytes(b"bits")
    append(file, b"image", 6, "mine")
    assert file.read_bytes() == b"bits\xff\xffimage"
    with pytest.raises(
        OptionError, match=r"has 11 bytes and the memories of board 'mine' begin at byte 10 of its flash"
    ):
        append(file, b"image", 10, "mine")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "line"),
    [(name, line) for name, board in sorted(boards().items()) for line in Line if line is Line.UART or board.spi],
)
def test_every_board_gets_a_bitstream_at_its_clock(build: Path, name: str, line: Line) -> None:
    facts = synthesise(build, board=name, seeds=[1], line=line)
    assert facts["clock_met"] is True
    content = (build / "synth" / name / facts["bitstream"]).read_bytes()
    assert len(content) > 10_000
    assert PREAMBLE.get(name, b"") in content
