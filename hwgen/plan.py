"""A network with a folding for each of its layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.network import Network

__all__ = ["Plan"]


@dataclass(frozen=True, eq=False)
class Plan:
    """What `hwgen.accelerator` builds.

    Parameters
    ----------
    network : Network
    folds : mapping of str to Fold
        One folding for each layer, by name.
    clock_hz : float
        Clock at which frames a second are counted.
    board : str or None
        Board whose budget the folding fills.

    Raises
    ------
    OptionError
        If a layer has no folding, a folding no layer, or one that the layer cannot have.
    """

    network: Network
    folds: Mapping[str, Fold]
    clock_hz: float = 100e6
    board: str | None = None

    def __post_init__(self) -> None:
        names = {layer.name for layer in self.network.layers}
        for name in self.folds:
            if name not in names:
                raise OptionError(f"The folding names layer '{name}', but the network has {', '.join(sorted(names))}")
        for layer in self.network.layers:
            if layer.name not in self.folds:
                raise OptionError(f"The folding says nothing of layer '{layer.name}'")
            layer.check_fold(self.folds[layer.name])

    @property
    def cycles(self) -> int:
        """Largest fold product: the initiation interval."""
        return max(layer.cycles(self.folds[layer.name]) for layer in self.network.layers)
