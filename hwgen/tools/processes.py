"""The one way to run external programs: output kept in a file, children killed with us, failures told in a sentence."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hwgen.errors import ToolError

__all__ = ["Task", "output_of", "run", "run_all", "running"]

_TAIL_LINES = 12
_POLL_SECONDS = 0.2
_READY_SECONDS = 0.01


@dataclass(frozen=True)
class Task:
    """One program for `run_all`: its command, its working directory and the file that receives what it prints."""

    command: Sequence[str]
    cwd: Path
    log: Path


def run(
    command: Sequence[str],
    cwd: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> str:
    """Run a program to its end, keep what it prints in a file, and give it back.

    If this process is interrupted (Ctrl-C, or any other exception), the program and all its children are killed.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    cwd : Path
        Working directory.
    log : Path
        File that receives the command, standard output and standard error; its folder must exist.
    environment : mapping or None
        Whole environment of the program; None: this process' own.
    progress : callable or None
        Called with the last line printed, a few times a second while there are new ones.

    Returns
    -------
    str
        What the program printed.

    Raises
    ------
    ToolError
        If the program cannot be started or its exit code is not 0: command, exit code, last lines and the log's path.
    """
    with log.open("w+", encoding="utf-8", errors="replace") as output:
        child, start = _start(command, cwd, output, environment)
        try:
            code = child.wait() if progress is None else _watch(child, log, progress)
        except BaseException:
            _kill_group(child)
            raise
        output.seek(start)
        text = output.read()
    if code != 0:
        raise _failure(command, code, text, log)
    return text


def run_all(tasks: Sequence[Task], at_once: int, progress: Callable[[int], None]) -> list[ToolError | None]:
    """Run programs beside one another to their ends, as `run` does each.

    If this process is interrupted, all of them are killed. None of them is started once that has happened.

    Parameters
    ----------
    tasks : sequence of Task
    at_once : int
        Programs that run at the same time.
    progress : callable
        Called with the number of programs that have ended, each time it changes.

    Returns
    -------
    list of ToolError or None
        For each task: None if its program ended well.
    """
    failures: list[ToolError | None] = [None] * len(tasks)
    waiting, running = list(enumerate(tasks)), dict[int, subprocess.Popen[bytes]]()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                number, task = waiting.pop(0)
                with task.log.open("w", encoding="utf-8") as output:
                    running[number], _ = _start(task.command, task.cwd, output, None)
            ended = [number for number, child in running.items() if child.poll() is not None]
            for number in ended:
                task, code = tasks[number], running.pop(number).returncode
                if code != 0:
                    text = task.log.read_text(encoding="utf-8", errors="replace")
                    failures[number] = _failure(task.command, code, text, task.log)
            if ended:
                progress(len(tasks) - len(waiting) - len(running))
            elif running:
                time.sleep(_POLL_SECONDS)
    except BaseException:
        for child in running.values():
            _kill_group(child)
        raise
    return failures


@contextmanager
def running(command: Sequence[str], cwd: Path, log: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """Start a program that serves, wait until it is ready, and end it with the block.

    Parameters
    ----------
    command, cwd, log
        As for `run`.
    ready : callable
        Asked until it says yes.

    Raises
    ------
    ToolError
        If the program cannot be started, or ends before it is ready.
    """
    with log.open("w", encoding="utf-8") as output:
        child, _ = _start(command, cwd, output, None)
    try:
        while not ready():
            code = child.poll()
            if code is not None:
                raise _failure(command, code, log.read_text(encoding="utf-8", errors="replace"), log)
            time.sleep(_READY_SECONDS)
        yield
    finally:
        _kill_group(child)


def output_of(command: Sequence[str]) -> str:
    """Give what a short command prints, whatever its exit code."""
    return subprocess.run(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout


def _watch(child: subprocess.Popen[bytes], log: Path, progress: Callable[[str], None]) -> int:
    """Wait for the end of a program, and pass on what it prints meanwhile."""
    with log.open(encoding="utf-8", errors="replace") as printed:
        printed.seek(0, os.SEEK_END)
        while True:
            try:
                return child.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                lines = printed.read().splitlines()
                if lines:
                    progress(lines[-1])


def _start(
    command: Sequence[str], cwd: Path, output: IO[str], environment: Mapping[str, str] | None
) -> tuple[subprocess.Popen[bytes], int]:
    """Start a program that prints to a file, and give where in the file its own output begins."""
    output.write(f"$ {shlex.join(str(word) for word in command)}\n")
    output.flush()
    start = output.tell()
    try:
        child = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(f"Cannot start {command[0]}: {error.strerror}") from error
    return child, start


def _failure(command: Sequence[str], code: int, text: str, log: Path) -> ToolError:
    tail = "\n".join("  " + row for row in text.rstrip().splitlines()[-_TAIL_LINES:])
    how = f"was killed by signal {-code}" if code < 0 else f"failed with exit code {code}"
    line = _short(shlex.join(str(word) for word in command))
    return ToolError(f"{Path(command[0]).name} {how}; the whole output is in {log}\n  $ {line}\n{tail}")


def _short(line: str) -> str:
    return line if len(line) <= 300 else line[:297] + "..."


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        child.wait()
