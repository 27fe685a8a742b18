"""What stands around an accelerator that is placed out of context: a shift register of its inputs, and one of its outputs.

`hwgen.synthesis.harness` is that hardware; the tests hold this to what Yosys counts of it.
"""

from __future__ import annotations

from hwgen.devices.usage import Usage
from hwgen.pipeline.layout import Pipeline
from hwgen.pipeline.surroundings import register_shape
from hwgen.rtl_templates.registers.axi_lite import AxiLite
from hwgen.rtl_templates.registers.control import Control

__all__ = ["harness_usage", "port_usage"]

HANDSHAKES_IN, HANDSHAKES_OUT = 4, 4
"""Bits of an accelerator beside its data: reset, valid, last, and ready; ready, valid, last, and the frame error."""


def harness_usage(pipeline: Pipeline) -> Usage:
    """Give what the harness around an accelerator takes."""
    source, sink = pipeline.source, pipeline.sink
    usage = port_usage(8 * source.bytes + HANDSHAKES_IN, 8 * sink.bytes + HANDSHAKES_OUT)
    if pipeline.plan.has_registers:
        members = AxiLite(Control.byte_address_bits(register_shape(pipeline))).members.values()
        driven = sum(member.shape for member in members if member.flow.name == "Out")
        usage += port_usage(driven, 1 + sum(member.shape for member in members) - driven)
    return usage


def port_usage(in_bits: int, out_bits: int) -> Usage:
    """Give what the harness takes for so many bits of ports: a flip-flop each, and a choice in front of that of an output."""
    return Usage(luts=out_bits, ffs=in_bits + out_bits)
