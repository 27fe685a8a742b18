"""Memories that can be written at run time, and the register port through which they are."""

from __future__ import annotations

from dataclasses import replace

from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.folding.keys import known_keys
from hwgen.layers.protocol import Layer, Writable
from hwgen.network import Network
from hwgen.plan import Plan

__all__ = ["make_writable", "with_registers", "writable_layers"]


def make_writable(layer: Layer, fold: Fold) -> Fold:
    """Give a layer's folding with memories that can be written at run time.

    Raises
    ------
    OptionError
        If the layer has none.
    """
    if not isinstance(layer, Writable):
        raise OptionError(f"Layer '{layer.name}' has no memory that could be written; leave it out")
    return layer.writable(fold)


def with_registers(plan: Plan, *, writable: str | None = None, axi_lite: bool = False) -> Plan:
    """Give a plan with writable memories, and with a register port.

    Parameters
    ----------
    plan : Plan
    writable : str or None
        "all", or names of layers with commas between; None: no more than the plan has.
    axi_lite : bool
        A register port even if nothing is writable.

    Raises
    ------
    OptionError
        If a layer is unknown or has no memory.
    """
    layers = {layer.name: layer for layer in plan.network.layers}
    chosen = writable_layers(plan.network, writable)
    folds = {name: make_writable(layers[name], plan.folds[name]) for name in chosen}
    return replace(plan, folds={**plan.folds, **folds}, axi_lite=plan.axi_lite or axi_lite)


def writable_layers(network: Network, writable: str | None) -> frozenset[str]:
    """Give the layers that an option names: "all" that have memories, or names with commas between; none for None.

    Raises
    ------
    OptionError
        If a layer is unknown.
    """
    layers = {layer.name: layer for layer in network.layers}
    if writable == "all":
        return frozenset(name for name, layer in layers.items() if isinstance(layer, Writable))
    chosen = [] if writable is None else [name.strip() for name in writable.split(",")]
    known_keys(dict.fromkeys(chosen), layers, "--writable")
    return frozenset(chosen)
