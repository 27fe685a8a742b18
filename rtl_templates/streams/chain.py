"""Units one behind the other."""

from collections.abc import Mapping
from itertools import pairwise

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hwgen.rtl_templates.registers.write_bus import Contents, fan_out, memories_of, write_port

__all__ = ["Chain"]


class Chain(wiring.Component):
    """Feeds each unit's output stream into the next one's input.

    Parameters
    ----------
    units : mapping of str to Component
        In the order of the data, by the names of their modules.

    Members
    -------
    i
        As the first unit's.
    o
        As the last unit's.
    busy : Out(1)
        A step of the schedule is taken: the first unit says so, or the last one takes a beat.
    write : ``In(write_port(memories))``
        Only if a unit has one.
    """

    def __init__(self, units: Mapping[str, wiring.Component]) -> None:
        self.units = dict(units)
        first, *_, last = [*self.units.values()] * 2
        ports = {"i": first.signature.members["i"], "o": last.signature.members["o"], "busy": Out(1)}
        super().__init__(ports | ({"write": In(write_port(self.memories))} if self.memories else {}))

    @property
    def memories(self) -> Mapping[str, Contents]:
        """Those of all units; no two have the same name."""
        return {name: memory for unit in self.units.values() for name, memory in memories_of(unit).items()}

    def elaborate(self, platform: object) -> Module:
        """Connect the streams."""
        m = Module()
        for name, unit in self.units.items():
            m.submodules[name] = unit
        units = list(self.units.values())
        connect(m, flipped(self.i), units[0].i)
        for source, reader in pairwise(units):
            connect(m, source.o, reader.i)
        connect(m, units[-1].o, flipped(self.o))
        m.d.comb += self.busy.eq(
            units[0].busy if "busy" in units[0].signature.members else units[-1].i.valid & units[-1].i.ready
        )
        ports = [unit.write for unit in units if memories_of(unit)]
        if ports:
            fan_out(m, self.write, ports)
        return m
