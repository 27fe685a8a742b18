"""Turn Yosys' Verilog into text that people read: plain identifiers, named memory files, no tool's traces."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwgen.verilog.intermediate import CONTENTS
from hwgen.verilog.port_names import name_ports

__all__ = ["INLINE_BITS", "KEYWORDS", "Source", "tidy"]

INLINE_BITS = 4096
"""Larger memories get a ``$readmemh`` file; the contents of smaller ones stand in the Verilog."""

INLINE_WORDS = 64

KEPT_ATTRIBUTES = ("keep", "no_rw_check", "ram_style", "rom_style", "syn_ramstyle", "syn_romstyle", "use_dsp")
"""Attributes that synthesis tools act on; all others are Amaranth's and Yosys' notes to themselves."""

KEYWORDS = frozenset(
    """always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign default defparam
    design disable edge else end endcase endconfig endfunction endgenerate endmodule endprimitive endspecify endtable
    endtask event for force forever fork function generate genvar highz0 highz1 if ifnone incdir include initial inout
    input instance integer join large liblist library localparam macromodule medium module nand negedge nmos nor
    noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1 pulldown pullup
    pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat rnmos rpmos rtran rtranif0 rtranif1
    scalared showcancelled signed small specify specparam strong0 strong1 supply0 supply1 table task time tran tranif0
    tranif1 tri tri0 tri1 triand trior trireg unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor xor
    bit break byte class const continue do enum export extends final import int interface logic longint modport new
    null package packed priority program property pure rand ref return shortint static string struct super this type
    typedef union unique var virtual void with""".split()
)
"""Reserved words of Verilog, and those of SystemVerilog that a network could bring as names."""

HUGE = '(* ram_style = "huge" *)'
"""Stands before a memory that nothing initialises, in the FPGA or here."""

_ESCAPED = re.compile(r"\\(\S+) ")
_ATTRIBUTE = re.compile(r"\s*\(\* (\w+) = (.*) \*\)$")
_NO_BITS = re.compile(r"  (?:wire|reg) (?:signed )?\[-1:0\] ")  # an index into one thing; nothing refers to it
_MODULE = re.compile(r"module (\w+)")
_MEMORY = re.compile(r"  reg (?:\[(\d+):0\] )?(\w+) \[(\d+):0\];$")
_CLOCKED = re.compile(r"\s+(\w+) <= (_\d+_);$")
_BACKEND = re.compile(r"\\\$auto\$verilog_backend\S* ")
_START = "time_zero"
"""Each module has a constant of its own that starts its combinational blocks at time 0.

Blocks of inputs that never change would not run at all. A value in the declaration makes no event in SystemVerilog, where it is set before anything runs;
an initial block makes one, and stands last in the module so that the other blocks wait for it already.
"""
_STARTER = f"  reg {_START} = 0;"
_PRIVATE = re.compile(r"\b_\d+_\b")


@dataclass(frozen=True)
class Source:
    """Verilog text, and the memory files that it reads: name -> contents, one hexadecimal word a line."""

    text: str
    memories: dict[str, str]


def tidy(verilog: str, contents: Mapping[int, Sequence[int]]) -> Source:
    """Clean Yosys' output.

    Parameters
    ----------
    verilog : str
        As ``write_verilog`` gives it.
    contents : mapping of int to sequence of int
        Words of each memory, by the number in its attribute `CONTENTS`.

    Returns
    -------
    Source
        The same hardware.
    """
    body = verilog.partition("\n")[2].lstrip("\n")
    files: dict[str, str] = {}
    modules = name_ports(_plain_names(body.split("\nendmodule")))
    texts = [_tidy_module(module.splitlines(), contents, files) for module in modules]
    return Source("\nendmodule".join(texts).rstrip() + "\n", files)


def _plain_names(modules: list[str]) -> list[str]:
    """Replace every escaped identifier by a plain one that nothing else in its module is called."""
    # Ports are also named where the module is used, so they are called the same everywhere.
    taken = {*KEYWORDS, _START, *re.findall(r"[A-Za-z_]\w*", "\n".join(modules))}
    ports: dict[str, str] = {}
    for module in modules:
        for name in _ESCAPED.findall(module.partition(";")[0]):
            _choose(name, ports, taken)
    reserved = {*KEYWORDS, _START, *ports.values()}
    texts = []
    for module in modules:
        names = dict(ports)
        taken = reserved | set(re.findall(r"[A-Za-z_]\w*", module))
        text = _BACKEND.sub(_START, module)
        for name in _ESCAPED.findall(text):
            _choose(name, names, taken)
        # Yosys follows an escaped identifier by its terminating space and then by what stands there in any case.
        texts.append(_replaced(text, names))
    return texts


def _replaced(text: str, names: Mapping[str, str]) -> str:
    """Give text with other names for its escaped identifiers."""
    return _ESCAPED.sub(lambda found: names[found[1]], text)


def _choose(name: str, names: dict[str, str], taken: set[str]) -> None:
    """Add a plain name for ``name``, without the numbers by which Amaranth tells equal names apart."""
    if name in names:
        return
    readable = re.sub(r"\W+", "_", re.sub(r"\$\d+", "", name)).strip("_") or "unnamed"
    readable = readable if readable[0].isalpha() else f"n{readable}"
    candidate, number = readable, 2
    while candidate in taken:
        candidate, number = f"{readable}_{number}", number + 1
    taken.add(candidate)
    names[name] = candidate


def _tidy_module(lines: list[str], contents: Mapping[int, Sequence[int]], files: dict[str, str]) -> str:
    module, words = "", None
    result: list[str] = []
    closing: list[str] = []
    for line in lines:
        attribute = _ATTRIBUTE.match(line)
        if attribute is not None and attribute[1] == CONTENTS:
            words = contents[int(attribute[2].strip('"'))]
        if (attribute is not None and attribute[1] not in KEPT_ATTRIBUTES) or _NO_BITS.match(line):
            continue
        if found := _MODULE.match(line):
            module = found[1]
        elif line == _STARTER:
            line = f"  reg {_START};"
            closing = [f"  initial {_START} = 1'h0;"]
        elif found := _MEMORY.match(line):
            width, name, last = int(found[1] or 0) + 1, found[2], int(found[3])
            # Ascending, or the standard's editions disagree about the order in which a file is read.
            line = f"  reg {f'[{width - 1}:0] ' if width > 1 else ''}{name} [0:{last}];"
            if words is not None and result[-1].strip() != HUGE:
                line = f"{line}\n{_contents(module, name, width, words, files)}"
            words = None
        result.append(line.rstrip())
    return "\n".join(_named_next_states([*result, *closing]))


def _contents(module: str, memory: str, width: int, rows: Sequence[int], files: dict[str, str]) -> str:
    """Give the initial block of one memory, and add its file where it has one."""
    if not any(rows):
        index = f"{memory}_index"
        loop = f"for ({index} = 0; {index} < {len(rows)}; {index} = {index} + 1) {memory}[{index}] = {width}'h0;"
        return f"  integer {index};\n  initial {loop}"
    numbers = [f"{row:0{-(-width // 4)}x}" for row in rows]
    if width * len(rows) <= INLINE_BITS and len(rows) <= INLINE_WORDS:
        block = [f"    {memory}[{index}] = {width}'h{number};" for index, number in enumerate(numbers)]
        return "\n".join(["  initial begin", *block, "  end"])
    file = f"{module}_{memory}.mem"
    files[file] = "\n".join(numbers) + "\n"
    return f'  initial $readmemh("{file}", {memory});'


def _named_next_states(lines: list[str]) -> list[str]:
    """Call the anonymous signal that a register takes over at the clock edge ``<register>_next``."""
    taken = set(re.findall(r"\w+", " ".join(lines)))
    names: dict[str, str] = {}
    for line in lines:
        found = _CLOCKED.match(line)
        if found and not _PRIVATE.fullmatch(found[1]) and f"{found[1]}_next" not in taken:
            names.setdefault(found[2], f"{found[1]}_next")
    return [_PRIVATE.sub(lambda found: names.get(found[0], found[0]), line) for line in lines]
