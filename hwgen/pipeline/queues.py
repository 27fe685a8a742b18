"""The FIFOs of a stage whose depths a plan can choose."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Queue", "deepened"]


@dataclass(frozen=True)
class Queue:
    """A FIFO whose depth a plan can choose.

    Parameters
    ----------
    where : str
        What a sentence calls it.
    outlet : int or None
        The outlet of its stage that it stands behind; None: it stands in front of the stage's only intake.
    depth : int or None
        Beats that it holds; None: not chosen yet.
    least : int
        The least depth to be tried: that from which the stage by itself runs at full rate, or a single beat where nothing runs.
    key : tuple of (str, str or None), or None
        Its key in `hwgen.plan.Plan.depths`; None: it belongs to a layer.
    """

    where: str
    outlet: int | None
    depth: int | None
    least: int
    key: tuple[str, str | None] | None = None


def deepened(depths: tuple[int | None, ...], queue: Queue, beats: int) -> tuple[int | None, ...]:
    """Give the depths behind the outlets of a stage with another one behind that of ``queue``."""
    return tuple(beats if place == queue.outlet else depth for place, depth in enumerate(depths))
