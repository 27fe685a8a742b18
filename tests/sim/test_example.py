"""The bench in the build folder runs on its own, and notices what is wrong."""

import os
import subprocess
import sys

import numpy as np
import pytest

from hwgen.arrays.beats import Beats, BeatSequence
from hwgen.codes import unsigned
from hwgen.sim.example import ship
from hwgen.sim.record import Stimulus
from hwgen.verilog.write import write
from tests.leaky_queue import PACE, LeakyQueue
from tests.sim.running_sum import RunningSum, ref

TABLE = [(77 * k * k) % 8192 for k in range(40)]
LAYOUT = BeatSequence((Beats(unsigned(13), 1, (40,)),))


def queue_pace(queue):
    return 1 if queue is None else PACE


def shipped(folder, table=TABLE, queue=None):
    write(RunningSum(13, table, queue), "sums", folder)
    codes = np.random.default_rng(4).integers(0, 8192, size=(3, 40))
    stimulus = Stimulus.of_frames([codes], LAYOUT, LAYOUT, ii=40 * queue_pace(queue), latency=3, timeout_cycles=2000)
    expected = LAYOUT.pack([ref(codes, TABLE, 13).astype(np.int64)])
    ship(folder, "sums", stimulus, expected, stimulus.last, np.arange(120) + RunningSum.latency)
    return folder / "sim"


def run_tests(folder, *arguments):
    """Run as a user does: in the folder, without hwgen's tree on the path."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "run_tests.py", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_all_tests_pass_on_verilator(tmp_path):
    result = run_tests(shipped(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.endswith("6 of 6 tests passed\n")


@pytest.mark.icarus
def test_all_tests_pass_on_icarus_and_write_waves(tmp_path):
    folder = shipped(tmp_path)
    result = run_tests(folder, "--simulator", "icarus", "--waves", "waves.fst")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.endswith("6 of 6 tests passed\n")
    assert (folder / "waves.fst").stat().st_size > 1000


@pytest.mark.icarus
def test_one_test_can_be_chosen(tmp_path):
    result = run_tests(shipped(tmp_path), "--simulator", "icarus", "--test", "every_transfer")
    assert result.stdout.endswith("1 of 1 tests passed\n")


@pytest.mark.icarus
def test_wrong_hardware_fails(tmp_path):
    folder = shipped(tmp_path, [*TABLE[:-1], TABLE[-1] ^ 1])
    result = run_tests(folder, "--simulator", "icarus")
    assert result.returncode == 1
    assert "Failed 6 of 6 tests" in result.stderr


@pytest.mark.icarus
@pytest.mark.parametrize("leaky", [False, True])
def test_stalls_fill_the_buffers_behind_a_bottleneck(tmp_path, leaky):
    folder = shipped(tmp_path, queue=LeakyQueue(13, leaky=leaky))
    result = run_tests(folder, "--simulator", "icarus", "--test", "back_to_back|stalls")
    assert result.returncode == int(leaky)
    assert "Failed 2 of 3 tests" in result.stderr if leaky else result.stdout.endswith("3 of 3 tests passed\n")


@pytest.mark.icarus
def test_a_beat_off_schedule_fails(tmp_path):
    folder = shipped(tmp_path)
    setup = folder / "bench.json"
    setup.write_text(setup.read_text().replace('"out_cycles": [3, 4', '"out_cycles": [3, 5'))
    result = run_tests(folder, "--simulator", "icarus", "--test", "every_transfer")
    assert result.returncode == 1
    assert "output beats are off the predicted cycles" in result.stdout


def test_two_shipments_are_the_same_bytes(tmp_path):
    one, other = shipped(tmp_path / "a"), shipped(tmp_path / "b")
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in names)
    assert str(tmp_path) not in "".join((one / name).read_text() for name in names)


def test_the_files_do_not_need_hwgen(tmp_path):
    folder = shipped(tmp_path)
    for name in ("test_accelerator.py", "pauses.py", "run_tests.py"):
        assert "import hwgen" not in (folder / name).read_text()
        assert "from hwgen" not in (folder / name).read_text()
