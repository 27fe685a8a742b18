"""Units one behind the other."""

from collections.abc import Mapping
from itertools import pairwise

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

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
    """

    def __init__(self, units: Mapping[str, wiring.Component]) -> None:
        self.units = dict(units)
        first, *_, last = [*self.units.values()] * 2
        super().__init__({"i": first.signature.members["i"], "o": last.signature.members["o"]})

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
        return m
