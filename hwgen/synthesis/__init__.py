"""From the Verilog of a build folder to figures of a real device: resources, clock, critical path."""

from hwgen.synthesis.flow import synthesise
from hwgen.synthesis.gate_simulation import simulate_netlist

__all__ = ["simulate_netlist", "synthesise"]
