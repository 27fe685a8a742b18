"""Put a retrained network of the same shape into hardware that is there: other weights and thresholds, no synthesis."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from hwgen.build_folder import manifest, network_file
from hwgen.build_folder.identity import identity
from hwgen.build_folder.open import Accelerator
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.protocol import Layer
from hwgen.network import InputPort, Network
from hwgen.pipeline import memory_image
from hwgen.pipeline.address_map import AddressMap, Region, address_map
from hwgen.pipeline.layout import lay_out
from hwgen.plan import Plan

__all__ = ["Reload", "keep", "original", "reload"]

CONTENT = ("weights", "levels", "table", "negate")
"""Fields of layers that are in their memories, where those can be written."""


@dataclasses.dataclass(frozen=True, eq=False)
class Reload:
    """A network that suits a build's hardware.

    Parameters
    ----------
    plan : Plan
        The new network under the build's names and foldings.
    image : bytes
        What is written into the memories, see `hwgen.pipeline.memory_image`.
    loaded_id : int
        64 bits that identify it.
    is_original : bool
        Whether it is the network that the build was made of.
    """

    plan: Plan
    image: bytes
    loaded_id: int
    is_original: bool


def original(accelerator: Accelerator) -> Plan:
    """Give the plan that a build's hardware was made of, whatever was loaded since."""
    return replace(accelerator.plan, network=network_file.load_network(accelerator.folder))


def reload(accelerator: Accelerator, network: Network) -> Reload:
    """Fit a network into a build's hardware.

    Parameters
    ----------
    accelerator : hwgen.Accelerator
        An open build folder.
    network : Network
        As `hwgen.read` gives it.

    Returns
    -------
    Reload

    Raises
    ------
    OptionError
        If the build has no writable memories, or the network differs in anything else than what they hold; names the layer and what differs.
    """
    plan = original(accelerator)
    if not any(fold.writable for fold in plan.folds.values()):
        raise OptionError(f"'{accelerator.folder}' has no writable layers; compile it with --writable all")
    fitted = _fit(plan, network)
    new = replace(plan, network=fitted)
    loaded_id = identity(new)
    before, after = address_map(lay_out(plan), identity(plan)), address_map(lay_out(new), loaded_id)
    for old_region, new_region in zip(before.regions, after.regions, strict=True):
        if _place(old_region) != _place(new_region):
            raise OptionError(
                f"Layer '{old_region.layer}' needs another '{old_region.memory}' memory for the new model; compile it anew"
            )
    image = memory_image.load_image(AddressMap(before.network_id, before.stages, after.regions), loaded_id)
    return Reload(new, image, loaded_id, loaded_id == before.network_id)


def keep(accelerator: Accelerator, loaded: Reload) -> Accelerator:
    """Make a network the one that a build folder means, for runs, simulations and the golden model."""
    folder = accelerator.folder / memory_image.LOADED
    if loaded.is_original:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        with manifest.writing(folder) as partial:
            network_file.save_network(loaded.plan.network, partial)
            (partial / memory_image.FILE).write_bytes(loaded.image)
            manifest.write_manifest(partial, {"network_id": f"{loaded.loaded_id:016x}"})
    return replace(accelerator, plan=loaded.plan)


def _place(region: Region) -> tuple[Any, ...]:
    return (region.layer, region.memory, region.base, len(region.contents.words), region.contents.width)


def _fit(plan: Plan, network: Network) -> Network:
    """Give the network with the build's names, once all that the hardware fixes is found equal."""
    old, new = plan.network, network
    if len(old.layers) != len(new.layers):
        raise OptionError(
            f"The build has {len(old.layers)} layers ({_names(old.layers)}), and the new model {len(new.layers)} ({_names(new.layers)})"
        )
    if len(old.inputs) != len(new.inputs):
        raise OptionError(
            f"The build has {len(old.inputs)} inputs ({_names(old.inputs)}), and the new model {len(new.inputs)} ({_names(new.inputs)})"
        )
    renamed = {}
    for port, other in zip(old.inputs, new.inputs, strict=True):
        for field in ("shape", "type"):
            ours, theirs = getattr(port, field), getattr(other, field)
            if ours != theirs:
                raise OptionError(f"The build's input '{port.name}' has {field} {ours}, and the new model's {theirs}")
        renamed[other.name] = port.name
    layers = []
    for ours, theirs in zip(old.layers, new.layers, strict=True):
        layers.append(_fit_layer(ours, theirs, plan.folds[ours.name], renamed))
        renamed[theirs.name] = ours.name
    fitted = replace(
        new,
        name=old.name,
        inputs=tuple(replace(port, name=renamed[port.name]) for port in new.inputs),
        layers=tuple(layers),
        outputs=tuple(replace(port, source=renamed[port.source]) for port in new.outputs),
    )
    ours, theirs = (", ".join(f"'{port.source}'" for port in one.outputs) for one in (old, fitted))
    if ours != theirs:
        raise OptionError(f"The build gives out {ours}, and the new model {theirs}")
    return fitted


def _fit_layer(ours: Layer, theirs: Layer, fold: Fold, renamed: dict[str, str]) -> Layer:
    """Give the new layer under the build's names."""
    if type(ours) is not type(theirs):
        raise OptionError(
            f"Layer '{ours.name}' is a {type(ours).__name__}, and the new model has a {type(theirs).__name__} in its place"
        )
    changes: dict[str, Any] = {"name": ours.name}
    for field in dataclasses.fields(theirs):
        value = getattr(theirs, field.name)
        if field.name == "source":
            changes["source"] = renamed[value]
        elif field.name == "sources":
            changes["sources"] = tuple(renamed[name] for name in value)
    fitted: Layer = replace(theirs, **changes)
    _compare(ours, fitted, ours.name, "", fold.writable)
    return fitted


def _compare(ours: Any, theirs: Any, layer: str, where: str, writable: bool) -> None:
    """Refuse a difference that no memory holds."""
    if dataclasses.is_dataclass(ours) and type(ours) is type(theirs):
        for field in dataclasses.fields(ours):
            values = getattr(ours, field.name), getattr(theirs, field.name)
            _compare(*values, layer, field.name, writable)
        return
    content = where in CONTENT
    if isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray):
        if ours.shape != theirs.shape:
            raise OptionError(f"Layer '{layer}' has {where} of shape {ours.shape}, and the new model {theirs.shape}")
        if np.array_equal(ours, theirs) or (content and writable):
            return
    elif ours == theirs or (content and writable and len(ours) == len(theirs)):
        return
    if content:
        raise OptionError(
            f"Layer '{layer}' has other {where} in the new model and is not writable; compile with --writable {layer}"
        )
    raise OptionError(f"Layer '{layer}' differs in '{where}': {ours} in the build, {theirs} in the new model")


def _names(named: Iterable[Layer | InputPort]) -> str:
    return ", ".join(one.name for one in named)
