"""The four-pin wrapper in which an accelerator is placed and routed when no host link surrounds it."""

from __future__ import annotations

from collections.abc import Mapping

from amaranth.hdl import Cat, ClockDomain, Instance, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["CLOCK_PORT", "Harness"]

CLOCK_PORT = "aclk"
"""The accelerator's clock; every other port is shifted."""


class Harness(wiring.Component):
    """Registers that shift an accelerator's inputs in and its outputs out, so that all its ports fit any package.

    Every input of the accelerator is one bit of a shift register fed by ``d``; every output is sampled into a second shift
    register while ``capture`` is 1 and leaves it by ``q`` otherwise. So nothing of the accelerator is constant or unread,
    and each of its ports begins or ends a path at a register, as it would inside a larger design.

    Parameters
    ----------
    name : str
        Name of the accelerator's Verilog module.
    ports : mapping
        Port -> (is an input, width in bits); one of them is the clock `CLOCK_PORT`.

    Members
    -------
    clk : In(1)
    d : In(1)
        Serial input.
    capture : In(1)
        Sample the outputs instead of shifting them.
    q : Out(1)
        Serial output.
    """

    def __init__(self, name: str, ports: Mapping[str, tuple[bool, int]]) -> None:
        self.name = name
        self.ports = {port: shape for port, shape in ports.items() if port != CLOCK_PORT}
        super().__init__({"clk": In(1), "d": In(1), "capture": In(1), "q": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Instantiate the accelerator between the two shift registers."""
        m = Module()
        m.domains.sync = clocking = ClockDomain(reset_less=True)
        m.d.comb += clocking.clk.eq(self.clk)

        inputs = {port: Signal(width, name=port) for port, (inward, width) in self.ports.items() if inward}
        outputs = {port: Signal(width, name=port) for port, (inward, width) in self.ports.items() if not inward}
        driven, sampled = Cat(inputs.values()), Cat(outputs.values())
        entering, leaving = Signal(len(driven)), Signal(len(sampled))
        m.d.sync += [
            entering.eq(Cat(self.d, entering)),
            leaving.eq(Mux(self.capture, sampled, Cat(self.d, leaving))),
        ]
        m.d.comb += [driven.eq(entering), self.q.eq(leaving[-1])]
        pins = {f"i_{port}": signal for port, signal in inputs.items()}
        pins |= {f"o_{port}": signal for port, signal in outputs.items()}
        pins[f"i_{CLOCK_PORT}"] = clocking.clk
        m.submodules.accelerator = Instance(self.name, **pins)
        return m
