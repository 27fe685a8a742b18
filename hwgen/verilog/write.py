"""Write a component as Verilog, with everything that a hardware engineer expects beside it."""

from __future__ import annotations

import gc
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from amaranth.hdl import Shape
from amaranth.lib import wiring
from amaranth.lib.wiring import Flow

from hwgen.arrays.beats import Beats, BeatSequence
from hwgen.errors import OptionError
from hwgen.tools.toolchain import yosys
from hwgen.verilog.intermediate import intermediate
from hwgen.verilog.text import KEYWORDS, Source, tidy

__all__ = ["WAIVERS", "Interface", "check_name", "convert", "write"]

WAIVERS = (
    ("DECLFILENAME", "one file holds the modules of all layers"),
    ("PROCASSINIT", "registers have a power-up value for FPGAs as well as a synchronous reset"),
    ("VARHIDDEN", "a layer may call a signal by the name that its own instance has in the level above"),
    ("WIDTHEXPAND", "Verilog extends the shorter operand of a sum or a comparison, which is what is meant"),
    ("WIDTHTRUNC", "a number that stands where a condition is expected means that it is not 0"),
    (
        "UNUSEDSIGNAL",
        "sums are written one bit wider than what is kept, and parent modules repeat their children's ports",
    ),
)
"""Rules of ``verilator --lint-only -Wall`` that the generated text breaks on purpose, and why."""

LONGEST_NAME = 100
"""Characters of a network's name, after which files are called."""


@dataclass(frozen=True)
class Interface:
    """What the header says about both ports.

    Parameters
    ----------
    input, output : BeatSequence
    ii_cycles : int
        Cycles from one frame to the next.
    latency_cycles : int
        Cycles from a frame's first input transfer to its first output transfer.
    """

    input: BeatSequence
    output: BeatSequence
    ii_cycles: int
    latency_cycles: int


def write(component: wiring.Component, name: str, folder: Path, interface: Interface | None = None) -> list[Path]:
    """Write a component's Verilog and its companions; the same component gives the same bytes.

    Written are ``rtl/<name>.v``, one ``rtl/<module>_<memory>.mem`` for each large memory (the Verilog names the file
    without a folder: simulate from ``rtl/`` or put it on the tool's search path), ``rtl/<name>.vlt`` (Verilator's lint
    waivers), ``rtl/<name>_inst.v`` (instantiation template) and ``<name>.core`` (FuseSoC).

    Parameters
    ----------
    component : wiring.Component
        The top component; its ports keep their names.
    name : str
        Name of the top module.
    folder : Path
        Build folder; ``rtl/`` is made in it.
    interface : Interface or None
        Described in the header where given.

    Returns
    -------
    list of Path
        Every file written.

    Raises
    ------
    OptionError
        If ``name`` is no Verilog identifier.
    ToolError
        If Yosys is missing or fails.
    """
    check_name(name)
    rtl = folder / "rtl"
    rtl.mkdir(parents=True, exist_ok=True)
    source = convert(component, name)
    header = [f"// {line}".rstrip() for line in _describe(component, name, interface)]
    texts = {f"{name}.v": "\n".join([*header, "", source.text]), **source.memories}
    texts |= {f"{name}.vlt": _waivers(name), f"{name}_inst.v": _template(component, name)}
    for file, text in texts.items():
        (rtl / file).write_text(text, encoding="ascii")
    core = folder / f"{name}.core"
    core.write_text(_core(name, sorted(source.memories)), encoding="ascii")
    return [*(rtl / file for file in texts), core]


def convert(component: wiring.Component, name: str) -> Source:
    """Give a component's Verilog, and the contents of the memory files that it reads.

    Raises
    ------
    ToolError
        If Yosys is missing or fails.
    """
    return tidy(*_convert(component, name))


def check_name(name: str) -> None:
    """Refuse a name that cannot be a Verilog module.

    Raises
    ------
    OptionError
        If it is not an identifier, is a reserved word, is called like one of the accelerator's own ports, or is too long for a file.
    """
    if re.match(r"(s_axis|m_axis|s_axil)_|(aclk|aresetn|loaded|frame_error)$", name):
        raise OptionError(f"'{name}' is the name of a port of every accelerator; choose another for the network")
    if len(name) > LONGEST_NAME:
        raise OptionError(f"The network's name must have at most {LONGEST_NAME} characters, not {len(name)}")
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or name in KEYWORDS:
        raise OptionError(f"The network's name becomes a Verilog module: '{name}' is not an identifier; choose another")


def _convert(component: wiring.Component, name: str) -> tuple[str, Mapping[int, tuple[int, ...]]]:
    """Give Yosys' Verilog, and the contents of its memories by the numbers in their attributes."""
    scratch = Path(tempfile.mkdtemp(prefix="hwgen-verilog-"))
    with _collector_paused():
        converted = intermediate(component, name)
    (scratch / "top.il").write_text(_plain_modules(converted.text, name), encoding="utf-8")
    # Kept on failure: the message names the log in it.
    yosys(
        ["read_rtlil top.il", "proc -nomux -norom", "memory_collect", "write_verilog top.v"],
        scratch,
        scratch / "yosys.log",
    )
    verilog = (scratch / "top.v").read_text(encoding="ascii")
    shutil.rmtree(scratch)
    return verilog, converted.contents


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector still: Amaranth's objects all live to the end, and scanning them takes a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _plain_modules(text: str, top: str) -> str:
    """Call Amaranth's module ``a.b$7`` ``a_b``: an identifier that no tool needs to escape."""
    dotted = re.compile(rf"^(module|  cell) \\({top}\.\S+)", re.MULTILINE)
    plain: dict[str, str] = {}
    for name in dict.fromkeys(found[2] for found in dotted.finditer(text)):
        readable = re.sub(r"\W+", "_", re.sub(r"\$\d+", "", name), flags=re.ASCII)
        candidate, number = readable, 2
        while candidate in plain.values():
            candidate, number = f"{readable}_{number}", number + 1
        plain[name] = candidate
    return dotted.sub(lambda found: f"{found[1]} \\{plain[found[2]]}", text)


def _ports(component: wiring.Component) -> list[tuple[bool, int, str]]:
    """Give (is an input, width, name) of every port in the order of the signature."""
    return [
        (member.flow is Flow.In, Shape.cast(member.shape).width, path[0])
        for path, member, _ in component.signature.flatten(component)
    ]


def _range(width: int) -> str:
    return "" if width == 1 else f"[{width - 1}:0]"


def _side(title: str, beats: Beats, last: str = "tlast with the last") -> list[str]:
    shape = " x ".join(str(size) for size in beats.shape)
    low, high, bits = beats.type.low, beats.type.high, beats.type.bits
    meaning = "1 bit, 0 = -1 and 1 = +1" if beats.type.bipolar else f"{bits} bits, {low} to {high}"
    codes = (
        f"1 code ({meaning})."
        if beats.lanes == 1
        else f"{beats.lanes} codes ({meaning}), the first in the lowest bits."
    )
    lines = [
        f"{title}: {beats.count} beats a frame (map {shape}, channels last), {last}.",
        f"  A beat carries {codes}",
    ]
    if beats.type.signed:
        lines.append("  Codes are two's complement.")
    if beats.bits % 8:
        lines.append(f"  Bits {8 * beats.bytes - 1}:{beats.bits} of tdata are padding.")
    return lines


def _port(title: str, kind: str, beats: BeatSequence) -> list[str]:
    if len(beats.parts) == 1:
        return _side(title, beats.parts[0])
    lines = [
        f"{title}: {beats.count} beats a frame of {beats.bits} bits: the {kind}s in turn, tlast with the last of all."
    ]
    for number, part in enumerate(beats.parts):
        lines += _side(f"  {kind} {number}", part, last="zero-extended")
    return lines


def _describe(component: wiring.Component, name: str, interface: Interface | None) -> list[str]:
    lines = [f"{name}: streaming neural network accelerator, generated by hwgen. Do not edit.", ""]
    if interface is not None:
        lines += [
            *_port("s_axis", "input", interface.input),
            *_port("m_axis", "output", interface.output),
            f"A frame every {interface.ii_cycles} cycles; first result {interface.latency_cycles} cycles after its first beat.",
            "",
        ]
    lines += ["Ports:"]
    lines += [
        f"  {'input ' if inward else 'output'} {_range(width):>9} {port}" for inward, width, port in _ports(component)
    ]
    return [
        *lines,
        "",
        "AXI4-Stream on the rising edge of aclk; aresetn is synchronous and active low. frame_error stays high until",
        "reset after a tlast that was missing or early. Memory files (*.mem) are read by file name: run tools",
        "in their folder, or add it to the search path.",
    ]


def _template(component: wiring.Component, name: str) -> str:
    ports = _ports(component)
    wires = [f"wire {_range(width):>9} {port};" for _, width, port in ports]
    pins = ",\n".join(f"    .{port:<16} ({port})" for _, _, port in ports)
    return "\n".join(
        [
            f"// Instantiation template of {name}: copy into the design that uses it.",
            *wires,
            "",
            f"{name} {name}_inst (",
            pins,
            ");",
            "",
        ]
    )


def _waivers(name: str) -> str:
    rules = (
        f'// {reason[0].upper()}{reason[1:]}.\nlint_off -rule {rule} -file "*{name}.v"' for rule, reason in WAIVERS
    )
    return "\n".join(["`verilator_config", *rules, ""])


def _core(name: str, memories: list[str]) -> str:
    """Give the FuseSoC description (CAPI2)."""
    copies = "".join(f"\n      - rtl/{file}: {{file_type: user, copyto: {file}}}" for file in memories)
    return f"""CAPI=2:
name: ::{name}:1.0.0
description: Streaming neural network accelerator generated by hwgen

filesets:
  rtl:
    files:
      - rtl/{name}.v: {{file_type: verilogSource}}{copies}
  waivers:
    files:
      - rtl/{name}.vlt: {{file_type: vlt}}

targets:
  default:
    filesets: [rtl]
    toplevel: {name}
  lint:
    default_tool: verilator
    filesets: [waivers, rtl]
    toplevel: {name}
    tools:
      verilator:
        mode: lint-only
        verilator_options: [-Wall]
"""
