"""What the lanes of a row do with inputs and weights."""

from enum import Enum

__all__ = ["Lanes"]


class Lanes(Enum):
    """What one lane does with its input and its weight.

    Lanes of *words* give a number each, which an adder tree sums. Lanes of *planes* give a bit for each pair of an input bit and a weight bit; the
    bits of equal significance are counted together. But for `MULTIPLY` a signed input counts from its least value: ``u = input + 2**(k-1)``.
    """

    XNOR = "xnor"
    """Planes. Weight bits stand for the digits -1 and +1: one where input bit and weight bit are equal."""
    TERNARY_XNOR = "ternary_xnor"
    """Planes. Weight of two bits, sign (1 is +) and non-zero: as XNOR with the sign, but nothing where the weight is zero."""
    MASKED_XNOR = "masked_xnor"
    """Planes. 1-bit weight, inputs -1, 0 and +1: as XNOR with an input's sign, but nothing where it is 0. A lane counts half of input times weight plus
    the input's magnitude, which the unit takes off for all rows alike."""
    AND = "and"
    """Planes. Weights are plain or two's complement numbers: one where both bits are, or are not in the plane of the weights' sign."""
    ADD_SUB = "add_sub"
    """Words. 1-bit weight: u, or ``2**k - 1 - u`` where the weight is 0."""
    TERNARY_ADD_SUB = "ternary_add_sub"
    """Words. Weight of two bits, sign and non-zero: as ADD_SUB with the sign, but 0 where the weight is zero."""
    MULTIPLY = "multiply"
    """Words. Input times weight, both plain or two's complement numbers."""
    PRODUCT = "product"
    """Planes. Both plain or two's complement numbers: one where both bits are, or are not if one of the two is a sign."""
    SIGNED_BY_WEIGHT = "signed_by_weight"
    """Planes. Weight bit stands for -1 and +1, the input is a plain or two's complement number: one where both bits are, at twice the input bit's
    significance, and one where the input bit is not; the other way round for the input's sign."""
    SIGNED_BY_INPUT = "signed_by_input"
    """Planes. Input bit stands for -1 and +1, the weight is a plain or two's complement number: one where the bits are equal, or are not for the weight's
    sign; one where the input bit is not; and, without a sign, the input bit at the significance above the weight's. Of a weight of one bit: one where the
    bits are equal, and the input bit."""

    @property
    def counts_planes(self) -> bool:
        """Whether lanes give bits that are counted, not numbers that are added."""
        return self not in (Lanes.ADD_SUB, Lanes.TERNARY_ADD_SUB, Lanes.MULTIPLY)

    @property
    def is_masked(self) -> bool:
        """Whether ones are to be doubled, less the inputs that are not 0."""
        return self is Lanes.MASKED_XNOR

    @property
    def is_ternary(self) -> bool:
        """Whether a weight is a sign and whether it is not zero."""
        return self in (Lanes.TERNARY_XNOR, Lanes.TERNARY_ADD_SUB)
