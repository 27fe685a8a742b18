"""A network with a folding for each of its layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.protocol import interval_of
from hwgen.network import Network

__all__ = ["Plan"]


@dataclass(frozen=True, eq=False)
class Plan:
    """What `hwgen.pipeline.accelerator` builds.

    Parameters
    ----------
    network : Network
    folds : mapping of str to Fold
        One folding for each layer, by name.
    clock_hz : float
        Clock at which frames a second are counted.
    board : str or None
        Board whose budget the folding fills.
    depths : mapping of (str, str or None) to int
        Depths in beats of the FIFOs that belong to no layer: between a map with several readers and one of them (see `Network.forks`), by (map, reader),
        and behind the input port for each of several inputs, by (input, None). Where none is given, the least that keeps a beat coming in
        every cycle. The depths of a layer's own FIFOs are in its `Fold`.
    axi_lite : bool
        Whether the accelerator has a port for registers in any case; writable memories need it.
    device : str or None
        Device for which the folding was chosen where no board is; None: it is not known.

    Raises
    ------
    OptionError
        If a layer has no folding, a folding no layer, or one that the layer cannot have; if a FIFO does not exist or has no depth.
    """

    network: Network
    folds: Mapping[str, Fold]
    clock_hz: float = 100e6
    board: str | None = None
    depths: Mapping[tuple[str, str | None], int] = field(default_factory=dict)
    axi_lite: bool = False
    device: str | None = None

    def __post_init__(self) -> None:
        names = {layer.name for layer in self.network.layers}
        for name in self.folds:
            if name not in names:
                raise OptionError(f"The folding names layer '{name}', but the network has {', '.join(sorted(names))}")
        for layer in self.network.layers:
            if layer.name not in self.folds:
                raise OptionError(f"The folding says nothing of layer '{layer.name}'")
            layer.folding.check(self.folds[layer.name])
        forks = self.network.forks()
        several = [port.name for port in self.network.inputs] if len(self.network.inputs) > 1 else []
        for (source, reader), depth in self.depths.items():
            if reader is None and source not in several:
                listed = ", ".join(f"'{port}'" for port in several) or "none"
                raise OptionError(f"The folding sizes the FIFO of input '{source}', but the network has {listed}")
            if reader is not None and reader not in forks.get(source, ()):
                known = [f"'{source}' to '{reader}'" for source, readers in forks.items() for reader in readers]
                raise OptionError(
                    f"The folding sizes a branch from '{source}' to '{reader}', but the network has {', '.join(known) or 'none'}"
                )
            if depth < 1:
                which = f"Input '{source}'" if reader is None else f"The branch from '{source}' to '{reader}'"
                raise OptionError(f"{which} needs a FIFO of at least 1 beat, not {depth}")

    @property
    def cycles(self) -> int:
        """Largest fold product: the initiation interval."""
        return max(interval_of(layer, self.folds[layer.name]) for layer in self.network.layers)

    @property
    def has_registers(self) -> bool:
        """Whether the accelerator has a port for registers: asked for, or needed to write a memory."""
        return self.axi_lite or any(fold.writable for fold in self.folds.values())
