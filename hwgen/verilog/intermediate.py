"""A component as RTLIL, Yosys' intermediate text, without the contents of its memories: those need no tool, and as bits of a text they are most of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amaranth.back import rtlil
from amaranth.hdl import Value, ValueCastable
from amaranth.hdl._ast import SignalDict
from amaranth.hdl._ir import Fragment, PortDirection, build_netlist
from amaranth.hdl._nir import Memory
from amaranth.lib import wiring

from hwgen.progress import at

__all__ = ["CONTENTS", "Intermediate", "intermediate"]

CONTENTS = "hwgen_contents"
"""Attribute of a memory: the number of its contents."""


@dataclass(frozen=True)
class Intermediate:
    """RTLIL, and the words of each memory by the number in its attribute `CONTENTS`."""

    text: str
    contents: Mapping[int, tuple[int, ...]]


class _WithoutContents(rtlil.ModuleEmitter):
    """Writes a module whose memories start with nothing."""

    def emit_memory(self, cell_idx: int, cell: Memory) -> None:
        """Leave the contents out."""


def intermediate(component: wiring.Component, name: str) -> Intermediate:
    """Do `amaranth.back.rtlil.convert`, but for the contents of memories."""
    netlist = build_netlist(Fragment.get(component, None), ports=_ports(component), name=name)
    contents = {}
    for number, cell in enumerate(netlist.cells):
        if isinstance(cell, Memory):
            contents[number] = tuple(word & (1 << cell.width) - 1 for word in cell.init)
            cell.attributes = {**cell.attributes, CONTENTS: str(number)}
    design, names, empty = rtlil.Design(emit_src=False), SignalDict(), rtlil.EmptyModuleChecker(netlist)
    for number, module in enumerate(netlist.modules):
        if empty.is_empty(number):
            continue
        at(f"module '{module.name[-1]}'")
        builder = design.module(".".join(module.name), src_loc=module.src_loc)
        if number == 0:
            builder.attribute("top", 1)
        _WithoutContents(builder, netlist, module, names, empty_checker=empty).emit()
    return Intermediate(str(design), contents)


def _ports(component: wiring.Component) -> dict[str, tuple[Value, PortDirection]]:
    """Give a component's ports by their names in Verilog."""
    ports: dict[str, tuple[Value, PortDirection]] = {}
    signal: Any
    for path, member, signal in component.signature.flatten(component):
        value = signal.as_value() if isinstance(signal, ValueCastable) else signal
        if isinstance(value, Value):
            direction = PortDirection.Input if member.flow == wiring.In else PortDirection.Output
            ports["__".join(map(str, path))] = (value, direction)
    return ports
