"""The scripts run in a Tcl interpreter in which Vivado's commands check their options and the files that they read."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import hwgen
from hwgen.board.line import Line
from hwgen.cli import main
from hwgen.errors import OptionError
from hwgen.synthesis.vivado import write_vivado
from tests.small_networks import mlp

PART = "xc7a35tcpg236-1"

COMMANDS: dict[str, dict[str, str]] = {
    "read_verilog": {"": "reads"},
    "read_mem": {"": "reads"},
    "read_xdc": {"-mode": "out_of_context", "": "reads"},
    "synth_design": {"-top": "any", "-part": "any", "-mode": "out_of_context"},
    "opt_design": {},
    "place_design": {},
    "phys_opt_design": {},
    "route_design": {},
    "report_utilization": {"-file": "writes", "-hierarchical": "flag"},
    "report_timing_summary": {"-file": "writes"},
    "report_route_status": {"-file": "writes"},
    "report_drc": {"-file": "writes"},
    "write_checkpoint": {"-force": "flag", "": "writes"},
    "write_bitstream": {"-force": "flag", "": "writes"},
    "get_timing_paths": {"-max_paths": "any", "-setup": "flag"},
    "get_property": {"": "any"},
    "set_property": {"": "any"},
    "create_project": {"-force": "flag", "-part": "any", "": "any"},
    "add_files": {"-norecurse": "flag", "": "reads"},
    "current_fileset": {},
    "update_compile_order": {"-fileset": "any"},
    "close_project": {},
    "create_clock": {"-name": "any", "-period": "any", "": "any"},
    "get_ports": {"": "any"},
    "ipx::package_project": {
        "-root_dir": "any",
        "-vendor": "any",
        "-library": "any",
        "-taxonomy": "any",
        "-import_files": "flag",
    },
    "ipx::current_core": {},
    "ipx::infer_bus_interface": {"": "any"},
    "ipx::associate_bus_interfaces": {"-busif": "any", "-clock": "any", "-reset": "any", "": "any"},
    "ipx::create_xgui_files": {"": "any"},
    "ipx::update_checksums": {"": "any"},
    "ipx::check_integrity": {"": "any"},
    "ipx::save_core": {"": "any"},
}
"""Command -> option -> what it takes: nothing, anything, one word, a file to read or to write; "" is for words without an option."""

ANSWERS = {"get_property": "0.5", "ipx::current_core": "core", "get_ports": "ports", "current_fileset": "sources_1"}


def interpreter() -> ModuleType:
    """Give Python's Tcl, which Debian keeps in a package of its own."""
    return pytest.importorskip("tkinter", reason="this Python has no Tcl: Debian's is in python3-tk")


class Vivado:
    """Tcl with the commands of `COMMANDS`.

    Parameters
    ----------
    slack : str
        What the timing paths have.
    """

    def __init__(self, slack: str = "0.5") -> None:
        self.calls: list[tuple[str, ...]] = []
        self.read: list[str] = []
        self.tcl = interpreter().Tcl()
        self.tcl.eval("namespace eval ipx {}")
        self.tcl.eval("proc puts {args} {}")
        for name in COMMANDS:
            self.tcl.createcommand(name, self.command(name, ANSWERS | {"get_property": slack}))

    def command(self, name: str, answers: dict[str, str]) -> Callable[..., str]:
        def call(*words: str) -> str:
            self.calls.append((name, *words))
            left = list(words)
            while left:
                word = left.pop(0)
                kind = COMMANDS[name][word if word.startswith("-") else ""]
                if kind == "flag":
                    continue
                value = left.pop(0) if word.startswith("-") else word
                for file in self.tcl.splitlist(value) if kind == "reads" else ():
                    assert self.here(file).is_file(), file
                    self.read.append(file)
                if kind == "writes":
                    assert self.here(value).parent.is_dir(), value
                assert kind in ("any", "reads", "writes", value), (name, word, value)
            return answers.get(name, "")

        return call

    def here(self, name: str) -> Path:
        return Path(self.tcl.eval("pwd")) / name

    def run(self, script: Path) -> list[str]:
        """Give the commands that a script called."""
        before = len(self.calls)
        directory = Path.cwd()
        try:
            self.tcl.evalfile(str(script))
        finally:
            self.tcl.eval(f"cd {{{directory}}}")
        return [call[0] for call in self.calls[before:]]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with memory files."""
    folder = tmp_path_factory.mktemp("vivado") / "build"
    hwgen.build(hwgen.plan(mlp(64, 32, 10), min_area=True), folder)
    return folder


def pins(path: Path, ports: str = "clk rst uart_rx uart_tx") -> Path:
    lines = [f"set_property PACKAGE_PIN W{n} [get_ports {port}]" for n, port in enumerate(ports.split())]
    path.write_text("\n".join(["# set_property PACKAGE_PIN A1 [get_ports other]", *lines, ""]))
    return path


def test_out_of_context_everything_is_read_and_the_clock_is_the_build_s(build: Path, tmp_path: Path) -> None:
    facts = write_vivado(build, tmp_path / "vivado", part=PART)
    assert (facts["top"], facts["bitstream"], facts["clock_mhz"]) == ("mlp", False, 100)
    vivado = Vivado()
    names = vivado.run(tmp_path / "vivado" / "implement.tcl")
    order = [names.index(name) for name in ("read_xdc", "synth_design", "place_design", "route_design")]
    assert order == sorted(order)
    assert "write_bitstream" not in names
    assert ("synth_design", "-top", "mlp", "-part", PART, "-mode", "out_of_context") in vivado.calls
    rtl = {f"rtl/{path.name}" for path in (build / "rtl").iterdir() if path.suffix in (".v", ".mem")}
    assert set(vivado.read) == {name for name in rtl if not name.endswith("_inst.v")} | {"clock.xdc"}
    assert any(name.endswith(".mem") for name in vivado.read)
    vivado.run(tmp_path / "vivado" / "clock.xdc")
    assert vivado.calls[-1] == ("create_clock", "-name", "aclk", "-period", "10.000", "ports")


def test_with_pins_the_board_s_top_becomes_a_bitstream(build: Path, tmp_path: Path) -> None:
    facts = write_vivado(build, tmp_path / "vivado", part=PART, clock_mhz=50, pins=pins(tmp_path / "my.xdc"))
    assert (facts["top"], facts["bitstream"], facts["clock_mhz"]) == ("mlp_board", True, 50)
    vivado = Vivado()
    assert "write_bitstream" in vivado.run(tmp_path / "vivado" / "implement.tcl")
    assert ("synth_design", "-top", "mlp_board", "-part", PART) in vivado.calls
    assert {"rtl/mlp.v", "rtl/mlp_board.v", "pins.xdc", "clock.xdc"} <= set(vivado.read)
    vivado.run(tmp_path / "vivado" / "clock.xdc")
    assert vivado.calls[-1] == ("create_clock", "-name", "clk", "-period", "20.000", "ports")
    assert vivado.run(tmp_path / "vivado" / "pins.xdc").count("set_property") == 4


def test_the_board_s_top_may_have_spi(build: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    xdc = pins(tmp_path / "my.xdc", "clk rst spi_sclk spi_mosi spi_cs spi_miso")
    words = ["vivado", str(build), "--part", PART, "-o", str(tmp_path / "vivado"), "--pins", str(xdc), "--link", "spi"]
    assert main.main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bitstream"]
    assert "input spi_sclk;" in (tmp_path / "vivado" / "rtl" / "mlp_board.v").read_text()
    vivado = Vivado()
    assert "write_bitstream" in vivado.run(tmp_path / "vivado" / "implement.tcl")


def test_a_missed_clock_is_an_error_of_the_script(build: Path, tmp_path: Path) -> None:
    write_vivado(build, tmp_path / "vivado", part=PART)
    with pytest.raises(interpreter().TclError, match=r"the clock is missed by 0.25 ns"):
        Vivado(slack="-0.25").run(tmp_path / "vivado" / "implement.tcl")


def test_the_core_has_two_streams_on_one_clock(build: Path, tmp_path: Path) -> None:
    write_vivado(build, tmp_path / "vivado", part=PART)
    vivado = Vivado()
    assert vivado.run(tmp_path / "vivado" / "package_ip.tcl")[-2:] == ["ipx::save_core", "close_project"]
    inferred = {call[2]: call[1].split() for call in vivado.calls if call[0] == "ipx::infer_bus_interface"}
    assert inferred["xilinx.com:signal:clock_rtl:1.0"] == ["aclk"]
    ports = (build / "rtl" / "mlp.v").read_text()
    assert [port for names in inferred.values() for port in names if f" {port};" not in ports] == []
    assert ("ipx::associate_bus_interfaces", "-busif", "s_axis", "-clock", "aclk", "core") in vivado.calls


def test_the_command_line_writes_the_folder(build: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["vivado", str(build), "--part", PART, "-o", str(tmp_path / "vivado"), "--json"]
    assert main.main(words) == 0
    assert {"implement.tcl", "package_ip.tcl", "clock.xdc"} <= set(json.loads(capsys.readouterr().out)["files"])
    assert main.main(words) == 0


@pytest.mark.parametrize(
    ("line", "placed"),
    [
        ("set_property PACKAGE_PIN W5 [get_ports rst]", True),
        ("set_property -dict {PACKAGE_PIN W5 IOSTANDARD LVCMOS33} [get_ports {rst}]", True),
        ("set_property PACKAGE_PIN W5 [get_ports rst] ;# a button", True),
        ("set_property PACKAGE_PIN W5 \\\n  [get_ports rst]", True),
        ("set_property IOSTANDARD LVCMOS33 [get_ports clk]; set_property PACKAGE_PIN W5 [get_ports rst]", True),
        ("# set_property PACKAGE_PIN W5 [get_ports rst]", False),
        ("  #set_property PACKAGE_PIN W5 [get_ports rst]", False),
        ("## buttons\n## set_property PACKAGE_PIN W5 [get_ports rst]", False),
        ("set_property PACKAGE_PIN W5 [get_ports other] ;# or [get_ports rst]", False),
        ("set_property PACKAGE_PIN W5 [get_ports other]; # set_property PACKAGE_PIN W5 [get_ports rst]", False),
        ("# a button: \\\nset_property PACKAGE_PIN W5 [get_ports rst]", False),
        ("set_property IOSTANDARD LVCMOS33 [get_ports rst]", False),
        ("set_property PACKAGE_PIN W5 [get_ports other]; set_property IOSTANDARD LVCMOS33 [get_ports rst]", False),
    ],
)
def test_what_is_a_comment_places_no_port(build: Path, tmp_path: Path, line: str, placed: bool) -> None:
    xdc = pins(tmp_path / "my.xdc", "clk uart_rx uart_tx")
    xdc.write_text(f"{xdc.read_text()}{line}\n")
    if placed:
        assert write_vivado(build, tmp_path / "vivado", part=PART, clock_mhz=50, pins=xdc)["bitstream"]
    else:
        with pytest.raises(
            OptionError, match=r"gives no PACKAGE_PIN to rst; the ports are clk, rst, uart_rx, uart_tx,"
        ):
            write_vivado(build, tmp_path / "vivado", part=PART, clock_mhz=50, pins=xdc)


def test_wrong_options_are_refused_and_nothing_is_left(build: Path, tmp_path: Path) -> None:
    target = tmp_path / "vivado"
    with pytest.raises(OptionError, match=r"^The part must be named with package and speed grade, .* not 'artix 7'$"):
        write_vivado(build, target, part="artix 7")
    with pytest.raises(OptionError, match=r"^The clock must be a positive number of MHz, from 0.001 to 2000, not 0$"):
        write_vivado(build, target, part=PART, clock_mhz=0)
    with pytest.raises(OptionError, match=r"gives no PACKAGE_PIN to rst, uart_tx; the ports are clk, rst,"):
        write_vivado(build, target, part=PART, pins=pins(tmp_path / "few.xdc", "clk uart_rx"))
    with pytest.raises(OptionError, match=r"gives no PACKAGE_PIN to spi_sclk, spi_mosi, spi_cs, spi_miso; the ports"):
        write_vivado(build, target, part=PART, pins=pins(tmp_path / "uart.xdc"), line=Line.SPI)
    with pytest.raises(OptionError, match="baud"):
        write_vivado(build, target, part=PART, clock_mhz=1, pins=pins(tmp_path / "my.xdc"), baud=3_000_000)
    assert not target.exists()
