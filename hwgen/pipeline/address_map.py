"""Where the registers and the writable memories of a pipeline lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hwgen.pipeline.layout import Pipeline
from hwgen.rtl_templates.registers.register_bus import STROBES
from hwgen.rtl_templates.registers.registers import Register, RegisterMap
from hwgen.rtl_templates.registers.write_bus import Contents, looked_at, memories_of

__all__ = ["AddressMap", "Region", "address_map"]


@dataclass(frozen=True, eq=False)
class Region:
    """A writable memory of a layer.

    Parameters
    ----------
    layer, memory : str
    base : int
        Word address of its first part.
    contents : Contents
        Its shape, and the words that the plan's network has there.
    """

    layer: str
    memory: str
    base: int
    contents: Contents

    def facts(self) -> dict[str, Any]:
        """Give what writes need to know, as JSON types; addresses are those of bytes."""
        return {
            "layer": self.layer,
            "memory": self.memory,
            "base": self.base * STROBES,
            "words": len(self.contents.words),
            "width": self.contents.width,
            "bytes_per_word": STROBES << self.contents.part_address_bits,
            "initial": self.contents.initial,
        }


@dataclass(frozen=True, eq=False)
class AddressMap:
    """Registers and memories of a pipeline with a register port.

    Parameters
    ----------
    network_id : int
        64 bits.
    stages : tuple of str
        Layers whose busy cycles are counted, in the order of the counters.
    regions : tuple of Region
        Rising by base.
    """

    network_id: int
    stages: tuple[str, ...]
    regions: tuple[Region, ...]

    @property
    def shape(self) -> RegisterMap:
        """The same as the hardware knows it."""
        memories = tuple((region.base, region.contents) for region in self.regions)
        return RegisterMap(self.network_id, len(self.stages), memories)

    def bases(self, layer: str) -> dict[str, int]:
        """Give the word address of each memory of a layer."""
        return {region.memory: region.base for region in self.regions if region.layer == layer}

    def facts(self) -> dict[str, Any]:
        """Give the map as JSON types; addresses are those of bytes."""
        names = (
            "NETWORK_ID VERSION STATUS CONTROL SCRATCH LOADED_ID FRAMES_IN FRAMES_OUT INPUT_STALLS OUTPUT_STALLS STAGES"
        )
        busy = {layer: (Register.BUSY + number) * STROBES for number, layer in enumerate(self.stages)}
        return {
            "registers": {name.lower(): getattr(Register, name) * STROBES for name in names.split()},
            "busy_cycles": busy,
            "memories": [region.facts() for region in self.regions],
        }


def address_map(pipeline: Pipeline, network_id: int = 0) -> AddressMap:
    """Lay out the registers and, behind them, each writable memory at a multiple of its size, in the order of the stages.

    Parameters
    ----------
    pipeline : Pipeline
    network_id : int
        What identifies the hardware; where only the places matter, any number does.
    """
    layers = pipeline.layers
    names = tuple(stage.name for stage in layers)
    found: list[tuple[str, str, Contents]] = []
    with looked_at():
        for stage in layers:
            if stage.fold.writable:
                found += [(stage.name, name, memory) for name, memory in memories_of(stage.component()).items()]
    placed = RegisterMap.laid_out(network_id, len(names), [memory for _, _, memory in found]).memories
    regions = (
        Region(layer, name, base, memory) for (layer, name, _), (base, memory) in zip(found, placed, strict=True)
    )
    return AddressMap(network_id, names, tuple(regions))
