"""The near end of the host link against a line that is played by hand."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable

import pytest

from hwgen.errors import LinkError
from hwgen.host.framing import Decoder, Packet, encode
from hwgen.host.link import Counters, HostLink, open_link
from hwgen.rtl_templates.link.link_protocol import (
    ANSWER,
    COUNTERS,
    IDENTIFY,
    INFER,
    REASON_CRC,
    REASON_LENGTH,
    REFUSED,
    LinkShape,
)


class Board:
    """A port whose far end answers each request with what ``answers`` gives, line bytes, in turn."""

    def __init__(self, *answers: Callable[[Packet], bytes]) -> None:
        self.answers = list(answers)
        self.requests: list[Packet] = []
        self.waiting = b"left over from before"
        self._decoder = Decoder()

    @property
    def in_waiting(self) -> int:
        return len(self.waiting)

    def read(self, size: int = 1) -> bytes:
        data, self.waiting = self.waiting[:size], self.waiting[size:]
        return data

    def write(self, data: bytes) -> int:
        for request in self._decoder.feed(data):
            assert request is not None
            self.requests.append(request)
            self.waiting += self.answers.pop(0)(request)
        return len(data)

    def reset_input_buffer(self) -> None:
        self.waiting = b""


def answer(payload: bytes) -> Callable[[Packet], bytes]:
    return lambda request: encode(Packet(request.kind | ANSWER, request.sequence, payload))


def refuse(reason: int) -> Callable[[Packet], bytes]:
    return lambda request: encode(Packet(REFUSED, request.sequence, bytes([reason, 0, 0, 0])))


def silence(request: Packet) -> bytes:
    return b""


def damaged(request: Packet) -> bytes:
    line = answer(b"right")(request)
    return line[:6] + bytes([line[6] ^ 4]) + line[7:]


def stale(request: Packet) -> bytes:
    return encode(Packet(request.kind | ANSWER, request.sequence - 1 & 0xFFFF, b"wrong"))


def of_another_kind(request: Packet) -> bytes:
    return encode(Packet(COUNTERS | ANSWER, request.sequence, b"wrong"))


def too_short(request: Packet) -> bytes:
    return encode(Packet(request.kind | ANSWER, request.sequence, b"shor"))


def link(board: Board, attempts: int = 3) -> HostLink:
    return HostLink(board, baud=10_000_000, timeout_seconds=0.02, attempts=attempts)


@pytest.mark.parametrize("trouble", [silence, damaged, stale, refuse(REASON_CRC), of_another_kind, too_short])
def test_a_request_is_sent_again_with_its_number_until_its_own_answer_comes(
    trouble: Callable[[Packet], bytes],
) -> None:
    board = Board(trouble, trouble, answer(b"right"))
    talk = link(board)
    assert talk.infer(b"frame", 5) == b"right"
    assert talk.retries == 2
    assert board.requests == [Packet(INFER, board.requests[0].sequence, b"frame")] * 3


def test_each_request_has_a_number_of_its_own() -> None:
    board = Board(answer(b"1"), answer(b"2"))
    talk = link(board)
    assert (talk.infer(b"", 1), talk.infer(b"", 1)) == (b"1", b"2")
    first, second = board.requests
    assert second.sequence == first.sequence + 1 & 0xFFFF


def test_a_dead_line_is_given_up_with_advice() -> None:
    with pytest.raises(LinkError, match=r"No intact answer came in 3 attempts; check the port, the baud rate"):
        link(Board(silence, silence, silence)).infer(b"", 1)


@pytest.mark.parametrize(("baud", "seconds"), [(9600, 10 * 2 * (1000 + 3000 + 32) / 9600), (1_000_000, 0.08064)])
def test_an_answer_may_take_as_long_as_its_line_and_the_request_s_take_twice(
    monkeypatch: pytest.MonkeyPatch, baud: int, seconds: float
) -> None:
    """A line that says nothing is waited for so long, by a clock that runs as fast as it is read."""
    now, asked = 0.0, []

    def clock() -> float:
        nonlocal now
        now += seconds / 1000
        return now

    def silent(request: Packet) -> bytes:
        asked.append(now)
        return b""

    monkeypatch.setattr(time, "monotonic", clock)
    with pytest.raises(LinkError, match="2 attempts"):
        HostLink(Board(silent, silent), baud=baud, timeout_seconds=1.0, attempts=2).infer(bytes(1000), 3000)
    assert asked[1] - asked[0] == pytest.approx(seconds + 1, rel=0.01)


def test_a_refused_length_is_an_error_at_once() -> None:
    with pytest.raises(LinkError, match=r"The board refuses the request \(reason 3\): it holds another network"):
        link(Board(refuse(REASON_LENGTH))).infer(b"", 1)


def test_another_protocol_version_is_named() -> None:
    def newer(request: Packet) -> bytes:
        body = bytes([2, IDENTIFY | ANSWER, 0, 0])
        return b"\x7e" + body + zlib.crc32(body).to_bytes(4, "little") + b"\x7e"

    with pytest.raises(
        LinkError, match=r"speaks version 2 of the host protocol, this hwgen version 1; load a bitstream"
    ):
        link(Board(newer)).identify()


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "little") for value in values)


def test_identity_and_counters_are_read_as_documented() -> None:
    shape = LinkShape(0x0123456789ABCDEF, beats_in=5, bytes_in=6, beats_out=7, bytes_out=8, clock_hz=12_000_000)
    board = Board(answer(words(*shape.words)), answer(words(9, 1 | 2 << 16, 3 | 4 << 16, 5, 6, 1)))
    talk = link(board)
    assert talk.identify() == shape
    assert talk.counters() == Counters(9, 1, 2, 3, 4, 5 + (6 << 32), frame_error=True)


def test_a_port_that_is_absent_is_named() -> None:
    with (
        pytest.raises(LinkError, match=r"Serial port '/dev/absent' cannot be opened at 9600 baud"),
        open_link("/dev/absent", 9600),
    ):
        pytest.fail("it has opened")
