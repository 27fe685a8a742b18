"""Every engine sees the same transfers, and they are the reference's."""

import shutil
import threading
from dataclasses import fields, replace

import numpy as np
import pytest

from hwgen.arrays.beats import Beats, BeatSequence
from hwgen.codes import unsigned
from hwgen.errors import OptionError, ToolError
from hwgen.sim import verilate
from hwgen.sim.record import Stimulus, Trace
from hwgen.sim.run import run_cocotb, run_icarus, run_verilator
from hwgen.sim.verilate import cache_folder, executable
from hwgen.tools.processes import run_all
from hwgen.tools.toolchain import Toolchain
from hwgen.verilog.write import write
from tests.sim.running_sum import RunningSum, ref

FRAME = 100
TOOLCHAIN = Toolchain.find()


class Case:
    """An accelerator of some width with its layout, and frames that visit its extremes."""

    def __init__(self, folder, lanes, bits):
        self.folder, self.width = folder, lanes * bits
        self.layout = BeatSequence((Beats(unsigned(bits), lanes, (FRAME, lanes)),))
        self.table = [(0x9E3779B97F4A7C15 * k) % (1 << self.width) for k in range(FRAME)]
        write(RunningSum(self.width, self.table), "sums", folder)
        rng = np.random.default_rng(self.width)
        self.codes = rng.integers(0, 1 << bits, size=(5, FRAME, lanes))
        self.codes[0], self.codes[1] = 0, (1 << bits) - 1

    def stimulus(self, **options):
        return Stimulus.of_frames([self.codes], self.layout, self.layout, **options)

    def expected(self):
        words = [int.from_bytes(beat.tobytes(), "little") for beat in self.layout.pack([self.codes])]
        sums = ref(np.array(words, dtype=object).reshape(-1, FRAME), self.table, self.width)
        return [int(word) for word in sums.reshape(-1)]

    def run(self, cache, **options):
        return run_verilator(self.folder, "sums", self.stimulus(**options), TOOLCHAIN, cache=cache)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def shared(one, cache):
    """Put Verilator's run time, which all models share, into another cache."""

    def share(folder):
        one.run(cache)
        for runtime in cache.glob("runtime-*.o"):
            shutil.copy(runtime, folder)
        return folder

    return share


@pytest.fixture(scope="module", params=[(1, 7), (3, 5), (1, 32), (8, 8), (13, 5), (100, 9)], ids=str)
def case(request, tmp_path_factory):
    return Case(tmp_path_factory.mktemp("build"), *request.param)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return Case(tmp_path_factory.mktemp("build"), 3, 11)


def words(trace):
    return [int.from_bytes(beat.tobytes(), "little") for beat in trace.out_beats]


def same(one: Trace, other: Trace) -> bool:
    return all(np.array_equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(Trace))


def test_any_width_at_full_rate(case, cache):
    trace = case.run(cache)
    beats = len(case.codes) * FRAME
    assert words(trace) == case.expected()
    assert np.array_equal(trace.in_cycles, np.arange(beats))
    assert np.array_equal(trace.out_cycles, np.arange(beats) + RunningSum.latency)
    assert np.array_equal(np.flatnonzero(trace.out_last) + 1, np.arange(1, len(case.codes) + 1) * FRAME)
    assert not trace.frame_error


@pytest.mark.parametrize("stall", [0.1, 0.5, 0.95])
def test_stalls_change_cycles_but_no_value(one, cache, stall):
    trace = one.run(cache, stall=stall, seed=3)
    assert words(trace) == one.expected()
    assert trace.in_cycles[0] == 0
    assert trace.out_cycles[-1] > len(trace.out_beats) + RunningSum.latency
    assert same(trace, one.run(cache, stall=stall, seed=3))
    assert not same(trace, one.run(cache, stall=stall, seed=4))


@pytest.mark.parametrize("reset_at", [0, 5, 6, 57, 104, 333])
def test_reset_in_any_cycle_recovers(one, cache, reset_at):
    assert same(one.run(cache, reset_at=reset_at), one.run(cache))


def test_a_wrong_tlast_is_flagged_and_loses_nothing(one, cache):
    good = one.stimulus()
    for beat in (0, FRAME - 2, FRAME - 1):
        last = good.last.copy()
        last[beat] ^= True
        trace = run_verilator(one.folder, "sums", replace(good, last=last), TOOLCHAIN, cache=cache)
        assert trace.frame_error
        assert words(trace) == one.expected()


def test_beats_beyond_the_awaited_ones_are_seen(one, cache):
    trace = run_verilator(one.folder, "sums", replace(one.stimulus(), out_beats=1), TOOLCHAIN, cache=cache)
    assert words(trace) == one.expected()


def test_no_input_gives_no_output(one, cache):
    nothing = Stimulus.of_frames([one.codes[:0]], one.layout, one.layout)
    trace = run_verilator(one.folder, "sums", nothing, TOOLCHAIN, cache=cache)
    assert len(trace.in_cycles) == len(trace.out_beats) == 0


STANDSTILL = (
    "The accelerator stands still: no transfer for 200 cycles after 500 of 500 input and 500 of 501 output beats; "
    "s_axis: tvalid 0 tready 1, m_axis: tvalid 0 tready 1"
)


def test_a_deadlock_is_told_with_its_state(one, cache):
    hopeless = replace(one.stimulus(timeout_cycles=200), out_beats=501)
    with pytest.raises(ToolError, match=f"^{STANDSTILL}$"):
        run_verilator(one.folder, "sums", hopeless, TOOLCHAIN, cache=cache)


@pytest.mark.icarus
def test_a_deadlock_in_icarus_reads_the_same(one):
    hopeless = replace(one.stimulus(timeout_cycles=200), out_beats=501)
    with pytest.raises(ToolError, match=f"^{STANDSTILL}$"):
        run_icarus(one.folder, "sums", hopeless, TOOLCHAIN)


@pytest.mark.icarus
@pytest.mark.parametrize("options", [{}, {"stall": 0.4, "seed": 9}, {"reset_at": 150}], ids=str)
def test_icarus_sees_the_same_transfers(one, cache, options):
    assert same(run_icarus(one.folder, "sums", one.stimulus(**options), TOOLCHAIN), one.run(cache, **options))


@pytest.mark.icarus
def test_icarus_flags_a_wrong_tlast(one):
    last = np.zeros_like(one.stimulus().last)
    trace = run_icarus(one.folder, "sums", replace(one.stimulus(), last=last), TOOLCHAIN)
    assert trace.frame_error
    assert words(trace) == one.expected()


def test_cocotb_on_verilator_sees_the_same_transfers(one, cache):
    options = {"stall": 0.4, "seed": 9}
    assert same(run_cocotb(one.folder, "sums", one.stimulus(**options), TOOLCHAIN), one.run(cache, **options))


@pytest.mark.parametrize("suffix", [".vcd", ".fst"])
def test_waves_are_written(one, cache, tmp_path, suffix):
    waves = tmp_path / f"waves{suffix}"
    trace = run_verilator(one.folder, "sums", one.stimulus(), TOOLCHAIN, waves=waves, cache=cache)
    assert words(trace) == one.expected()
    assert b"m_axis_tdata" in waves.read_bytes()
    assert waves.stat().st_size > 10_000


def test_unknown_waves_and_stalls_are_refused(one, cache, tmp_path):
    with pytest.raises(OptionError, match=r"Waves are written as \.fst or \.vcd, not 'out\.png'"):
        run_verilator(one.folder, "sums", one.stimulus(), TOOLCHAIN, waves=tmp_path / "out.png", cache=cache)
    with pytest.raises(OptionError, match=r"cocotb on icarus writes waves as \.fst, not 'out\.vcd'"):
        run_icarus(one.folder, "sums", one.stimulus(), TOOLCHAIN, waves=tmp_path / "out.vcd")
    with pytest.raises(OptionError, match="stall_in is the share of cycles that pause, from 0 to below 1, not 1"):
        one.stimulus(stall=1)


def test_executables_are_kept_by_content(one, cache, tmp_path):
    verilog = one.folder / "rtl" / "sums.v"
    first = executable(verilog, "sums", 5, 5, TOOLCHAIN, cache=cache)
    stamp = first.stat().st_mtime_ns
    copy = tmp_path / "other.v"
    copy.write_bytes(verilog.read_bytes())
    assert executable(copy, "sums", 5, 5, TOOLCHAIN, cache=cache) == first
    assert first.stat().st_mtime_ns == stamp
    copy.write_bytes(verilog.read_bytes() + b"// changed\n")
    assert executable(copy, "sums", 5, 5, TOOLCHAIN, cache=cache) != first
    assert not list(cache.glob("build-*"))


def test_a_large_model_is_compiled_in_parts(one, shared, tmp_path, monkeypatch):
    shared(tmp_path)
    monkeypatch.setattr(verilate, "SPLIT_BYTES", 0)
    commands = []
    monkeypatch.setattr(
        verilate,
        "run_all",
        lambda tasks, *rest: commands.extend(task.command for task in tasks) or run_all(tasks, *rest),
    )
    assert words(one.run(tmp_path)) == one.expected()
    assert hold_parts("-O0", commands) > 3
    with pytest.raises(ToolError, match=r"g\+\+.* failed with exit code 1"):
        run_verilator(one.folder, "sums", one.stimulus(), TOOLCHAIN, flags=["-fnot-known"], cache=tmp_path)
    assert not list(tmp_path.glob("sim-*-fast"))


def test_of_a_large_model_what_runs_once_is_never_optimised(one, shared, tmp_path, monkeypatch):
    monkeypatch.setattr(verilate, "SPLIT_BYTES", 0)
    commands = []

    def recorded(tasks, *_):
        commands.extend(task.command for task in tasks)
        return [ToolError("stopped here")]

    monkeypatch.setattr(verilate, "run_all", recorded)
    with pytest.raises(ToolError, match=r"^stopped here$"):
        executable(one.folder / "rtl" / "sums.v", "sums", 5, 5, TOOLCHAIN, optimise=True, cache=shared(tmp_path))
    assert hold_parts("-O3", commands) > 3


def hold_parts(level, commands):
    """Hold that the compiler optimises to this level but for what runs once, of which there is some; give the number of parts."""
    slow = [any("Slow" in word for word in command) for command in commands]
    assert 0 < sum(slow) < len(slow)
    for command, once in zip(commands, slow, strict=True):
        assert [word for word in command if word.startswith("-O")] == ([level, "-O0"] if once else [level])
    return len(commands)


def test_who_simulates_often_gets_precompiled_headers(one, shared, tmp_path, monkeypatch):
    shared(tmp_path)
    monkeypatch.setattr(verilate, "_HEADERS", "#include <cstdint>\n")
    (tmp_path / "sim-of-another-model-quick").touch()
    assert words(one.run(tmp_path)) == one.expected()
    assert not list(tmp_path.glob("headers-*"))
    monkeypatch.setattr(verilate, "OFTEN", 2)
    changed = tmp_path / "changed.v"
    for comment in ("// first\n", "// second\n"):
        changed.write_text((one.folder / "rtl" / "sums.v").read_text() + comment)
        executable(changed, "sums", 5, 5, TOOLCHAIN, cache=tmp_path)
        (headers,) = tmp_path.glob("headers-*/headers.h")
        # Whoever reads the text from now on, and not what was made of it, fails.
        headers.write_text("#error read as text\n")
    assert len(list(tmp_path.glob("sim-*"))) == 4
    assert not list(tmp_path.glob("build-*"))


def test_concurrent_builds_agree(one, shared, tmp_path):
    shared(tmp_path)
    before = len(list(tmp_path.iterdir()))
    found = []

    def build():
        found.append(executable(one.folder / "rtl" / "sums.v", "sums", 5, 5, TOOLCHAIN, cache=tmp_path))

    threads = [threading.Thread(target=build) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert found[0] == found[1]
    assert len(list(tmp_path.iterdir())) == before + 1


def test_a_cache_that_cannot_be_written_is_named(one, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert cache_folder() == blocked / "hwgen"
    with pytest.raises(ToolError, match=r"Cannot write the cache folder '.*' \(Not a directory\); set XDG_CACHE_HOME"):
        run_verilator(one.folder, "sums", one.stimulus(), TOOLCHAIN)


def test_a_build_folder_that_cannot_be_written_still_runs(one, cache, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError

    stimulus = one.stimulus()
    one.run(cache)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.mkdir", refuse)
        trace = run_verilator(one.folder, "sums", stimulus, TOOLCHAIN, cache=cache)
    assert words(trace) == one.expected()
