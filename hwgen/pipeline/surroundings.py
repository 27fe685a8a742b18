"""What stands around the stages of an accelerator, for the estimate of its cost: the counters at both ports, registers, and the bus to the memories."""

from __future__ import annotations

from hwgen.pipeline.layout import Pipeline
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.registers.control import Control
from hwgen.rtl_templates.registers.registers import RegisterMap
from hwgen.rtl_templates.registers.write_bus import Contents, WriteStation
from hwgen.rtl_templates.streams.axi_stream import AxiStreamInput, AxiStreamOutput

__all__ = ["register_shape", "surroundings"]


def surroundings(pipeline: Pipeline) -> dict[str, Resources]:
    """Give the cost of what stands around a pipeline, by name: "ports", and "registers" if it has them."""
    ports = AxiStreamInput.bill(pipeline.source.count)
    ports.include(AxiStreamOutput.bill(pipeline.sink.count))
    found = {"ports": ports.resources()}
    if pipeline.plan.has_registers:
        found["registers"] = _registers(pipeline)
    return found


def register_shape(pipeline: Pipeline) -> RegisterMap:
    """Give the map of a pipeline's registers and writable memories as far as its cost depends on it: places and sizes, not contents."""
    return RegisterMap.laid_out(
        0, len(pipeline.layers), [memory for memories in _written(pipeline) for memory in memories]
    )


def _written(pipeline: Pipeline) -> list[list[Contents]]:
    """Give the writable memories of each layer that has any; only the sizes count, so their words are as many numbers."""
    return [
        [Contents(range(memory.depth), memory.width) for memory in stage.resources().memories if memory.written]
        for stage in pipeline.layers
        if stage.fold.writable
    ]


def _registers(pipeline: Pipeline) -> Resources:
    """Give the cost of the registers, and of a station for each layer with writable memories."""
    shape = register_shape(pipeline)
    bill = Control.bill(shape, pipeline.source.count, pipeline.sink.count)
    for memories in _written(pipeline):
        bill.include(WriteStation.bill(shape.address_bits, memories))
    return bill.resources()
