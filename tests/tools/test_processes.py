"""Programs are run and killed in one place, and every failure is a sentence."""

import sys
import time

import pytest

from hwgen.errors import ToolError
from hwgen.tools.processes import Task, output_of, run, run_all, running


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


def test_a_log_holds_what_the_environment_given_says(tmp_path):
    script = "import os; print(sorted(set(os.environ) - {'LC_CTYPE'}))"
    assert run([sys.executable, "-c", script], tmp_path, tmp_path / "log", {"ONLY": "this"}) == "['ONLY']\n"


def test_a_long_command_is_shown_shortened(tmp_path):
    with pytest.raises(ToolError, match="failed with exit code 1") as caught:
        run(["false", "x" * 400], tmp_path, tmp_path / "log")
    assert f"  $ false {'x' * 291}...\n" in str(caught.value)
    assert "x" * 400 in (tmp_path / "log").read_text()


def test_programs_run_side_by_side_and_each_failure_is_told(tmp_path):
    """The first waits for the second, so both must run at once; the third begins when one of them has ended."""
    scripts = ["until [ -e second ]; do sleep 0.01; done", "touch second; echo bad; exit 3", "true"]
    tasks = [Task(["sh", "-c", script], tmp_path, tmp_path / f"log{n}") for n, script in enumerate(scripts)]
    counts = []
    failures = run_all(tasks, 2, counts.append)
    assert [failure is None for failure in failures] == [True, False, True]
    assert "sh failed with exit code 3" in str(failures[1])
    assert "bad" in str(failures[1])
    assert counts == sorted(set(counts))
    assert counts[-1] == 3


def test_no_more_programs_run_at_once_than_may(tmp_path):
    script = "[ -e busy ] && exit 1; touch busy; sleep 0.05; rm busy"
    tasks = [Task(["sh", "-c", script], tmp_path, tmp_path / f"log{n}") for n in range(3)]
    assert run_all(tasks, 1, lambda count: None) == [None] * 3


def test_an_interrupt_kills_all_of_them_and_starts_no_other(tmp_path):
    scripts = ["exit 0", "sleep 1; touch alive", "touch started"]
    tasks = [Task(["sh", "-c", script], tmp_path, tmp_path / f"log{n}") for n, script in enumerate(scripts)]

    def interrupt(count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_all(tasks, 2, interrupt)
    time.sleep(1.5)
    assert not (tmp_path / "alive").exists()
    assert not (tmp_path / "started").exists()


def test_output_is_given_whatever_the_exit_code():
    assert output_of(["sh", "-c", "echo out; echo err >&2; exit 3"]) == "out\nerr\n"
