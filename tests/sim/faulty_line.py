"""A serial line that loses, adds and flips bytes: between the host's port and a board's."""

from __future__ import annotations

import os
import pty
import random
import select
import threading
import tty
from pathlib import Path
from types import TracebackType

from hwgen.rtl_templates.link.link_protocol import ESCAPE, FLAG


class FaultyLine:
    """Passes bytes in both directions between a board's port and a pseudo-terminal of its own.

    Each byte suffers a fault with the given probability until ``faults`` have happened.
    """

    def __init__(self, board_port: Path, *, faults: int, probability: float, seed: int) -> None:
        self.left = faults
        self.kinds = {"drop": 0, "insert": 0, "flip": 0}
        self._probability = probability
        self._random = random.Random(seed)
        self._board = os.open(board_port, os.O_RDWR | os.O_NOCTTY)
        self._near, self._far = pty.openpty()
        tty.setraw(self._far)
        self.port = os.ttyname(self._far)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> FaultyLine:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        for descriptor in (self._board, self._near, self._far):
            os.close(descriptor)

    def _work(self) -> None:
        other = {self._board: self._near, self._near: self._board}
        while not self._stop.is_set():
            readable, _, _ = select.select(list(other), [], [], 0.05)
            for source in readable:
                os.write(other[source], self._damage(os.read(source, 4096)))

    def _damage(self, data: bytes) -> bytes:
        passed = bytearray()
        for byte in data:
            if not self.left or self._random.random() >= self._probability:
                passed.append(byte)
                continue
            self.left -= 1
            kind = self._random.choice(list(self.kinds))
            self.kinds[kind] += 1
            if kind == "insert":
                passed += bytes([self._random.choice([FLAG, ESCAPE, self._random.randrange(256)]), byte])
            elif kind == "flip":
                passed.append(byte ^ 1 << self._random.randrange(8))
        return bytes(passed)
