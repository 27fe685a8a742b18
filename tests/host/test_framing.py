"""Packets of the host link as bytes on a line."""

import random
import zlib

import pytest

from hwgen.host.framing import Decoder, Packet, encode
from hwgen.rtl_templates.link.link_protocol import INFER, VERSION

GOOD = Packet(INFER, 1, b"good")


def bodies() -> list[bytes]:
    rng = random.Random(1)
    return [b"", b"\x7e", b"\x7d" * 7, bytes(range(256)), *(rng.randbytes(rng.randrange(60)) for _ in range(50))]


@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_packets_are_decoded_as_they_were_encoded_in_pieces_of_any_size(piece: int) -> None:
    packets = [Packet(n % 256, 1000 * n, body) for n, body in enumerate(bodies())]
    line = b"".join(encode(packet) for packet in packets)
    decoder = Decoder()
    assert [f for at in range(0, len(line), piece) for f in decoder.feed(line[at : at + piece])] == packets
    assert decoder.damaged == 0


def test_a_flag_is_only_at_the_ends_of_a_packet() -> None:
    for body in bodies():
        line = encode(Packet(0x7E, 0x7D7E, body))
        assert line[0] == line[-1] == 0x7E
        assert 0x7E not in line[1:-1]


def test_a_packet_has_the_documented_bytes() -> None:
    assert encode(Packet(INFER, 0x1234, b"\x7e")) == bytes.fromhex("7e 01 02 34 12 7d 5e 82 77 60 bd 7e")


def test_what_follows_damage_is_decoded() -> None:
    rng = random.Random(2)
    for _ in range(2000):
        line = bytearray(encode(Packet(INFER, 2, rng.randbytes(6))))
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(line))
            line[at : at + rng.randrange(2)] = rng.randbytes(rng.randrange(2))
        found = list(Decoder().feed(bytes(line) + encode(GOOD)))
        assert found[-1] == GOOD


@pytest.mark.parametrize("length", range(4))
def test_a_packet_without_a_whole_header_is_damaged_though_its_check_value_is_right(length: int) -> None:
    content = bytes([VERSION, INFER, 3])[:length]
    decoder = Decoder()
    line = b"\x7e" + content + zlib.crc32(content).to_bytes(4, "little") + b"\x7e"
    assert line.count(b"\x7e") == 2
    assert b"\x7d" not in line
    assert list(decoder.feed(line + encode(GOOD))) == [None, GOOD]
    assert decoder.damaged == 1


@pytest.mark.parametrize("length", range(1, 4))
def test_fewer_bytes_than_a_check_value_has_are_damaged(length: int) -> None:
    decoder = Decoder()
    assert list(decoder.feed(b"\x7e" + bytes(length) + b"\x7e" + encode(GOOD))) == [None, GOOD]
    assert decoder.damaged == 1


def test_an_escape_too_many_is_damage_and_a_pair_of_them_is_not() -> None:
    line, decoder = encode(GOOD), Decoder()
    for at in range(1, len(line) - 1):
        assert list(decoder.feed(line[:at] + b"\x7d" + line[at:])) == [None]
    assert decoder.damaged == len(line) - 2
    for at in range(1, len(line)):
        assert list(decoder.feed(line[:at] + b"\x7d\x7d" + line[at:])) == [GOOD]
