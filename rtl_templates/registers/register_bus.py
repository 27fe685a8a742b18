"""One access after another to 32-bit registers: what an AXI4-Lite port and a host link have in common."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["STROBES", "WORD_BITS", "RegisterBus"]

WORD_BITS = 32
STROBES = WORD_BITS // 8


class RegisterBus(wiring.Signature):
    """An access: begun by a pulse, ended by a pulse, any number of cycles later.

    Members
    -------
    start : Out(1)
        High for a cycle. What belongs to the access stands from then on until its end.
    write : Out(1)
    address : Out(address_bits)
        Of a word.
    value : Out(32)
        To be written.
    strobe : Out(4)
        Bytes to be written.
    done : In(1)
        High for a cycle: the end.
    error : In(1)
        At the end: there was nothing to be read or written.
    read_value : In(32)
        At the end of a read.
    """

    def __init__(self, address_bits: int) -> None:
        super().__init__(
            {
                "start": Out(1),
                "write": Out(1),
                "address": Out(address_bits),
                "value": Out(WORD_BITS),
                "strobe": Out(STROBES),
                "done": In(1),
                "error": In(1),
                "read_value": In(WORD_BITS),
            }
        )
