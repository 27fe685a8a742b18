"""The near end of the host link against a line that is played by hand."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable

import pytest

from hwgen.errors import LinkError
from hwgen.host.framing import Decoder, Frame, encode
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

    def __init__(self, *answers: Callable[[Frame], bytes]) -> None:
        self.answers = list(answers)
        self.requests: list[Frame] = []
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


def answer(payload: bytes) -> Callable[[Frame], bytes]:
    return lambda request: encode(Frame(request.kind | ANSWER, request.sequence, payload))


def refuse(reason: int) -> Callable[[Frame], bytes]:
    return lambda request: encode(Frame(REFUSED, request.sequence, bytes([reason, 0, 0, 0])))


def silence(request: Frame) -> bytes:
    return b""


def damaged(request: Frame) -> bytes:
    line = answer(b"right")(request)
    return line[:6] + bytes([line[6] ^ 4]) + line[7:]


def stale(request: Frame) -> bytes:
    return encode(Frame(request.kind | ANSWER, request.sequence - 1 & 0xFFFF, b"wrong"))


def of_another_kind(request: Frame) -> bytes:
    return encode(Frame(COUNTERS | ANSWER, request.sequence, b"wrong"))


def too_short(request: Frame) -> bytes:
    return encode(Frame(request.kind | ANSWER, request.sequence, b"shor"))


def link(board: Board, attempts: int = 3) -> HostLink:
    return HostLink(board, baud=10_000_000, timeout_seconds=0.02, attempts=attempts)


def bodies() -> list[bytes]:
    rng = random.Random(1)
    return [b"", b"\x7e", b"\x7d" * 7, bytes(range(256)), *(rng.randbytes(rng.randrange(60)) for _ in range(50))]


@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_frames_are_decoded_as_they_were_encoded_in_pieces_of_any_size(piece: int) -> None:
    frames = [Frame(n % 256, 1000 * n, body) for n, body in enumerate(bodies())]
    line = b"".join(encode(frame) for frame in frames)
    decoder = Decoder()
    assert [f for at in range(0, len(line), piece) for f in decoder.feed(line[at : at + piece])] == frames
    assert decoder.damaged == 0


def test_a_flag_is_only_at_the_ends_of_a_frame() -> None:
    for body in bodies():
        line = encode(Frame(0x7E, 0x7D7E, body))
        assert line[0] == line[-1] == 0x7E
        assert 0x7E not in line[1:-1]


def test_a_frame_has_the_documented_bytes() -> None:
    assert encode(Frame(INFER, 0x1234, b"\x7e")) == bytes.fromhex("7e 01 02 34 12 7d 5e 82 77 60 bd 7e")


def test_what_follows_damage_is_decoded() -> None:
    rng = random.Random(2)
    good = Frame(INFER, 1, b"good")
    for _ in range(2000):
        line = bytearray(encode(Frame(INFER, 2, rng.randbytes(6))))
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(line))
            line[at : at + rng.randrange(2)] = rng.randbytes(rng.randrange(2))
        found = list(Decoder().feed(bytes(line) + encode(good)))
        assert found[-1] == good


@pytest.mark.parametrize("trouble", [silence, damaged, stale, refuse(REASON_CRC), of_another_kind, too_short])
def test_a_request_is_sent_again_with_its_number_until_its_own_answer_comes(
    trouble: Callable[[Frame], bytes],
) -> None:
    board = Board(trouble, trouble, answer(b"right"))
    talk = link(board)
    assert talk.infer(b"frame", 5) == b"right"
    assert talk.retries == 2
    assert board.requests == [Frame(INFER, board.requests[0].sequence, b"frame")] * 3


def test_each_request_has_a_number_of_its_own() -> None:
    board = Board(answer(b"1"), answer(b"2"))
    talk = link(board)
    assert (talk.infer(b"", 1), talk.infer(b"", 1)) == (b"1", b"2")
    first, second = board.requests
    assert second.sequence == first.sequence + 1 & 0xFFFF


def test_a_dead_line_is_given_up_with_advice() -> None:
    with pytest.raises(LinkError, match=r"No intact answer came in 3 attempts; check the port, the baud rate"):
        link(Board(silence, silence, silence)).infer(b"", 1)


def test_a_refused_length_is_an_error_at_once() -> None:
    with pytest.raises(LinkError, match=r"The board refuses the request \(reason 3\): it holds another network"):
        link(Board(refuse(REASON_LENGTH))).infer(b"", 1)


def test_another_protocol_version_is_named() -> None:
    def newer(request: Frame) -> bytes:
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
