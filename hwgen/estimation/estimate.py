"""What layers take of a device before anything is synthesised: counted memories and flip-flops, LUTs at prices fitted to measurements.

A family's prices are a JSON file that its record names, written by `benchmarks/resource_model.py` from the mapped layers that
`benchmarks/resources.json` keeps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hwgen.devices.cells import Carry
from hwgen.devices.families import FAMILIES
from hwgen.devices.family import Device
from hwgen.devices.usage import Usage
from hwgen.errors import OptionError
from hwgen.estimation.memory_map import place
from hwgen.fold import Fold
from hwgen.pipeline.layout import Pipeline, lay_out
from hwgen.pipeline.stages import LayerStage
from hwgen.pipeline.surroundings import surroundings
from hwgen.plan import Plan
from hwgen.rtl_templates.cost import CarryChain, MemoryKind, Part, Resources, TableLogic

__all__ = ["Prices", "Quantities", "estimate", "estimate_pipeline", "estimate_total", "model_of", "quantities"]


UNMEASURED = 1
"""LUTs of a part that no layer has to which the prices are fitted: bills count LUTs."""


@dataclass(frozen=True)
class Prices:
    """A family's model.

    Parameters
    ----------
    luts, ffs : mapping of Part to float
        What each part takes.
    error : mapping
        How far the model is from the measurements that it was fitted to, as fractions.
    """

    luts: Mapping[Part, float]
    ffs: Mapping[Part, float]
    error: Mapping[str, float]


@dataclass(frozen=True)
class Quantities:
    """Parts of a layer on a device, its memories among them, and what is counted exactly."""

    parts: Mapping[Part, float]
    brams: float
    lutrams: int
    sprams: int
    dsps: int


def model_of(device: Device) -> Prices:
    """Give the model of a device's family.

    Raises
    ------
    OptionError
        If there is none yet.
    """
    if device.family.prices is None:
        known = ", ".join(name for name, family in FAMILIES.items() if family.prices is not None)
        raise OptionError(
            f"There is no resource model of {device.name}'s family '{device.family.name}', only of {known}; "
            "choose another one"
        )
    return _read(device.family.prices)


@cache
def _read(path: Path) -> Prices:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    luts, ffs = ({Part(part): price for part, price in content[kind].items()} for kind in ("luts", "ffs"))
    return Prices(luts, ffs, content["error"])


def quantities(cost: Resources, device: Device) -> Quantities:
    """Place a layer's memories and multipliers on a device, and count what remains as parts."""
    family = device.family
    parts: dict[Part, float] = dict(cost.parts)
    brams, lutrams, sprams, dsps = 0.0, 0, 0, 0

    def add(part: Part, number: float) -> None:
        parts[part] = parts.get(part, 0) + number

    for chain, number in cost.chains.items():
        add(chain.part, number * _chain_cells(family.carry, chain))
    for memory in cost.memories:
        placement = place(family.memories, memory)
        brams += placement.blocks
        lutrams += placement.lutrams
        sprams += placement.sprams
        add(Part.STACK_BIT, placement.mux_bits)
        if placement.in_logic and memory.kind.constant:
            leaves = -(-memory.depth // family.memories.lut_words)
            logic = memory.logic or TableLogic(memory.width, memory.width * leaves, memory.width * (leaves - 1))
            add(Part.TABLE_LUT, logic.leaves)
            add(Part.TABLE_STACK, logic.stacks)
            add(Part.FLIPFLOP, logic.columns if memory.kind is MemoryKind.TABLE else 0)
        elif placement.in_logic:
            add(Part.STORED_BIT, memory.depth * memory.width)
        if not placement.blocks and memory.kind in (MemoryKind.BUFFER, MemoryKind.WINDOW):
            add(Part.FLIPFLOP, memory.width)
        if placement.old_word:
            add(Part.OLD_WORD_BIT, memory.width)
    for product in cost.products:
        if (
            device.dsps
            and family.multipliers is not None
            and min(product.left, product.right) >= family.multipliers.least_factor_bits
            and product.bits >= family.multipliers.least_product_bits
        ):
            dsps += product.number
        else:
            add(Part.PRODUCT_BIT, product.number * product.left * product.right)
    return Quantities(parts, brams, lutrams, sprams, dsps)


def _chain_cells(carry: Carry, chain: CarryChain) -> int:
    """Give the LUTs of a carry chain; a short one is logic, of which a bit that only brings in a carry takes none."""
    is_chain = carry.least_bits is not None and chain.bits >= carry.least_bits
    if chain.part is Part.CLEARED_BIT:
        return chain.bits if is_chain else 0
    if carry.beside_luts and is_chain and chain.part is Part.LEVEL_BIT:
        return 0
    if not is_chain:
        return chain.bits - chain.carries_in
    if carry.beside_luts:
        return chain.bits - chain.carries_in - chain.carries_out
    return -(-chain.bits // carry.cell_bits) * carry.cell_bits


def estimate(cost: Resources, device: Device) -> Usage:
    """Price a layer on a device."""
    found, model = quantities(cost, device), model_of(device)
    luts = sum(number * model.luts.get(part, UNMEASURED) for part, number in found.parts.items())
    ffs = sum(number * model.ffs.get(part, part is Part.FLIPFLOP) for part, number in found.parts.items())
    luts += found.lutrams * device.family.memories.lut_luts
    return Usage(
        luts=round(luts),
        ffs=round(ffs),
        brams=found.brams,
        lutrams=found.lutrams,
        sprams=found.sprams,
        dsps=found.dsps,
    )


def estimate_pipeline(
    pipeline: Pipeline, device: Device, known: Mapping[tuple[str, Fold], Usage] | None = None
) -> dict[str, Usage]:
    """Price every stage of a pipeline by its name, the counters of beats at both ports as "ports", and its registers as "registers" if it has them.

    Parameters
    ----------
    pipeline : Pipeline
    device : Device
    known : mapping of (str, Fold) to Usage, or None
        Layers by name and folding that are priced for this device already.
    """
    found = {name: estimate(cost, device) for name, cost in surroundings(pipeline).items()}
    for stage in pipeline.stages:
        priced = known.get((stage.name, stage.fold)) if known and isinstance(stage, LayerStage) else None
        found[stage.name] = estimate(stage.resources(), device) if priced is None else priced
    return found


def estimate_total(plan: Plan, device: Device) -> Usage:
    """Add up the estimates of a plan's stages."""
    return sum(estimate_pipeline(lay_out(plan), device).values(), Usage())
