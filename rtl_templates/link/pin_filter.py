"""What is made of a pin that changes at any time: a level in the system's clock domain."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.cdc import FFSynchronizer

__all__ = ["filtered"]


def filtered(m: Module, pin: Value, name: str, *, init: int) -> Value:
    """Give a pin's level without glitches of one cycle: two registers against metastability, then a majority of three samples.

    A change is seen in the third cycle that begins after it. A level that lasts more than two cycles is always seen.

    Parameters
    ----------
    m : Module
    pin : Value
    name : str
        Of the registers.
    init : int
        Level at reset.
    """
    synchronous = Signal(init=init, name=f"{name}_synchronous")
    m.submodules[f"{name}_synchroniser"] = FFSynchronizer(pin, synchronous, init=init)
    samples = Signal(2, init=0b11 * init, name=f"{name}_samples")
    a, b, c = synchronous, samples[0], samples[1]
    m.d.sync += samples.eq(Cat(a, b))
    return (a & b) | (b & c) | (a & c)
