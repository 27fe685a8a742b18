"""All rows of a constant matrix of -1 and +1 at once, with the sums that neighbouring rows share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.compute.popcount import Popcount
from hwgen.rtl_templates.sum_bill import Sums

__all__ = ["SharedRows"]

GROUP = 3
"""Rows that share sums. Two rows are the sum and the difference of the columns where they agree and where they differ: half the additions. With three the
columns fall into four classes; with more the classes become so small that the additions behind them outweigh what is saved."""

Signs = tuple[bool, ...]


class _Term(NamedTuple):
    """An unsigned number that stands for ``value - constant``."""

    value: Value
    greatest: int
    constant: int
    level: int


class SharedRows(wiring.Component):
    """Counts for each row the inputs that equal its weights, less a constant of the row.

    Rows go in groups of `GROUP`. A group's columns fall into classes: those in which the group's rows have the same weights, up to the sign of all of them.
    Each class is counted once; the rows are sums and differences of the counts, formed two classes at a time so that these sums are shared too.
    A new vector can come in every cycle; the sums take as many cycles as there are registered levels.

    Parameters
    ----------
    rows : sequence of sequence of bool
        Weights: +1 is true. All of equal length.

    Members
    -------
    i : In(columns)
    o_0, o_1, ... : Out(range)
        For each row, the equal inputs less ``constants[row]``.
    """

    def __init__(self, rows: Sequence[Sequence[bool]]) -> None:
        self.groups = _groups_of(rows)
        self.height, self.levels = _heights(self.groups)
        self.registers = _registered(self.levels)
        self.constants = _constants_of(self.groups)
        limits = [limit for group in self.groups for limit in group.greatest]
        outputs = {f"o_{row}": Out(range(limit + 1)) for row, limit in enumerate(limits)}
        super().__init__({"i": In(len(rows[0])), **outputs})

    @staticmethod
    def register_levels(rows: Sequence[Sequence[bool]]) -> range:
        """Give the levels of additions that end in registers."""
        return _registered(_heights(_groups_of(rows))[1])

    @staticmethod
    def row_constants(rows: Sequence[Sequence[bool]]) -> list[int]:
        """Give what each row's output lacks of the number of equal inputs."""
        return _constants_of(_groups_of(rows))

    @staticmethod
    def sums(rows: Sequence[Sequence[bool]]) -> Sums:
        """Give what popcounts and adders are made of, without building them."""
        groups = _groups_of(rows)
        height, levels = _heights(groups)
        registers = _registered(levels)
        inner = [level for level in registers if level <= height]
        sums = Sums()
        for group in groups:
            counter = _Counter(frozenset(registers), sums)
            terms = {signs: _Term(Const(0), len(columns), 0, height) for signs, columns in group.classes.items()}
            for term in _rows_of(terms, counter):
                counter.bring(term, levels)
            for columns in group.classes.values():
                Popcount.add_sums(sums, len(columns), False, inner, height)
        return sums

    def elaborate(self, platform: object) -> Module:
        """Count the classes of each group, and join the counts to its rows."""
        m = Module()
        row = 0
        for number, group in enumerate(self.groups):
            adder = _Adder(m, f"group_{number}", frozenset(self.registers))
            terms: dict[Signs, _Term] = {}
            for index, (signs, columns) in enumerate(group.classes.items()):
                inner = [level for level in self.registers if level <= self.height]
                count = Popcount(len(columns), registers=inner, height=self.height)
                m.submodules[f"group_{number}_class_{index}"] = count
                # A wire of its own for each input: the inversion must not meet a wider sum.
                equal = Signal(len(columns), name=f"group_{number}_equal_{index}")
                bits = (self.i[column] if group.rows[0][column] else ~self.i[column] for column in columns)
                m.d.comb += [equal.eq(Cat(*bits)), count.i.eq(equal)]
                terms[signs] = _Term(count.o, len(columns), 0, self.height)
            for term in _rows_of(terms, adder):
                m.d.comb += getattr(self, f"o_{row}").eq(adder.bring(term, self.levels).value)
                row += 1
        return m


class _Group:
    """Rows that share sums, and the classes of their columns."""

    def __init__(self, rows: Sequence[Sequence[bool]]) -> None:
        self.rows = rows
        self.classes: dict[Signs, list[int]] = {}
        for column in range(len(rows[0])):
            # Signs of the further rows, relative to the first.
            signs = tuple(row[column] == rows[0][column] for row in rows[1:])
            self.classes.setdefault(signs, []).append(column)
        terms = {signs: _Term(Value.cast(0), len(columns), 0, 0) for signs, columns in self.classes.items()}
        outputs = list(_rows_of(terms, _Ranges()))
        opposite = [sum(a != b for a, b in zip(row, rows[0], strict=True)) for row in rows]
        self.greatest = [term.greatest for term in outputs]
        # A row counts its columns of other sign than the first row's by their ones, which are its misses.
        self.constants = [count - term.constant for count, term in zip(opposite, outputs, strict=True)]


def _groups_of(rows: Sequence[Sequence[bool]]) -> list[_Group]:
    return [_Group(rows[first : first + GROUP]) for first in range(0, len(rows), GROUP)]


def _constants_of(groups: Sequence[_Group]) -> list[int]:
    return [constant for group in groups for constant in group.constants]


def _registered(levels: int) -> range:
    """Give which of so many levels of additions end in registers."""
    return range(1, levels, 2)


def _heights(groups: Sequence[_Group]) -> tuple[int, int]:
    """Give the levels of the highest popcount, and of all additions."""
    height = max(Popcount.levels(len(columns), False) for group in groups for columns in group.classes.values())
    return height, height + max(len(group.rows) for group in groups) - 1


def _rows_of(terms: dict[Signs, _Term], adder: _Ranges) -> Iterator[_Term]:
    """Give the rows, the first row first, from the sums of the columns that have each combination of signs."""
    signs = next(iter(terms))
    if not signs:
        yield terms[signs]
        return
    sums: dict[Signs, _Term] = {}
    differences = []
    for prefix in dict.fromkeys(key[:-1] for key in terms):
        same, other = terms.get((*prefix, True)), terms.get((*prefix, False))
        present = [term for term in (same, other) if term]
        sums[prefix] = adder.add(*present) if len(present) > 1 else present[0]
        differences.append(adder.subtract(same, other) if other else present[0])
    yield from _rows_of(sums, adder)
    while len(differences) > 1:
        pairs = zip(differences[::2], differences[1::2], strict=False)
        differences = [adder.add(*pair) for pair in pairs] + differences[len(differences) & ~1 :]
    yield differences[0]


class _Ranges:
    """What is known of sums without hardware: greatest values, constants and levels."""

    def add(self, a: _Term, b: _Term) -> _Term:
        """Give a + b."""
        return self._place(a.value + b.value, a.greatest + b.greatest, a.constant + b.constant, max(a.level, b.level))

    def subtract(self, a: _Term | None, b: _Term) -> _Term:
        """Give a - b, or -b: the complement of b is ``2**bits - 1 - b``."""
        mask = (1 << b.greatest.bit_length()) - 1
        complement = b._replace(value=self._complement(b), greatest=mask, constant=mask - b.constant)
        return complement if a is None else self.add(a, complement)

    def _complement(self, term: _Term) -> Value:
        return term.value

    def _place(self, value: Value, greatest: int, constant: int, below: int) -> _Term:
        return _Term(value, greatest, constant, below + 1)


class _Levels(_Ranges):
    """Sums with registers at some levels."""

    def __init__(self, registers: frozenset[int]) -> None:
        self.registers = registers
        self.delayed: dict[tuple[int, int], _Term] = {}

    def bring(self, term: _Term, level: int) -> _Term:
        """Delay a term to a later level."""
        for step in range(term.level + 1, level + 1):
            key = (id(term.value), step)
            if key not in self.delayed:
                value = self._delayed(term) if step in self.registers else term.value
                self.delayed[key] = term._replace(value=value, level=step)
            term = self.delayed[key]
        return term

    def add(self, a: _Term, b: _Term) -> _Term:
        """Give a + b, both brought to the same level."""
        below = max(a.level, b.level)
        return super().add(self.bring(a, below), self.bring(b, below))

    def _delayed(self, term: _Term) -> Value:
        return term.value


class _Counter(_Levels):
    """Sums that are counted, not built."""

    def __init__(self, registers: frozenset[int], sums: Sums) -> None:
        super().__init__(registers)
        self.sums = sums
        self.values: list[Value] = []

    def _delayed(self, term: _Term) -> Value:
        self.sums.flipflops += term.greatest.bit_length()
        return self._value()

    def _complement(self, term: _Term) -> Value:
        self.sums.inverted += term.greatest.bit_length()
        return self._value()

    def add(self, a: _Term, b: _Term) -> _Term:
        """Give a + b, and note its adder."""
        bits = (a.greatest + b.greatest).bit_length()
        self.sums.adders[bits, False, bits > max(a.greatest.bit_length(), b.greatest.bit_length())] += 1
        return super().add(a, b)

    def _place(self, value: Value, greatest: int, constant: int, below: int) -> _Term:
        self.sums.flipflops += greatest.bit_length() * (below + 1 in self.registers)
        return _Term(self._value(), greatest, constant, below + 1)

    def _value(self) -> Value:
        """Give a value that is no other's, and stays."""
        self.values.append(Const(0))
        return self.values[-1]


class _Adder(_Levels):
    """Sums in hardware, with registers at some levels."""

    def __init__(self, m: Module, name: str, registers: frozenset[int]) -> None:
        super().__init__(registers)
        self.m, self.name = m, name
        self.sums = 0

    def _delayed(self, term: _Term) -> Value:
        value = self._signal(term.greatest)
        self.m.d.sync += value.eq(term.value)
        return value

    def _complement(self, term: _Term) -> Value:
        inverted = self._signal(term.greatest)
        self.m.d.comb += inverted.eq(~term.value)
        return inverted

    def _place(self, value: Value, greatest: int, constant: int, below: int) -> _Term:
        total = self._signal(greatest)
        self.m.d["sync" if below + 1 in self.registers else "comb"] += total.eq(value)
        return _Term(total, greatest, constant, below + 1)

    def _signal(self, greatest: int) -> Signal:
        self.sums += 1
        return Signal(range(greatest + 1), name=f"{self.name}_sum_{self.sums}", reset_less=True)
