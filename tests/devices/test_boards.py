import importlib
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from hwgen.devices.boards import Board, Programmer, _read_device, boards, devices, find_board, find_device, read_board
from hwgen.devices.gowin import GOWIN
from hwgen.devices.nexus import NEXUS
from hwgen.errors import OptionError
from hwgen.synthesis.place import arguments

ALL = boards()

AMARANTH = {
    "hx8k_breakout": ("ice40_hx8k_b_evn", "ICE40HX8KBEVNPlatform"),
    "icebreaker": ("icebreaker", "ICEBreakerPlatform"),
    "orangecrab": ("orangecrab_r0_2", "OrangeCrabR0_2_25FPlatform"),
    "tang_nano_9k": ("tang_nano_9k", "TangNano9kPlatform"),
    "ulx3s_12f": ("ulx3s", "ULX3S_12F_Platform"),
    "ulx3s_25f": ("ulx3s", "ULX3S_25F_Platform"),
    "ulx3s_45f": ("ulx3s", "ULX3S_45F_Platform"),
    "ulx3s_85f": ("ulx3s", "ULX3S_85F_Platform"),
    "upduino31": ("upduino_v3", "UpduinoV3Platform"),
}
"""Boards that amaranth-boards has too, with its module and class."""

PACKAGES = {"BG381": "CABGA381", "MG285": "CSFBGA285", "SG48": "sg48", "CT256": "ct256"}
"""The package in Amaranth's words -> in nextpnr's."""

GOOD = """
title = "Some board"
device = "up5k"
package = "sg48"
programmer = "iceprog"
[clock]
pin = "35"
hz = 12_000_000
[leds]
pins = ["11"]
active_low = true
[uart]
rx = "6"
tx = "9"
max_baud = 115_200
"""


def platform(name: str) -> Any:
    module, kind = AMARANTH[name]
    return getattr(importlib.import_module(f"amaranth_boards.{module}"), kind)


def resource(of: Any, name: str, number: int = 0) -> dict[str, tuple[tuple[str, ...], bool]]:
    """Sub-signal (or "") -> its pins and whether they are inverted."""
    found = next(one for one in of.resources if (one.name, one.number) == (name, number))
    return {
        getattr(part, "name", ""): (tuple(pins.names), pins.invert)
        for part in found.ios
        for pins in getattr(part, "ios", [part])
        if hasattr(pins, "names")
    }


def numbered(of: Any, name: str) -> tuple[tuple[str, ...], bool]:
    """Pins of all resources of one name, in the order of their numbers."""
    found = sorted(one.number for one in of.resources if one.name == name)
    pins = [resource(of, name, number)[""] for number in found]
    return tuple(names[0] for names, _ in pins), pins[0][1]


def test_the_boards_of_the_first_slice_are_there() -> None:
    assert set(ALL) == {*AMARANTH, "colorlight_i5", "crosslink_nx_evn", "gatemate_evb", "tang_nano_20k"}


@pytest.mark.parametrize("name", AMARANTH)
def test_clock_is_that_of_amaranth_boards(name: str) -> None:
    of, board = platform(name), ALL[name]
    clock = next(
        one
        for one in of.resources
        if one.name.startswith("clk") and resource(of, one.name)[""][0][0] == board.clock.pin
    )
    assert clock.clock.frequency == board.clock.hz


@pytest.mark.parametrize("name", AMARANTH)
def test_device_is_that_of_amaranth_boards(name: str) -> None:
    of, device = platform(name), ALL[name].device
    if device.family is GOWIN:
        assert (device.part, device.speed) == (of.part, of.part[-5:])
        assert re.sub("R", "", of.family) == device.series
    else:
        assert (device.part, device.package) == (of.device, PACKAGES[of.package])
        assert device.speed == getattr(of, "speed", "")


@pytest.mark.parametrize("name", AMARANTH)
def test_leds_are_those_of_amaranth_boards(name: str) -> None:
    of, leds = platform(name), ALL[name].leds
    if any(one.name == "led" for one in of.resources):
        assert (leds.pins, leds.active_low) == numbered(of, "led")
    else:
        colours = resource(of, "rgb_led")
        assert (leds.pins, leds.active_low) == (tuple(colours[c][0][0] for c in "rgb"), colours["r"][1])


@pytest.mark.parametrize("name", AMARANTH)
def test_buttons_are_those_of_amaranth_boards(name: str) -> None:
    of, buttons = platform(name), ALL[name].buttons
    if any(one.name == "button" for one in of.resources):
        assert buttons is not None
        assert (buttons.pins, buttons.active_low) == numbered(of, "button")
    else:
        assert buttons is None


@pytest.mark.parametrize("name", AMARANTH)
def test_uart_is_that_of_amaranth_boards(name: str) -> None:
    of, uart = platform(name), ALL[name].uart
    if any(one.name == "uart" for one in of.resources):
        pins = resource(of, "uart")
        assert (uart.rx, uart.tx) == (pins["rx"][0][0], pins["tx"][0][0])
    elif name == "orangecrab":
        header = next(one for one in of.connectors if one.name == "io").mapping
        assert (uart.rx, uart.tx) == (header["0"], header["1"])
    else:
        flash = resource(of, "spi_flash_1x")
        assert (uart.rx, uart.tx) == (flash["clk"][0][0], flash["copi"][0][0])


def test_the_flash_is_that_of_amaranth_boards() -> None:
    found = resource(platform("icebreaker"), "spi_flash_1x")
    flash = ALL["icebreaker"].flash
    assert flash is not None
    assert {name: getattr(flash, name) for name in ("clk", "cs", "copi", "cipo")} == {
        name: found[name][0][0] for name in ("clk", "cs", "copi", "cipo")
    }
    assert flash.offset > 104_090  # bytes of a bitstream of its device


SPI_PINS = {
    "icebreaker": ("pmod", 0, ("4", "2", "3", "1")),
    "orangecrab": ("io", 0, ("sck", "copi", "cipo", "9")),
    "ulx3s_12f": ("gpio", 0, ("0+", "1+", "2+", "3+")),
    "ulx3s_25f": ("gpio", 0, ("0+", "1+", "2+", "3+")),
    "ulx3s_45f": ("gpio", 0, ("0+", "1+", "2+", "3+")),
    "ulx3s_85f": ("gpio", 0, ("0+", "1+", "2+", "3+")),
    "upduino31": ("j", 1, ("19", "17", "18", "16")),
}
"""Board -> the header that amaranth-boards has for its SPI, and there the places of sclk, mosi, miso and cs."""


@pytest.mark.parametrize("name", SPI_PINS)
def test_spi_is_at_pins_of_a_header(name: str) -> None:
    header, number, places = SPI_PINS[name]
    pins = next(one for one in platform(name).connectors if (one.name, one.number) == (header, number)).mapping
    spi = ALL[name].spi
    assert spi is not None
    assert (spi.sclk, spi.mosi, spi.miso, spi.cs) == tuple(pins[place] for place in places)
    assert spi.note.startswith("SPI: ")


FLASH = '[flash]\nclk = "15"\ncs = "16"\ncopi = "14"\ncipo = "17"\noffset = 131072\n'


def test_a_flash_that_cannot_be_is_refused(tmp_path: Path) -> None:
    text = (Path(str(resources.files("hwgen.boards"))) / "hx8k_breakout.toml").read_text()
    for offset in ("131072", "0xFFFFFF"):
        assert find_board(str(write(tmp_path, text + FLASH.replace("131072", offset)))).flash is not None
    for offset in ("0", "16777216"):
        with pytest.raises(
            OptionError,
            match=rf"^The flash of board 'mine' has the offset {offset}, which must lie behind the bitstream and have 24 bits$",
        ):
            find_board(str(write(tmp_path, text + FLASH.replace("131072", offset))))
    text = (Path(str(resources.files("hwgen.boards"))) / "ulx3s_12f.toml").read_text()
    with pytest.raises(
        OptionError,
        match=r"^Board 'mine' has a flash, but no boot loader reads that of the family 'ecp5'; leave it out$",
    ):
        find_board(str(write(tmp_path, text + FLASH)))


@pytest.mark.parametrize("name", ALL)
def test_no_pin_is_used_twice(name: str) -> None:
    board = ALL[name]
    pins = [
        board.clock.pin,
        board.uart.rx,
        board.uart.tx,
        *board.leds.pins,
        *((spi.sclk, spi.mosi, spi.miso, spi.cs) if (spi := board.spi) else ()),
        *((flash.clk, flash.cs, flash.copi, flash.cipo) if (flash := board.flash) else ()),
        *(board.buttons.pins if board.buttons else ()),
    ]
    assert len(set(pins)) == len(pins)


def test_devices_of_one_die_differ_in_the_part_only() -> None:
    small, large = find_device("ecp5-12"), find_device("ecp5-25")
    assert replace(small, name=large.name, part=large.part) == large


def test_gowin_devices_name_pins_for_a_harness() -> None:
    for device in devices().values():
        assert len(device.harness_pins) == (4 if device.family in (GOWIN, NEXUS) else 0)


def test_every_board_can_be_placed_and_routed() -> None:
    assert all(board.device.family.placer is not None for board in ALL.values())


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_a_board_is_one_file(tmp_path: Path) -> None:
    board = find_board(str(write(tmp_path, GOOD)))
    assert isinstance(board, Board)
    assert (board.name, board.programmer, board.buttons) == ("mine", Programmer.ICEPROG, None)
    assert board.device == find_device("up5k")


def test_a_package_and_speed_of_the_board_replace_the_device_s_own() -> None:
    assert (ALL["orangecrab"].device.package, ALL["orangecrab"].device.speed) == ("CSFBGA285", "8")
    assert (find_device("ecp5-25").package, find_device("ecp5-25").speed) == ("CABGA381", "6")


def test_a_board_that_says_no_speed_has_the_device_s_and_the_placer_is_told(tmp_path: Path) -> None:
    chip = find_board(str(write(tmp_path, GOOD.replace("up5k", "ecp5-25").replace("sg48", "CABGA381")))).device
    words = arguments(chip, 1, 150, "n.json", "r.json", "p.lpf")
    assert words[words.index("--speed") + 1] == "6"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('title = "Some board"', "", r"^'mine.toml' lacks the key 'title'$"),
        ('device = "up5k"', "", r"^'mine.toml' lacks the key 'device'$"),
        ('"up5k"', '"up6k"', r"^'mine.toml', key 'device' must be one of up5k, .*, not 'up6k'; did you mean up5k\?$"),
        ('"sg48"', "48", r"^'mine.toml', key 'package' must be a text, not 48$"),
        ('"iceprog"', '"magic"', r"^'mine.toml', key 'programmer' must be one of iceprog, .*, not 'magic'$"),
        (
            'pin = "35"',
            'pin = "35"\nphase = 0',
            r"^'mine.toml', key 'clock' has the unknown key 'phase'; known are pin, hz, note, pll_pad$",
        ),
        ("12_000_000", "12e6", r"^'mine.toml', key 'clock', key 'hz' must be a whole number, not 12000000.0$"),
        ("12_000_000", "true", r"^'mine.toml', key 'clock', key 'hz' must be a whole number, not True$"),
        ('["11"]', "[11]", r"^'mine.toml', key 'leds', key 'pins' must be a list of texts, not \[11\]$"),
        (
            "active_low = true",
            "active_low = 1",
            r"^'mine.toml', key 'leds', key 'active_low' must be true or false, not 1$",
        ),
        ('[uart]\nrx = "6"\ntx = "9"\nmax_baud = 115_200', "", r"^'mine.toml' lacks the key 'uart'$"),
        ('title = "Some board"', 'title = "Some board"\nuart = 3', r"is not a TOML file"),
        ('title = "Some board"', "title =", r"mine.toml' is not a TOML file"),
    ],
)
def test_a_wrong_file_is_told_by_its_name_and_key(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in GOOD
    with pytest.raises(OptionError, match=sentence):
        read_board(write(tmp_path, GOOD.replace(old, new)))


def test_a_table_must_be_a_table(tmp_path: Path) -> None:
    text = "clock = 12\n" + re.sub(r"\[clock\]\n.*\n.*\n", "", GOOD)
    with pytest.raises(OptionError, match=r"^'mine.toml', key 'clock' must be a table, not 12$"):
        read_board(write(tmp_path, text))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"Cannot read '.*none.toml': no such file or directory"):
        find_board(str(tmp_path / "none.toml"))


def test_an_unknown_board_lists_the_known_ones() -> None:
    with pytest.raises(OptionError, match=r"^The board must be one of colorlight_i5, .*, not 'arty'$"):
        find_board("arty")


def test_an_unknown_device_lists_the_known_ones() -> None:
    with pytest.raises(OptionError, match=r"^The device must be one of up5k, .*, not 'devices'$"):
        find_device("devices")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("iCEBreaker", "icebreaker"),
        ("tang-nano-9k", "tang_nano_9k"),
        ("TangNano20K", "tang_nano_20k"),
        ("ulx3s_85", "ulx3s_85f"),
    ],
)
def test_the_nearest_board_is_suggested(written: str, meant: str) -> None:
    with pytest.raises(OptionError, match=f"not '{written}'; did you mean {meant}\\?$"):
        find_board(written)


def test_the_nearest_device_is_suggested() -> None:
    with pytest.raises(OptionError, match=r"not 'ECP5_25'; did you mean ecp5-25\?$"):
        find_device("ECP5_25")


@pytest.mark.parametrize("number", ["-12_000_000", "1" + "0" * 30])
def test_numbers_of_a_board_are_of_this_world(tmp_path: Path, number: str) -> None:
    with pytest.raises(OptionError, match=r"^'mine.toml', key 'clock', key 'hz' must be a number from 0 to "):
        find_board(str(write(tmp_path, GOOD.replace("12_000_000", number))))


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a = " + "9" * 5000, "a = [nan", "\x00"])
def test_a_file_that_is_no_toml(tmp_path: Path, text: str) -> None:
    with pytest.raises(OptionError, match=r"mine.toml' is (not a TOML file|nested hundreds of levels deep)") as caught:
        find_board(str(write(tmp_path, text)))
    assert "limit" not in str(caught.value)


@pytest.mark.parametrize("family", [None, "ice50"])
def test_a_device_of_no_known_family_is_refused(family: str | None) -> None:
    table = {} if family is None else {"family": family}
    with pytest.raises(
        OptionError, match=rf"^'devices.toml', table 'mine', key 'family' must be one of ice40, .*, not {family!r}$"
    ):
        _read_device("mine", table, "'devices.toml', table 'mine'")
