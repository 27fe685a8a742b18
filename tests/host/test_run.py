"""Inference on a board, as far as no board is needed: what a board must hold, and how its memories are written."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import hwgen
from hwgen.board.write import link_shape
from hwgen.build_folder.identity import identity
from hwgen.errors import LinkError
from hwgen.host import run as host
from hwgen.host.link import Counters
from hwgen.host.reload import reload
from hwgen.pipeline.layout import lay_out
from hwgen.pipeline.memory_image import writes_of
from hwgen.rtl_templates.link.link_protocol import LinkShape
from hwgen.rtl_templates.link.load_format import LoadState
from tests.small_networks import mlp

CONTROL, STATUS, LOADED_ID = 0x10, 0x0C, 0x18


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> hwgen.Accelerator:
    plan = hwgen.plan(mlp(24, 8, 5), min_area=True, writable="all")
    return hwgen.build(plan, tmp_path_factory.mktemp("run") / "build")


class Board:
    """A board that remembers what is written, and in which order; reading STATUS says "busy" for the first few times."""

    def __init__(self, shape: LinkShape, busy: int = 0, loading: int = 0, **registers: int) -> None:
        self.shape, self.busy, self.loading, self.retries = shape, busy, loading, 3
        self.words = {CONTROL: registers.get("control", 0), LOADED_ID: 0, LOADED_ID + 4: 0}
        self.writes: list[tuple[int, list[int]]] = []
        self.wrong = 0

    def identify(self) -> LinkShape:
        return self.shape

    def read(self, address: int) -> int:
        if address == STATUS:
            self.busy -= 1
            return 0xD if self.busy < 0 else 0xF
        if address == CONTROL and self.loading:
            self.loading -= 1
            return LoadState.LOADING << 8
        return self.words[address]

    def write(self, address: int, words: list[int]) -> None:
        assert len(words) <= self.shape.write_words
        assert self.busy < 0 or (address, words) == (CONTROL, [0])
        self.writes.append((address, words))
        self.words |= {address + 4 * n: word for n, word in enumerate(words)}

    def mean(self, loaded_id: int) -> Board:
        self.words |= {LOADED_ID: loaded_id & 0xFFFFFFFF, LOADED_ID + 4: loaded_id >> 32}
        return self


@pytest.fixture
def board(build: hwgen.Accelerator) -> Board:
    return Board(link_shape(build, 12_000_000))


def test_the_board_s_clock_may_be_any_but_its_hardware_is_the_build_s(build: hwgen.Accelerator, board: Board) -> None:
    assert host.check_hardware(build, board) == board.shape
    assert host.check_hardware(build, Board(replace(board.shape, clock_hz=7))).clock_hz == 7
    other = replace(board.shape, network_id=0xABC)
    sentence = f"The board holds network 0000000000000abc, and '{build.folder}' is {board.shape.network_id:016x}; load"
    with pytest.raises(LinkError, match=re.escape(sentence)):
        host.check_hardware(build, Board(other))
    with pytest.raises(LinkError, match="load this build's bitstream"):
        host.check_hardware(build, Board(replace(board.shape, beats_in=board.shape.beats_in + 1)))


def test_memories_hold_what_the_build_means(build: hwgen.Accelerator, board: Board) -> None:
    wanted = identity(build.plan)
    host.check_loaded(build, board.mean(wanted))
    board.loading = 5
    host.check_loaded(build, board)
    for half in (1, 1 << 32):
        sentence = f"memories hold network {wanted ^ half:016x}, and '{build.folder}' means {wanted:016x}; write it"
        with pytest.raises(LinkError, match=re.escape(sentence)):
            host.check_loaded(build, board.mean(wanted ^ half))


@pytest.mark.parametrize(
    ("state", "what"),
    [
        (LoadState.NO_FLASH, "no flash answered, or an erased one"),
        (LoadState.NO_IMAGE, "its flash has no image of memories"),
        (LoadState.OTHER_NETWORK, "its flash has the image of another build"),
        (LoadState.DAMAGED, "the image in its flash is damaged"),
    ],
)
def test_a_boot_that_failed_says_why(build: hwgen.Accelerator, board: Board, state: LoadState, what: str) -> None:
    board.words[CONTROL] = state << 8 | 1
    with pytest.raises(LinkError, match=f"hold no network: {what}; program the board again with 'hwgen program'"):
        host.check_loaded(build, board.mean(identity(build.plan)))


def test_memories_that_were_never_written_are_told_apart(build: hwgen.Accelerator, board: Board) -> None:
    with pytest.raises(LinkError, match=r"nothing has written them since the board was switched on; .*'hwgen reload'"):
        host.check_loaded(build, board)


def test_a_boot_loader_that_does_not_end_is_told(
    build: hwgen.Accelerator, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "LOADING_SECONDS", 0.0)
    board.loading = 1_000_000
    with pytest.raises(LinkError, match="loading its memories from its flash for more than 0 seconds"):
        host.check_loaded(build, board)


def test_an_image_is_written_in_requests_while_the_input_is_closed(build: hwgen.Accelerator, board: Board) -> None:
    loaded = reload(build, mlp(24, 8, 5, seed=3))
    board.busy, steps = 4, []
    host.load(board, loaded.image, progress=steps.append)
    assert board.writes[0] == (CONTROL, [0])
    assert board.writes[-1] == (CONTROL, [1])
    flat = [(address + 4 * n, word) for address, words in board.writes[1:-1] for n, word in enumerate(words)]
    segments = list(writes_of(loaded.image, "it"))
    assert flat == [(address + 4 * n, int(word)) for address, words in segments for n, word in enumerate(words)]
    assert max(len(words) for _, words in board.writes) == board.shape.write_words
    assert steps[0] == f"writing word 0 of {len(flat)}"
    assert steps[1] == f"writing word {len(board.writes[1][1])} of {len(flat)}"
    host.check_loaded(replace(build, plan=loaded.plan), board)


class Inferring(Board):
    """A board that answers as the golden model does, but for the lowest bit of one frame's answer."""

    def __init__(self, build: hwgen.Accelerator, wrong: int) -> None:
        super().__init__(link_shape(build, 12_000_000))
        self.network, self.pipeline, self.wrong = build.network, lay_out(build.plan), wrong
        self.mean(identity(build.plan))

    def infer(self, payload: bytes, answer_bytes: int) -> bytes:
        source, sink = self.pipeline.source, self.pipeline.sink
        beats = np.frombuffer(payload, np.uint8).reshape(-1, source.bytes)
        answer = bytearray(sink.pack(self.network.golden_maps(*source.unpack(beats))).tobytes())
        assert len(answer) == answer_bytes
        answer[0] ^= int(self.wrong == 0)
        self.wrong -= 1
        return bytes(answer)

    def counters(self) -> Counters:
        return Counters(9, 1, 0, 0, 0, busy_cycles=5, frame_error=False)


@pytest.mark.parametrize(("wrong", "mismatches"), [(2, 1), (4, 0)])
def test_each_frame_is_held_to_golden_where_that_is_asked_for(
    build: hwgen.Accelerator, wrong: int, mismatches: int
) -> None:
    x = np.random.default_rng(0).choice([-1, 1], size=(6, 24))
    result = host.run(build, Inferring(build, wrong), x, frames=4, check=True)
    assert (result.frames, result.mismatches, result.exact) == (4, mismatches, not mismatches)
    same = np.all(result.codes == build.golden(x[:4], codes=True), axis=1)
    assert list(same) == [n != wrong for n in range(4)]
    facts = result.facts()
    assert (facts["retries"], facts["counters"]["bad_crc"]) == (3, 1)
    assert facts["network_id"] == f"{link_shape(build, 1).network_id:016x}"
    unchecked = host.run(build, Inferring(build, wrong), x, frames=4)
    assert (unchecked.mismatches, unchecked.exact) == (None, True)
