"""The whole product without a board: host program, pseudo-terminal, serial pins, host link, accelerator."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import hwgen
from benchmarks.models import write_mlp
from examples.data.load import load
from hwgen.arrays import codec
from hwgen.board.line import Line
from hwgen.board.write import boot_image, write_board_top
from hwgen.errors import LinkError, ToolError
from hwgen.fold import MemoryStyle
from hwgen.folding.file import folding_from_json
from hwgen.golden.network import PackedNetwork
from hwgen.host import run
from hwgen.host.link import open_link
from hwgen.host.virtual import virtual_link, virtual_port
from hwgen.rtl_templates.link.load_format import LoadState
from hwgen.sim.virtual_board import virtual_board
from hwgen.tools.toolchain import Toolchain
from tests.sim.faulty_line import FaultyLine
from tests.small_networks import mlp

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def digits_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    meaning = json.loads((ROOT / "examples/mnist_tfc/expected.json").read_text())["input"]
    network = hwgen.read(
        ROOT / "examples/mnist_tfc/model.onnx", input_type=meaning["type"], input_scale=meaning["scale"]
    )
    folder = tmp_path_factory.mktemp("digits") / "build"
    hwgen.build(hwgen.plan(network, target_fps=20_000), folder)
    return folder


def digits(frames: int) -> tuple[np.ndarray, np.ndarray]:
    codes, labels = load("mnist_test")
    return codes[:frames].reshape(frames, 1, 28, 28), labels[:frames]


def random_codes(accelerator: hwgen.Accelerator, frames: int) -> np.ndarray:
    port = accelerator.network.input
    return np.random.default_rng(8).choice(np.array([-1, 1]), size=(frames, *port.onnx_shape))


def test_a_hundred_digits_through_the_serial_pins_equal_golden(digits_build: Path) -> None:
    accelerator = hwgen.load(digits_build)
    x, labels = digits(100)
    with virtual_link(accelerator, frames=100) as link:
        result = run.run(accelerator, link, x)
    assert np.array_equal(result.codes, accelerator.golden(x, codes=True))
    assert np.array_equal(result.outputs, accelerator.golden(x))
    assert np.mean(result.outputs.argmax(axis=-1).ravel() == labels) > 0.9
    assert (result.retries, result.mismatches) == (0, None)
    counters = result.counters
    assert (counters.frames, counters.bad_crc, counters.line_errors, counters.frame_error) == (100, 0, 0, False)


def test_wide_beats_pass(image_build: Path) -> None:
    accelerator = hwgen.load(image_build)
    x = np.random.default_rng(9).integers(0, 256, size=(20, *accelerator.network.input.onnx_shape))
    with virtual_link(accelerator) as link:
        result = run.run(accelerator, link, x, check=True)
    assert (result.mismatches, result.retries) == (0, 0)
    assert (result.counters.bad_crc, result.counters.line_errors, result.counters.dropped) == (0, 0, 0)


def infer_under_faults(build: Path, faults: int, seed: int, line: Line = Line.UART) -> None:
    """Have frames inferred until all faults have happened, each held to golden, and some after that."""
    accelerator = hwgen.load(build)
    source, sink = accelerator.pipeline.source, accelerator.pipeline.sink
    codes = codec.to_codes(accelerator.network.input, random_codes(accelerator, 100))
    beats = source.pack([codes]).reshape(len(codes), -1)
    golden = sink.pack(PackedNetwork(accelerator.network).golden_maps(codes)).reshape(len(codes), -1)
    done = 0
    with (
        virtual_port(accelerator, line=line) as port,
        FaultyLine(port, faults=faults, probability=0.02, seed=seed) as faulty,
        open_link(faulty.port, 1_000_000, timeout_seconds=0.1, attempts=100) as link,
    ):
        while faulty.left:
            n = done % len(codes)
            answer = link.infer(beats[n].tobytes(), sink.count * sink.bytes)
            assert answer == golden[n].tobytes(), f"inference {done}, after {faults - faulty.left} faults"
            done += 1
        assert min(faulty.kinds.values()) > faults // 5
        before = link.retries
        for n in range(10):
            assert link.infer(beats[n].tobytes(), sink.count * sink.bytes) == golden[n].tobytes()
        assert link.retries - before <= 1  # the last fault may be one in a request that is still under way
        assert not link.counters().frame_error
    assert before > faults // 4
    assert done > faults // 4


@pytest.mark.parametrize("line", Line)
def test_fifty_faults_on_the_line_never_give_a_wrong_answer(dense_build: Path, line: Line) -> None:
    infer_under_faults(dense_build, 50, seed=1, line=line)


@pytest.mark.slow
@pytest.mark.parametrize("line", Line)
def test_a_thousand_faults_on_the_line_never_give_a_wrong_answer(dense_build: Path, line: Line) -> None:
    infer_under_faults(dense_build, 1000, seed=2, line=line)


def test_another_network_s_board_is_refused(dense_build: Path, image_build: Path) -> None:
    wanted = hwgen.load(image_build)
    x = np.zeros((1, *wanted.network.input.onnx_shape), dtype=np.int64)
    with (
        virtual_link(hwgen.load(dense_build)) as link,
        pytest.raises(LinkError, match=r"The board holds network [0-9a-f]{16}, and .* is [0-9a-f]{16}; load this"),
    ):
        run.run(wanted, link, x)


def test_a_simulation_that_cannot_start_says_why(dense_build: Path, tmp_path: Path) -> None:
    accelerator = hwgen.load(dense_build)
    top = write_board_top(accelerator, tmp_path, clock_hz=8_000_000, baud=1_000_000)
    verilog = [dense_build / "rtl" / f"{accelerator.network.name}.v", top.file]
    with (
        pytest.raises(ToolError, match=r"(?s)failed with exit code 4.*a bit takes at least 4 cycles"),
        virtual_board(
            verilog,
            top.module,
            3,
            Toolchain.find(),
            memories=dense_build / "rtl",
            log=tmp_path / "log",
            idle_cycles=1000,
        ),
    ):
        pytest.fail("it has started")


def running_commands() -> bytes:
    found = b""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found += path.read_bytes()
    return found


def test_no_simulation_outlives_its_block(dense_build: Path) -> None:
    with virtual_port(hwgen.load(dense_build)) as port:
        assert str(port).encode() in running_commands()
    assert str(port).encode() not in running_commands()


@pytest.fixture(scope="module")
def spram_build(tmp_path_factory: pytest.TempPathFactory) -> hwgen.Accelerator:
    layers = {"dense0": {"pe": 2, "simd": 6}, "dense1": {"pe": 1, "simd": 4, "memory": "spram"}}
    plan = folding_from_json(mlp(24, 8, 5), json.dumps({"layers": layers}))
    return hwgen.build(plan, tmp_path_factory.mktemp("spram") / "build")


def test_memories_are_loaded_from_the_flash(spram_build: hwgen.Accelerator) -> None:
    x = random_codes(spram_build, 6)
    with virtual_link(spram_build) as link:
        assert run.run(spram_build, link, x, check=True).exact
        assert link.read(0x10) == LoadState.LOADED << 8 | 1


@pytest.mark.slow
def test_a_third_of_a_megabit_boots_into_large_rams_and_classifies(tmp_path: Path) -> None:
    write_mlp(tmp_path / "sfc.onnx", (784, 256, 256, 256, 10))
    accelerator = hwgen.compile(tmp_path / "sfc.onnx", tmp_path / "build", board="icebreaker")
    assert sum(fold.memory is MemoryStyle.SPRAM for fold in accelerator.plan.folds.values()) == 3
    x = random_codes(accelerator, 5)
    with virtual_link(accelerator) as link:
        result = run.run(accelerator, link, x)
        assert link.read(0x10) == LoadState.LOADED << 8 | 1
    assert np.array_equal(result.codes, accelerator.golden(x, codes=True))


@pytest.mark.parametrize(
    ("damage", "state", "message"),
    [
        (lambda image: image[:40] + bytes([image[40] ^ 1]) + image[41:], LoadState.DAMAGED, "in its flash is damaged"),
        (lambda image: b"", LoadState.NO_FLASH, "no flash answered, or an erased one"),
    ],
)
def test_a_boot_that_failed_never_answers_and_the_host_can_load(
    spram_build: hwgen.Accelerator, damage: Callable[[bytes], bytes], state: int, message: str
) -> None:
    x = random_codes(spram_build, 3)
    image = boot_image(spram_build)
    assert image is not None
    with virtual_link(spram_build, flash=damage(image)) as link:
        shape = link.identify()
        with pytest.raises(LinkError, match=f"memories hold no network: .*{message}; program the board again"):
            run.run(spram_build, link, x)
        assert link.read(0x10) == state << 8
        with pytest.raises(LinkError, match="The board's memories hold no network"):
            link.infer(bytes(shape.frame_bytes), shape.beats_out * shape.bytes_out)
        run.load(link, image)
        assert run.run(spram_build, link, x, check=True).exact
        assert link.read(0x10) == 1
