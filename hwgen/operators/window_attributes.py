"""Whether what a window's node says of it makes sense: strides, dilations, pads, kernel, groups."""

from __future__ import annotations

from hwgen.errors import ModelError
from hwgen.graph import Node

__all__ = ["hold_kernel", "hold_window"]

_LEAST = {"strides": 1, "dilations": 1, "pads": 0, "kernel_shape": 1, "output_padding": 0}


def hold_window(node: Node, rank: int) -> None:
    """Hold that a window has as many strides, dilations, pads and sizes as its map has axes, none of them too small.

    Parameters
    ----------
    node : Node
    rank : int
        Axes of the map beside batch and channels.

    Raises
    ------
    ModelError
    """
    for name, least in _LEAST.items():
        given = node.attributes.get(name)
        if not given:
            continue
        wanted = 2 * rank if name == "pads" else rank
        if len(given) != wanted or min(given) < least:
            raise ModelError(
                f"Node '{node.name}' ({node.op}) has {name} {tuple(given)}, but a window over {rank} "
                f"{'axis' if rank == 1 else 'axes'} has {wanted} of them, none below {least}"
            )


def hold_kernel(node: Node, weights: tuple[int, ...], bias: tuple[int, ...] | None = None) -> None:
    """Hold that a convolution's weights and bias are what its attributes say.

    Raises
    ------
    ModelError
    """
    kernel, groups = node.attributes.get("kernel_shape"), node.attributes.get("group", 1)
    reason = ""
    if kernel and tuple(kernel) != weights[2:]:
        reason = f"says kernel_shape {tuple(kernel)}, but its weights have shape {weights}; one of them is wrong"
    elif 0 in weights:
        reason = f"has weights of shape {weights}, which are none; remove the convolution"
    elif len(weights) < 3 or groups < 1 or weights[0] % groups:
        reason = f"has weights of shape {weights}, which do not fall into {groups} groups"
    elif bias is not None:
        rows = weights[1] * groups if node.op == "ConvTranspose" else weights[0]
        if bias != (rows,):
            reason = f"has a bias of shape {bias}, but {rows} rows of weights"
    if reason:
        raise ModelError(f"Node '{node.name}' ({node.op}) {reason}")
