"""Name ports well: those that Amaranth leaves anonymous, and those that it calls after a unit inside, as with the branches of a fork."""

from __future__ import annotations

import re

__all__ = ["name_ports"]

_HEADER = re.compile(r"^module (\w+)\(([^()]*)\);$", re.MULTILINE)
_SEPARATOR = re.compile(r"\s*,\s*")
_ANONYMOUS = re.compile(r"\bport_\d+\b")
_NUMBERED = re.compile(r"[io]_\d+__\w+")
_DECLARED = re.compile(r"^  (?:wire|reg) (?:signed )?(?:\[(\d+):0\] )?(\w+)", re.MULTILINE)
_ASSIGNED = re.compile(r"^  assign (\w+) = (.+);$", re.MULTILINE)
_PIECE = re.compile(r"(\d+)'s?[bdh][0-9a-fxz]+|\w+(?:\[(\d+)(?::(\d+))?\])?")
_INSTANCE = re.compile(r"^  (\w+) \w+ \($")
_PIN = re.compile(r"^    \.(\w+)(\(.*)$")


def name_ports(modules: list[str]) -> list[str]:
    """Call each port ``port_<n>`` after the bits of the signal that it carries, where the module has such a signal, and a numbered stream's wires by its number.

    Parameters
    ----------
    modules : list of str
        One module each, with plain identifiers.

    Returns
    -------
    list of str
        The same hardware: ``port_4`` became ``data_7_4`` if it is bits 7 to 4 of ``data``, ``data_port`` if
        it is all of it, and ``data_part_1`` if it is scattered bits; ``o__ready_2`` of a unit inside became ``o_1__ready``.
    """
    renames = {
        found[1]: _names(text, _SEPARATOR.split(found[2])) for text in modules if (found := _HEADER.search(text))
    }
    return [_rename(text, renames) for text in modules]


def _names(text: str, ports: list[str]) -> dict[str, str]:
    """Choose a name for each anonymous port of one module."""
    anonymous = {port for port in ports if _ANONYMOUS.fullmatch(port)}
    assigned = _ASSIGNED.findall(text)
    names: dict[str, str] = {}
    for target, value in assigned:
        if value in ports and value not in anonymous and target not in ports and _NUMBERED.fullmatch(target):
            names |= {value: target, target: value}
    if not anonymous:
        return names
    widths = {name: int(last or 0) + 1 for last, name in _DECLARED.findall(text)}
    taken = set(re.findall(r"\w+", text))

    def call(port: str, name: str) -> None:
        if port in anonymous and port not in names and name not in taken:
            names[port] = name
            taken.add(name)

    for target, value in assigned:
        if re.fullmatch(r"[a-z]\w*", value):
            call(target, f"{value}_port")
        low = 0
        for piece in reversed(value.strip("{} ").split(", ")):
            width = _width(piece, widths)
            if width is None or _ANONYMOUS.fullmatch(target) or target.startswith("_"):
                break
            high = low + width - 1
            call(
                piece,
                f"{target}_port"
                if width == widths[target]
                else f"{target}_{high}_{low}"
                if width > 1
                else f"{target}_{low}",
            )
            low += width
    for port in sorted(anonymous - names.keys(), key=ports.index):
        reader = next(
            (target for target, value in assigned if re.search(rf"\b{port}\b", value) and target[0] != "_"), ""
        )
        for number in range(1, len(ports) + 1 if reader else 1):
            call(port, f"{reader}_part_{number}")
    return names


def _width(piece: str, widths: dict[str, int]) -> int | None:
    """Give the bits of one piece of a concatenation; None if it is an expression."""
    found = _PIECE.fullmatch(piece)
    if found is None:
        return None
    if found[1]:
        return int(found[1])
    if found[2]:
        return int(found[2]) - int(found[3] or found[2]) + 1
    return widths.get(piece)


def _rename(text: str, renames: dict[str, dict[str, str]]) -> str:
    """Rename the ports in a module and the pins of its instances."""
    header = _HEADER.search(text)
    own = renames[header[1]] if header else {}
    renamed = re.compile(rf"\b(?:{'|'.join(own)})\b") if own else None
    pins: dict[str, str] = {}
    lines = []
    for line in text.splitlines():
        if found := _INSTANCE.match(line):
            pins = renames.get(found[1], {})
        pin = _PIN.match(line)
        prefix, rest = (f"    .{pins.get(pin[1], pin[1])}", pin[2]) if pin else ("", line)
        lines.append(prefix + (renamed.sub(lambda found: own[found[0]], rest) if renamed else rest))
    return "\n".join(lines)
