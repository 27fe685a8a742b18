"""Nested loops over the steps of a frame, and numbers that walk along with them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from amaranth.hdl import Const, Module, Mux, Shape, Signal, Value, signed, unsigned

from hwgen.rtl_templates.bill import Bill, bits_of, gates_of
from hwgen.rtl_templates.cost import Part

__all__ = ["LoopNest", "around", "by_index", "loop_moves", "loops_of"]


class LoopNest:
    """Counters of nested loops, innermost first, that start again after the last round.

    Parameters
    ----------
    m : Module
        Gets the counters.
    step : Value
        The present step is done.
    counts : mapping of str to int
        Rounds of each loop by its name, innermost first.
    """

    def __init__(self, m: Module, step: Value, counts: Mapping[str, int]) -> None:
        self.m, self.step, self.counts = m, step, dict(counts)
        self.index: dict[str, Value] = {}
        self.is_last: dict[str, Value] = {}
        self.wraps: dict[str, Value] = {}
        for name, count in self.counts.items():
            self.wraps[name] = step
            self.index[name], self.is_last[name] = Const(0), Const(1)
            if count > 1:
                self.index[name] = index = Signal(range(count), name=f"{name}_index")
                self.is_last[name] = is_last = Signal(name=f"{name}_is_last")
                self.wraps[name] = wraps = Signal(name=f"{name}_wraps")
                m.d.comb += wraps.eq(step & is_last)
                with m.If(step):
                    m.d.sync += [index.eq(Mux(is_last, 0, index + 1)), is_last.eq(index == count - 2)]
            step = self.wraps[name]

    @staticmethod
    def bill(counts: Iterable[int]) -> Bill:
        """Give what loops of so many rounds are made of: for each its counter, and a register that tells the last round, which of two is the counter."""
        bill = Bill()
        for rounds in counts:
            bill.counter(rounds)
            if rounds > 1:
                bill.register(rounds > 2)
                bill.chain(Part.TWIN_BIT, rounds == 2)
                bill.add(Part.OTHER, 1)
        return bill

    @staticmethod
    def walk_bill(counts: Mapping[str, int], strides: Mapping[str, int], *, period: int, modulus: int) -> Bill:
        """Give what a walk is made of: an adder, another one that wraps and a choice between them, and the loops' choice of what is added."""
        bill, bits = Bill(), bits_of(modulus)
        bill.register(bits)
        moves, last = loop_moves(counts, strides, period, modulus)
        distances = [*moves.values(), last]
        bill.chain(Part.ADDER_BIT, bits)
        wraps = modulus & (modulus - 1) > 0
        if wraps:
            bill.chain(Part.ADDER_BIT, bits + 2)
            bill.add(Part.WALK_BIT, bits)
        patterns = set()
        for moved in (0, modulus) if wraps else (0,):
            for bit in range(bits + 2 * wraps):
                column = [(distance - moved) >> bit & 1 for distance in distances]
                patterns.add(tuple(choice ^ column[0] for choice in column))
        # A bit depends on the loops up to where its pattern changes last.
        changes = (max((place for place, turned in enumerate(pattern) if turned), default=0) for pattern in patterns)
        bill.add(Part.WALK_BIT, sum(map(gates_of, changes)))
        return bill

    def walk(self, name: str, strides: Mapping[str, int], *, period: int, start: int, modulus: int) -> Value:
        """Give ``start + sum of stride * index`` modulo ``modulus``; each frame starts ``period`` further on."""
        if modulus == 1:
            return Const(0)
        position = Signal(range(modulus), name=name, init=start % modulus)
        moves, last = loop_moves(self.counts, strides, period, modulus)
        is_power = modulus & (modulus - 1) == 0
        candidates = []
        for wrapped in (0,) if is_power else (0, modulus):
            move: Value = Const(last - wrapped, signed(len(position) + 2))
            for loop, distance in reversed(moves.items()):
                move = Mux(self.is_last[loop], move, Const(distance - wrapped, signed(len(position) + 2)))
            candidate = Signal(signed(len(position) + 2), name=f"{name}_{'wrapped' if wrapped else 'moved'}")
            self.m.d.comb += candidate.eq(position + move)
            candidates.append(candidate)
        following = candidates[0] if is_power else Mux(candidates[1] < 0, candidates[0], candidates[1])
        with self.m.If(self.step):
            self.m.d.sync += position.eq(following)
        return position


def loop_moves(
    counts: Mapping[str, int], strides: Mapping[str, int], period: int, modulus: int
) -> tuple[dict[str, int], int]:
    """Give how far a step of each loop that has rounds takes a walk, and how far the end of all of them does."""
    moves, back = {}, 0
    for loop, count in counts.items():
        if count > 1:
            moves[loop] = (strides.get(loop, 0) - back) % modulus
            back += (count - 1) * strides.get(loop, 0)
    return moves, (period - back) % modulus


def by_index(m: Module, name: str, index: Value, values: Sequence[int]) -> Value:
    """Give ``values[index]``: the commonest of them, but for listed exceptions."""
    shape = Shape.cast(range(min(values), max(values) + 1)) if any(values) else unsigned(1)
    usual = Counter(values).most_common(1)[0][0]
    if len(set(values)) == 1:
        return Const(usual, shape)
    value = Signal(shape, name=name)
    exceptions = sorted(set(values) - {usual})
    with m.Switch(index):
        for exception in exceptions:
            with m.Case(*(number for number, entry in enumerate(values) if entry == exception)):
                m.d.comb += value.eq(exception)
        with m.Default():
            m.d.comb += value.eq(usual)
    return value


def loops_of(table: np.ndarray) -> list[tuple[int, np.ndarray]] | None:
    """Write the rows of a table as nested loops, innermost first: how often each goes round and what a round adds; None if they are none.

    Parameters
    ----------
    table : ndarray of int64, shape (steps, fields)
    """
    loops: list[tuple[int, np.ndarray]] = []
    while len(table) > 1:
        steps, stride = len(table), table[1] - table[0]
        differs = np.any(np.diff(table, axis=0) != stride, axis=1)
        run = int(np.argmax(differs)) + 1 if differs.any() else steps
        for count in range(run, 1, -1):
            chunks = table.reshape(-1, count, table.shape[1]) if steps % count == 0 else None
            if chunks is not None and np.all(chunks - chunks[:, :1] == stride * np.arange(count)[:, None]):
                break
        else:
            return None
        loops.append((count, stride))
        table = table[::count]
    return loops


def around(m: Module, name: str, value: Value, less: Value, modulus: int) -> Value:
    """Give a number below twice the modulus modulo it; ``less`` is the number less the modulus."""
    if modulus & (modulus - 1) == 0:
        return value[: bits_of(modulus)]
    wrapped = Signal(signed(bits_of(modulus) + 2), name=f"{name}_wrapped")
    m.d.comb += wrapped.eq(less)
    return Mux(wrapped < 0, value, wrapped)[: bits_of(modulus)]
