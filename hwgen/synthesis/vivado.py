"""Scripts that take a build folder through Vivado: synthesis, place and route, bitstream, IP packaging."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from hwgen.board.line import LINE_PORTS, Line
from hwgen.board.write import write_board_top
from hwgen.build_folder import manifest
from hwgen.build_folder.open import Accelerator, load
from hwgen.devices.frequency import check_mhz
from hwgen.errors import OptionError
from hwgen.folding.target import read_text

__all__ = ["write_vivado"]

KIND = "hwgen vivado 1"
DEFAULT_BAUD = 1_000_000
BOARD_PORTS = {line: ("clk", "rst", *ports) for line, ports in LINE_PORTS.items()}
"""Ports of the board top: each needs a pin."""

_PART = re.compile(r"x[caq][0-9a-z]*[0-9][a-z]*-?[a-z]{2,4}[0-9]{2,4}-[0-9][0-9a-z]*(-[0-9a-z]+)*", re.IGNORECASE)
"""Device, package and speed grade, with hyphens between them or not."""


def write_vivado(
    folder: str | Path,
    output: str | Path,
    *,
    part: str,
    clock_mhz: float | None = None,
    pins: str | Path | None = None,
    baud: int = DEFAULT_BAUD,
    line: Line = Line.UART,
) -> dict[str, Any]:
    """Write a folder with the Verilog of a build and the Tcl scripts that run Vivado on it.

    ``vivado -mode batch -source implement.tcl`` synthesises, places and routes the accelerator out of context and
    writes reports and a checkpoint; with ``pins`` it does so for the accelerator behind its serial port or SPI, at these pins,
    and writes a bitstream. ``package_ip.tcl`` makes an IP core with AXI4-Stream interfaces.

    Parameters
    ----------
    folder : str or Path
        Build folder.
    output : str or Path
        Absent, empty, or an earlier folder of this function, which is replaced.
    part : str
        The maker's name with package and speed grade, such as "xc7a35tcpg236-1".
    clock_mhz : float or None
        Clock to reach; with ``pins`` that of the pin. None: the one for which the build was planned.
    pins : str, Path or None
        Constraints (XDC) that give ``clk``, ``rst`` (active high), ``uart_rx`` and ``uart_tx``, or the ports of SPI, their pins.
    baud : int
        Rate of the serial port, or the highest of SPI; with ``pins``.
    line : Line
        By which a host reaches the board; with ``pins``.

    Returns
    -------
    dict
        "folder", "part", "top", "clock_mhz", "files", "bitstream" (whether there will be one).

    Raises
    ------
    BuildError
        If the build folder is missing, incomplete, or was changed.
    OptionError
        If the part is no part's name, the clock is not positive or does not suit the rate, or a port has no pin.
    """
    if not _PART.fullmatch(part):
        raise OptionError(f"The part must be named with package and speed grade, like xc7a35tcpg236-1, not '{part}'")
    if clock_mhz is not None:
        check_mhz(clock_mhz)
    accelerator = load(folder)
    clock = accelerator.plan.clock_hz / 1e6 if clock_mhz is None else clock_mhz
    locations = None if pins is None else _pins(Path(pins), line)
    output = Path(output)
    with manifest.writing(output) as partial:
        top = accelerator.network.name
        sources, memories = _copy_rtl(accelerator, partial / "rtl")
        (partial / "package_ip.tcl").write_text(_package_script(top, part, sources, memories), encoding="ascii")
        port = "aclk"
        if locations is not None:
            board = write_board_top(accelerator, partial / "rtl", clock_hz=round(clock * 1e6), baud=baud, line=line)
            top, port = board.module, "clk"
            sources = [*sources, f"rtl/{board.file.name}"]
            (partial / "pins.xdc").write_text(locations, encoding="utf-8")
        (partial / "clock.xdc").write_text(_clock(port, clock), encoding="ascii")
        script = _implement_script(top, part, sources, memories, pins=locations is not None)
        (partial / "implement.tcl").write_text(script, encoding="ascii")
        manifest.write_manifest(partial, {"name": top, "kind": KIND})
    return {
        "folder": str(output),
        "part": part,
        "top": top,
        "clock_mhz": clock,
        "bitstream": locations is not None,
        "files": manifest.written_files(output),
    }


def _pins(path: Path, line: Line) -> str:
    """Read the user's constraints, and make sure that every port has a pin."""
    text = read_text(path)
    # A backslash at its end continues a line, also one that is a comment.
    lines = re.sub(r"\\\n", " ", text).splitlines()
    placed = {
        port
        for entry in lines
        for command in entry.partition("#")[0].split(";")
        if "PACKAGE_PIN" in command
        for port in re.findall(r"get_ports\s+\{?\s*(\w+)", command)
    }
    missing = [port for port in BOARD_PORTS[line] if port not in placed]
    if missing:
        raise OptionError(
            f"'{path}' gives no PACKAGE_PIN to {', '.join(missing)}; "
            f"the ports are {', '.join(BOARD_PORTS[line])}, each needs: set_property PACKAGE_PIN <pin> [get_ports <port>]"
        )
    return text


def _copy_rtl(accelerator: Accelerator, target: Path) -> tuple[list[str], list[str]]:
    """Copy the Verilog and its memory files; give their paths, Verilog first."""
    target.mkdir()
    files = [name for name in accelerator.files if re.fullmatch(r"rtl/.*(?<!_inst)\.(v|mem)", name)]
    for name in files:
        shutil.copy(accelerator.folder / name, target)
    return [name for name in files if name.endswith(".v")], [name for name in files if name.endswith(".mem")]


def _clock(port: str, clock_mhz: float) -> str:
    return f"create_clock -name {port} -period {1e3 / clock_mhz:.3f} [get_ports {port}]\n"


def _beginning(what: str, part: str) -> list[str]:
    return [
        f"# {what}, generated by hwgen.",
        "set here [file dirname [file normalize [info script]]]",
        "cd $here",
        f"set part {part}",
        "file mkdir out",
    ]


def _read(sources: list[str], memories: list[str]) -> list[str]:
    lines = [f"read_verilog {name}" for name in sources]
    # The Verilog names them without a folder.
    return lines + [f"read_mem {name}" for name in memories]


def _implement_script(top: str, part: str, sources: list[str], memories: list[str], *, pins: bool) -> str:
    ends = ["read_xdc pins.xdc"] if pins else []
    mode = [] if pins else ["-mode", "out_of_context"]
    steps = [
        *_beginning("Synthesis, place and route: vivado -mode batch -source implement.tcl", part),
        *_read(sources, memories),
        " ".join(["read_xdc", *mode, "clock.xdc"]),
        *ends,
        " ".join(["synth_design", "-top", top, "-part", "$part", *mode]),
        "report_utilization -file out/utilization_synth.rpt",
        "opt_design",
        "place_design",
        "phys_opt_design",
        "route_design",
        "report_utilization -hierarchical -file out/utilization.rpt",
        "report_timing_summary -file out/timing.rpt",
        "report_route_status -file out/route_status.rpt",
        "report_drc -file out/drc.rpt",
        f"write_checkpoint -force out/{top}.dcp",
        "set slack [get_property SLACK [get_timing_paths -max_paths 1 -setup]]",
        'puts "worst slack: $slack ns"',
    ]
    if pins:
        steps.append(f"write_bitstream -force out/{top}.bit")
    steps.append('if {$slack < 0} { error "the clock is missed by [expr {-$slack}] ns" }')
    return "\n".join([*steps, ""])


def _package_script(top: str, part: str, sources: list[str], memories: list[str]) -> str:
    core = "$core"
    steps = [
        *_beginning("IP core with AXI4-Stream interfaces: vivado -mode batch -source package_ip.tcl", part),
        "create_project -force -part $part packaging out/packaging",
        f"add_files -norecurse [list {' '.join([*sources, *memories])}]",
        f"set_property top {top} [current_fileset]",
        "update_compile_order -fileset sources_1",
        "ipx::package_project -root_dir out/ip -vendor user -library user -taxonomy /UserIP -import_files",
        "set core [ipx::current_core]",
        f"set_property name {top} {core}",
        f"set_property display_name {top} {core}",
        f"set_property description {{Neural network accelerator, generated by hwgen}} {core}",
        f"set_property version 1.0 {core}",
        f"ipx::infer_bus_interface aclk xilinx.com:signal:clock_rtl:1.0 {core}",
        f"ipx::infer_bus_interface aresetn xilinx.com:signal:reset_rtl:1.0 {core}",
    ]
    for bus in ("s_axis", "m_axis"):
        ports = " ".join(f"{bus}_{signal}" for signal in ("tdata", "tvalid", "tready", "tlast"))
        steps += [
            f"ipx::infer_bus_interface {{{ports}}} xilinx.com:interface:axis_rtl:1.0 {core}",
            f"ipx::associate_bus_interfaces -busif {bus} -clock aclk {core}",
        ]
    steps += [
        f"ipx::associate_bus_interfaces -clock aclk -reset aresetn {core}",
        f"ipx::create_xgui_files {core}",
        f"ipx::update_checksums {core}",
        f"ipx::check_integrity {core}",
        f"ipx::save_core {core}",
        "close_project",
    ]
    return "\n".join([*steps, ""])
