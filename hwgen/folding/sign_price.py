"""What one bit instead of three values buys where a Sign can see exactly 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hwgen.devices.boards import find_device
from hwgen.errors import ModelError, OptionError
from hwgen.estimation.estimate import estimate_total
from hwgen.folding.goals import DEFAULT_DEVICE, fold_for_area, fold_for_throughput
from hwgen.network import Network
from hwgen.plan import Plan

__all__ = ["with_price_of_zero"]


def with_price_of_zero(network: Network, convert: Callable[..., Network]) -> Network:
    """Note how many channels a network takes otherwise than ONNX has them, and how many LUTs that buys.

    Parameters
    ----------
    network : Network
        Where its conversion takes no Sign of 0 as +1 or -1, nothing is to be noted.
    convert : callable
        Gives the network of another conversion.

    Returns
    -------
    Network
        The same with a note more.
    """
    conversion = network.conversion
    if conversion is None or not conversion.sign_at_zero:
        return network

    def noted(note: str) -> Network:
        option = f"--sign-at-zero {'plus' if conversion.sign_at_zero > 0 else 'minus'}"
        return replace(network, notes=(*network.notes, f"{option} {note}"))

    if not network.ties:
        return noted("changes nothing: no Sign can see exactly 0 where one bit would do otherwise")
    where = f"is about {sum(count for _, count in network.ties)} channel(s) behind {len(network.ties)} node(s)"
    try:
        other = convert(replace(conversion, sign_at_zero=0))
    except ModelError as error:
        return noted(f"{where}; three values have no hardware here ({error})")
    small, fast = (_costs(network, other, fold) for fold in (fold_for_area, fold_for_throughput))
    return noted(f"{where}: {small} where the network is as small as can be, {fast} where it is as fast as can be")


def _costs(network: Network, other: Network, fold: Callable[[Network], Plan]) -> str:
    """Estimate two networks folded alike, where their layers are of the same names."""
    plan, device = fold(network), find_device(DEFAULT_DEVICE)
    try:
        alike = replace(plan, network=other)
    except OptionError:
        alike = fold(other)
    one, three = (estimate_total(each, device) for each in (plan, alike))
    rams = f" ({one.brams:g} block RAMs instead of {three.brams:g})" if one.brams != three.brams else ""
    return f"about {one.luts} LUTs instead of {three.luts}{rams}"
