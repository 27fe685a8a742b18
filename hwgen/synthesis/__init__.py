"""From the Verilog of a build folder to figures of a real device: resources, clock, critical path."""

from hwgen.synthesis.flow import synthesise
from hwgen.synthesis.result import render

__all__ = ["render", "synthesise"]
