"""What layers take of a device before anything is synthesised: counted memories and flip-flops, LUTs at prices fitted to measurements.

The prices are ``resource_model.json`` beside this file, written by `benchmarks/resource_model.py` from the mapped layers that
`benchmarks/resources.json` keeps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import inf
from typing import Any

from hwgen.devices.boards import Device, Family
from hwgen.errors import OptionError
from hwgen.estimation.memory_map import place
from hwgen.estimation.register_bill import register_resources
from hwgen.estimation.usage import Usage
from hwgen.layers.costs import THUMB, Chain, MemoryKind, Part, Resources, TableLogic
from hwgen.layers.parts import Bill
from hwgen.pipeline.layout import Pipeline, lay_out
from hwgen.plan import Plan

__all__ = [
    "Prices",
    "Quantities",
    "estimate",
    "estimate_pipeline",
    "estimate_total",
    "model_of",
    "prices",
    "quantities",
]

LUT_WORDS = {Family.XILINX7: 64}
"""Words of one bit that a LUT holds; 16 elsewhere."""

LUTRAM_LUTS = {Family.ECP5: 4, Family.GOWIN: 4, Family.NEXUS: 4, Family.XILINX7: 4}
"""LUTs that a cell of distributed RAM takes."""

LEAST_PRODUCT_BITS = {Family.ICE40: 11, Family.ECP5: 0, Family.GOWIN: 0, Family.NEXUS: 0, Family.XILINX7: 9}
"""Bits of a product from which Yosys gives it a multiplier of the device; without a number it never does."""

LEAST_FACTOR_BITS = {Family.GOWIN: 3, Family.NEXUS: 4}
"""Bits of both factors from which it does; 2 elsewhere."""

LEAST_CHAIN_BITS = {Family.ECP5: 5, Family.NEXUS: 1 << 30}
"""Bits from which Yosys makes a sum or a comparison a carry chain; 3 elsewhere. On CrossLink-NX it never does."""

CHAIN_CELL_BITS = {Family.ECP5: 2}
"""Bits of a cell of a carry chain, which are taken together; 1 elsewhere."""


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


@cache
def prices() -> dict[Family, Prices]:
    """Give the model of every family."""
    content: dict[str, Any] = json.loads(
        resources.files("hwgen.estimation").joinpath("resource_model.json").read_text("utf-8")
    )

    def by_part(model: Mapping[str, float]) -> dict[Part, float]:
        return {Part(part): price for part, price in model.items()}

    return {
        Family(family): Prices(by_part(model["luts"]), by_part(model["ffs"]), model["error"])
        for family, model in content["families"].items()
    }


def model_of(device: Device) -> Prices:
    """Give the model of a device's family.

    Raises
    ------
    OptionError
        If there is none yet.
    """
    if device.family not in prices():
        known = ", ".join(family.value for family in prices())
        raise OptionError(
            f"There is no resource model of {device.name}'s family '{device.family.value}', only of {known}; "
            "choose another board, or fold by --target-fps"
        )
    return prices()[device.family]


def quantities(cost: Resources, device: Device) -> Quantities:
    """Place a layer's memories and multipliers on a device, and count what remains as parts."""
    family = device.family
    parts: dict[Part, float] = (
        dict(cost.parts) if cost.parts else {Part.FLIPFLOP: cost.flipflops, Part.OTHER: cost.luts}
    )
    brams, lutrams, sprams, dsps = 0.0, 0, 0, 0

    def add(part: Part, number: float) -> None:
        parts[part] = parts.get(part, 0) + number

    for chain, number in cost.chains.items():
        add(chain.part, number * _chain_cells(family, chain))
    for memory in cost.memories:
        placement = place(family, memory)
        brams += placement.blocks
        lutrams += placement.lutrams
        sprams += placement.sprams
        add(Part.STACK_BIT, placement.mux_bits)
        if placement.in_logic and memory.kind.constant:
            leaves = -(-memory.depth // LUT_WORDS.get(family, 16))
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
            and min(product.left, product.right) >= LEAST_FACTOR_BITS.get(family, 2)
            and product.bits >= LEAST_PRODUCT_BITS.get(family, inf)
        ):
            dsps += product.number
        else:
            add(Part.PRODUCT_BIT, product.number * product.left * product.right)
    return Quantities(parts, brams, lutrams, sprams, dsps)


def _chain_cells(family: Family, chain: Chain) -> int:
    """Give the LUTs of a carry chain; a short one is logic, of which a bit that only brings in a carry takes none."""
    is_chain = chain.bits >= LEAST_CHAIN_BITS.get(family, 3)
    if chain.part is Part.CLEARED_BIT:
        return chain.bits if is_chain else 0
    if family is Family.ICE40 and is_chain and chain.part is Part.LEVEL_BIT:
        # Carry cells stand beside the LUTs.
        return 0
    if not is_chain:
        return chain.bits - chain.carries_in
    if family is Family.ICE40:
        return chain.bits - chain.carries_in - chain.carries_out
    cell = CHAIN_CELL_BITS.get(family, 1)
    return -(-chain.bits // cell) * cell


def estimate(cost: Resources, device: Device) -> Usage:
    """Price a layer on a device."""
    found, model = quantities(cost, device), model_of(device)
    luts = sum(number * model.luts.get(part, THUMB.get(part, 1)) for part, number in found.parts.items())
    ffs = sum(number * model.ffs.get(part, part is Part.FLIPFLOP) for part, number in found.parts.items())
    luts += found.lutrams * LUTRAM_LUTS.get(device.family, 0)
    return Usage(
        luts=round(luts),
        ffs=round(ffs),
        brams=found.brams,
        lutrams=found.lutrams,
        sprams=found.sprams,
        dsps=found.dsps,
    )


def estimate_pipeline(pipeline: Pipeline, device: Device) -> dict[str, Usage]:
    """Price every stage of a pipeline by its name, the counters of beats at both ports as "ports", and its registers as "registers" if it has them."""
    chain = pipeline.stages
    ports = Bill()
    ports.add(Part.UNIT, 1)
    beats = (pipeline.source.count, pipeline.sink.count)
    for number in beats:
        ports.counter(number)
    found = {"ports": ports.resources()}
    if pipeline.plan.has_registers:
        found["registers"] = register_resources(pipeline.layers, *beats)
    found |= {stage.name: stage.resources() for stage in chain}
    return {name: estimate(cost, device) for name, cost in found.items()}


def estimate_total(plan: Plan, device: Device) -> Usage:
    """Add up the estimates of a plan's stages."""
    return sum(estimate_pipeline(lay_out(plan), device).values(), Usage())
