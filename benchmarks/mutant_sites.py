"""Where a text of Verilog can be changed, and all the changes planted in one text, of which a memory file switches one on.

So a network is compiled once for all its mutants. Mutant 0 is none.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DIFFERS", "SWITCH", "Flip", "Site", "draw", "planted"]

SWITCH = "mutant.mem"
"""Memory file with the number of the mutant."""

DIFFERS = "differs"
"""What a run prints of each mutant whose line once had another value."""

OPERATORS = (
    (" & ", " | "),
    (" | ", " & "),
    (" == ", " != "),
    (" != ", " == "),
    (" + ", " - "),
    (" - ", " + "),
    (" ^ ", " & "),
    (" >= ", " > "),
    (" > ", " >= "),
    (" < ", " <= "),
    ("~ ", " "),
    (" ? ", " == 0 ? "),
)
"""What stands for what, each a kind of its own."""

ASSIGNMENT = re.compile(r"^(\s*(?:assign )?[\w\\ \[\]:]+? (?:=|<=) )(.*)(;)$")
CONDITION = re.compile(r"^(\s*if \()(.*)(\) begin)$")
NOT_LOGIC = re.compile(r"\s*(module|input|output|wire|reg|integer|\(\*|//|\.|endmodule|initial|always)")
HANDSHAKE = re.compile(r"\s*assign \S*(valid|ready|push|take|put|step)\S* = ")
CONSTANT = re.compile(r"(\d+)'h([0-9a-f]+)")
NEUTRAL = re.compile(r" [+-] \d+'h0+\b")
"""Adding nothing and taking nothing away are one."""

MEMORY_EVERY = 5
"""Of so many mutants one is a bit of a memory file, where there are any."""


@dataclass(frozen=True)
class Site:
    """A change of one line of the Verilog: its right side, or its condition."""

    kind: str
    module: str
    line: int
    before: str
    new: str

    def facts(self, file: str) -> dict[str, object]:
        """Give it as JSON types."""
        left, right, end = parts(self.before)
        at = next((n for n, (a, b) in enumerate(zip(right, self.new, strict=False)) if a != b), 0)
        change = self.before if len(right) < 300 else f"{left}... {right[max(0, at - 80) : at + 80]} ...{end}"
        after = self.new if len(right) < 300 else f"... {self.new[max(0, at - 80) : at + 80]} ..."
        return {
            "file": file,
            "kind": self.kind,
            "module": self.module,
            "line": self.line + 1,
            "before": change.strip(),
            "after": f"{left.strip()} {after}{end}",
        }


@dataclass(frozen=True)
class Flip:
    """A bit of a word of a memory file."""

    path: Path
    word: int
    bit: int

    def facts(self, _: str) -> dict[str, object]:
        """Give it as JSON types."""
        before = self.path.read_text(encoding="ascii").split()[self.word]
        return {
            "file": self.path.name,
            "kind": "memory",
            "line": self.word + 1,
            "before": before,
            "after": self.flipped(before),
        }

    def flipped(self, word: str) -> str:
        return f"{int(word, 16) ^ (1 << self.bit):0{len(word)}x}"

    def apply(self) -> str:
        """Change the file, and give what it was."""
        before = self.path.read_text(encoding="ascii")
        words = before.split()
        words[self.word] = self.flipped(words[self.word])
        self.path.write_text("\n".join(words) + "\n", encoding="ascii")
        return before


def parts(line: str) -> tuple[str, str, str]:
    """Split a line into what stands before, the right side or condition, and what stands behind."""
    found = ASSIGNMENT.match(line) or CONDITION.match(line)
    assert found is not None
    return found[1], found[2], found[3]


def draw(folder: Path, name: str, count: int, seed: str) -> dict[int, Site | Flip]:
    """Draw mutants of a build's Verilog and memories, from 1 on: one half by kind, the other by place."""
    drawn = random.Random(seed)
    text = (folder / f"{name}.v").read_text(encoding="ascii")
    sites = list(dict.fromkeys(_sites(text)))
    kinds = sorted({site.kind for site in sites})
    files = sorted(folder.glob("*.mem"))
    found: dict[Site | Flip, None] = {}
    while len(found) < count:
        number = len(found) + 1
        if files and number % MEMORY_EVERY == 0:
            found[_flip(drawn, drawn.choice(files))] = None
            continue
        kind = drawn.choice(kinds)
        found[drawn.choice([site for site in sites if site.kind == kind or number % 2])] = None
    return dict(enumerate(found, start=1))


def _flip(drawn: random.Random, path: Path) -> Flip:
    words = path.read_text(encoding="ascii").split()
    bits = max(int(word, 16).bit_length() for word in words)
    return Flip(path, drawn.randrange(len(words)), drawn.randrange(max(bits, 1)))


def _sites(text: str) -> Iterator[Site]:
    """Give all places of a text, but those whose value nothing reads."""
    lines, module = text.splitlines(), ""
    uses = _uses(text)
    for number, line in enumerate(lines):
        if found := re.match(r"module (\S+?)\(", line):
            module = found[1]
        logic = ASSIGNMENT.match(line) or CONDITION.match(line)
        if logic is None or NOT_LOGIC.match(line):
            continue
        if ASSIGNMENT.match(line):
            target = re.match(r"\s*(?:assign )?([\w\\]+)", line)
            assert target is not None
            # Declared, assigned and no more; the next value of a register is assigned once as it was.
            if uses[module].get(target[1], 0) <= (3 if target[1].endswith("_next") else 2):
                continue
        for kind, new in _changes(line, logic[2]):
            yield Site(kind, module, number, line, new)


def _uses(text: str) -> dict[str, dict[str, int]]:
    """Count the words of each module; ports are used outside."""
    counts: dict[str, dict[str, int]] = {}
    for body in re.split(r"^module ", text, flags=re.MULTILINE)[1:]:
        of_module: dict[str, int] = {}
        for word in re.findall(r"(?<![\w.])[A-Za-z_\\]\w*", body.split(");", 1)[1]):
            of_module[word] = of_module.get(word, 0) + 1
        for word in re.findall(r"^  output (?:reg )?(?:signed )?(?:\[\d+:0\] )?(\w+)", body, re.MULTILINE):
            of_module[word] = of_module.get(word, 0) + 2
        counts[body.split("(", 1)[0]] = of_module
    return counts


def _changes(line: str, right: str) -> Iterator[tuple[str, str]]:
    """Give the kinds of changes of a right side or condition, and what becomes of it."""
    for old, new in OPERATORS:
        for at in (found.start() for found in re.finditer(re.escape(old), right)):
            if not NEUTRAL.match(right, at):
                yield f"{old.strip()} as {new.strip() or 'nothing'}", right[:at] + new + right[at + len(old) :]
    for found in CONSTANT.finditer(right):
        width, value = int(found[1]), int(found[2], 16)
        for bit in range(width):
            yield "constant", f"{right[: found.start()]}{width}'h{value ^ (1 << bit):x}{right[found.end() :]}"
    if CONDITION.match(line):
        yield "condition turned", f"!({right})"
        if right == "rst":
            yield "no reset", "1'h0"
    elif HANDSHAKE.match(line) and re.fullmatch(r"\w+", right):
        yield from (("handshake stuck", f"1'h{level}") for level in (0, 1))


def planted(text: str, mutants: Mapping[int, Site | Flip]) -> str:
    """Give the text with all of its mutants in it; at its end a run prints which of their lines ever had another value than the original's."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("module ")]
    of_line: dict[int, dict[int, Site]] = {}
    for number, site in mutants.items():
        if isinstance(site, Site):
            of_line.setdefault(site.line, {})[number] = site
    added: dict[int, list[str]] = {}
    behind: dict[int, str] = {}
    for line, sites in of_line.items():
        start = max(start for start in starts if start < line)
        declared = added.setdefault(
            start, [f'  reg [15:0] mutant__ [0:0];\n  initial $readmemh("{SWITCH}", mutant__);']
        )
        left, right, end = parts(lines[line])
        value, seen = right, ""
        for number, site in sites.items():
            value = f"(mutant__[0] == 16'd{number}) ? ({site.new}) : ({value})"
            seen += f" if (({site.new}) !== ({right})) differs_{number}__ = 1'h1;"
            declared.append(f"  reg differs_{number}__ = 1'h0;")
            declared.append(f'  final if (differs_{number}__) $display("{DIFFERS} {number};");')
        if CONDITION.match(lines[line]):
            behind[line - 1] = seen
        elif left.lstrip().startswith("assign "):
            declared.append(f"  always @* begin{seen} end")
        else:
            left, end = f"begin{seen} {left}", f"{end} end"
        lines[line] = f"{left}{value}{end}"
    for line, seen in behind.items():
        lines[line] += seen
    for start, declared in sorted(added.items(), reverse=True):
        end_of_ports = next(at for at in range(start, len(lines)) if lines[at].rstrip().endswith(");"))
        lines.insert(end_of_ports + 1, "\n".join(declared))
    return "\n".join(lines) + "\n"
