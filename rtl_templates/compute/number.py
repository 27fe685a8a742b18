"""Fields of a beat as numbers, in whatever way they are coded."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Value

__all__ = ["Coding", "field", "recode"]


@dataclass(frozen=True)
class Coding:
    """How a number stands in a field of a beat.

    Parameters
    ----------
    bits : int
        Width of the field.
    signed : bool
        Two's complement.
    bipolar : bool
        One bit: 0 is -1 and 1 is +1.
    """

    bits: int
    signed: bool = False
    bipolar: bool = False

    @property
    def low(self) -> int:
        """Least number that a field can say."""
        return -1 if self.bipolar else -(1 << self.bits - 1) if self.signed else 0

    @property
    def high(self) -> int:
        """Greatest number that a field can say."""
        return 1 if self.bipolar else (1 << self.bits - self.signed) - 1


def field(beat: Value, lane: int, coding: Coding) -> Value:
    """Give the number in one lane of a beat."""
    bits = beat.word_select(lane, coding.bits)
    if coding.bipolar:
        return Cat(Const(1, 1), ~bits).as_signed()
    return bits.as_signed() if coding.signed else bits


def recode(beat: Value, lanes: int, before: Coding, after: Coding) -> Value:
    """Give a beat of the same numbers in another coding, which holds them all."""
    if before == after:
        return beat
    return Cat(_extended(field(beat, lane, before), after.bits) for lane in range(lanes))


def _extended(number: Value, bits: int) -> Value:
    """Give exactly so many bits of a number."""
    filling = number[-1] if number.shape().signed else Const(0, 1)
    return Cat(number, filling.replicate(max(0, bits - len(number))))[:bits]
