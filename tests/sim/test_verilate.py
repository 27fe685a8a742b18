"""Simulators are made once for each content, by many at a time, and as fast as what they are for allows."""

import shutil
import threading

import pytest

from hwgen.errors import ToolError
from hwgen.sim import verilate
from hwgen.sim.run import run_verilator
from hwgen.sim.verilate import cache_folder, executable
from hwgen.tools.processes import run_all
from tests.sim.running_sum_case import TOOLCHAIN, words


@pytest.fixture
def shared(one, cache):
    """Put Verilator's run time, which all models share, into a cache of one's own."""

    def share(folder):
        one.run(cache)
        for runtime in cache.glob("runtime-*.o"):
            shutil.copy(runtime, folder)
        return folder

    return share


def test_executables_are_kept_by_content(one, shared, tmp_path):
    cache = shared(tmp_path)
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
