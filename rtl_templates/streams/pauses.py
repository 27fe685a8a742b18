"""When a side of a stream pauses: single cycles at random, and bursts that last longer than a frame.

A copy of this file lies in every build folder, beside the bench; nothing of hwgen is imported.
"""

__all__ = ["Pauses"]

MASK = (1 << 64) - 1


HELD, FREE, SLOW, SINGLE = range(4)
"""Kinds of phases."""


class Pauses:
    """Say for each cycle in turn whether a side pauses; the same on every machine, and in the batch driver.

    Pauses of single cycles never fill the buffers behind a bottleneck, which is slower than the side that pauses. So phases of four kinds follow one
    another at random: a pause throughout, none, a transfer now and then, and pauses of single cycles. A sink that begins ``held`` first lets
    every buffer fill, and then empties them beat by beat, so that each wait of each stage is seen; a source goes on all the while, and then lets
    every stage run dry from beat to beat.

    Parameters
    ----------
    seed : int
    per_mille : int
        Chance of a pause in each cycle of a phase of single cycles; 0: no pauses at all.
    longest : int
        Cycles of the longest phase; 0: one endless phase of single cycles.
    pace : int
        Cycles from one transfer to the next in the first slow phase, on average: more than the bottleneck needs. In each later one a number up to
        this, so that some sides are as slow as the bottleneck, and transfers meet in every way.
    held : bool
        The first phase pauses throughout, and the second is slow, both of the longest; otherwise one of both their lengths never pauses, and the
        next is slow.
    """

    def __init__(self, seed: int, per_mille: int, longest: int = 0, pace: int = 1, held: bool = False) -> None:
        self.state = (seed * 2 + 1) & MASK
        self.per_mille = per_mille
        self.longest = longest
        self.pace = pace
        self.slow = pace
        self.kind = HELD if held else FREE
        self.left = longest if held else 2 * longest
        self.slow_next = True

    def __call__(self) -> bool:
        """Give whether the next cycle is a pause."""
        if self.per_mille == 0:
            return False
        if self.longest == 0:
            return self._draw() % 1000 < self.per_mille
        if self.left == 0:
            self._begin()
        self.left -= 1
        if self.kind == SLOW:
            return self._draw() % self.slow != 0
        if self.kind == SINGLE:
            return self._draw() % 1000 < self.per_mille
        return self.kind == HELD

    def _begin(self) -> None:
        """Begin a phase of up to the longest, or of up to a quarter, a sixteenth or a 64th of it."""
        if self.slow_next:
            self.kind, self.left, self.slow_next = SLOW, self.longest, False
            return
        self.kind = self._draw() % 4
        self.slow = 1 + self._draw() % self.pace
        place = self._draw()
        self.left = 1 + place % (1 + (self.longest >> 2 * (self._draw() % 4)))

    def _draw(self) -> int:
        """Give the next number of a xorshift generator."""
        self.state ^= (self.state << 13) & MASK
        self.state ^= self.state >> 7
        self.state ^= (self.state << 17) & MASK
        return self.state >> 20
