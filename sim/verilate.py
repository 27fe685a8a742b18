"""Make an executable of the Verilog and the batch driver, once for each content."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path

from hwgen.errors import ToolError
from hwgen.tools.processes import Task, run, run_all
from hwgen.tools.toolchain import Program, Toolchain

__all__ = ["LONG_RUN_CYCLES", "Waves", "cache_folder", "compiled", "executable"]

LONG_RUN_CYCLES = 500_000
"""Above this many cycles an optimised compilation pays off: it takes three to six times as long, and halves the run."""

SPLIT_BYTES = 4 << 20
"""Bytes of C++ from which a model is compiled in several sources: one of 15 MB took the compiler over half an hour, its parts two minutes."""

OFTEN = 4
"""Simulators in the cache from which precompiled headers pay off: making them takes three times what they save a small model."""

_HEADERS = "".join(
    f"#include <{header}>\n"
    for header in "csignal cstdint cstdio cstdlib cstring fstream iterator map memory sstream string type_traits vector verilated.h".split()
)
"""What the drivers and every model include: the larger part of a small model's compilation."""

_HERE = Path(__file__).resolve().parent

_VERILATOR_OPTIONS = (
    "--cc --prefix Vdut -O3 --x-assign 0 --x-initial 0 --no-timing --noassert --unroll-count 256 -Wno-lint -Wno-style"
).split()


class Waves(Enum):
    """Trace format that is compiled into the simulator."""

    NONE = ""
    VCD = ".vcd"
    FST = ".fst"

    @property
    def options(self) -> list[str]:
        """Verilator's options."""
        return {"": [], ".vcd": ["--trace-vcd"], ".fst": ["--trace-fst"]}[self.value]

    @property
    def runtime(self) -> list[str]:
        """Sources of Verilator's run time that the format needs beyond the common ones."""
        common = ["verilated.cpp", "verilated_threads.cpp"]
        return common + {"": [], ".vcd": ["verilated_vcd_c.cpp"], ".fst": ["verilated_fst_c.cpp"]}[self.value]

    @property
    def defines(self) -> list[str]:
        """Preprocessor symbols of Verilator's run time and of the driver."""
        fst, vcd = int(self is Waves.FST), int(self is Waves.VCD)
        symbols = [
            "VERILATOR=1 VM_COVERAGE=0 VM_SC=0 VM_TIMING=0 VM_TRACE_SAIF=0".split(),
            [f"VM_TRACE={fst | vcd}", f"VM_TRACE_FST={fst}", f"VM_TRACE_VCD={vcd}"],
        ]
        return [f"-D{symbol}" for group in symbols for symbol in group]


def cache_folder() -> Path:
    """Give the folder in which executables are kept between runs: ``$XDG_CACHE_HOME/hwgen``, else ``~/.cache/hwgen``."""
    configured = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(configured) if configured else Path.home() / ".cache") / "hwgen"


def executable(
    verilog: Path,
    top: str,
    in_bytes: int,
    out_bytes: int,
    toolchain: Toolchain,
    *,
    optimise: bool = False,
    waves: Waves = Waves.NONE,
    flags: Sequence[str] = (),
    cache: Path | None = None,
) -> Path:
    """Compile the Verilog with the batch driver, or find an executable that was made of the same content.

    Memory files are read when the simulation starts: they are not part of the executable. Concurrent builds of the
    same content do not disturb one another: each works in a folder of its own and renames the result into place.

    Parameters
    ----------
    verilog : Path
        The accelerator's source.
    top : str
        Its top module.
    in_bytes, out_bytes : int
        Bytes of ``s_axis_tdata`` and ``m_axis_tdata``.
    toolchain : Toolchain
    optimise : bool
        Compile for speed: for long runs.
    waves : Waves
        Trace format.
    flags : sequence of str
        Further ones for the compiler.
    cache : Path or None
        Folder of finished executables; None: `cache_folder`.

    Returns
    -------
    Path

    Raises
    ------
    ToolError
        If a tool is missing or fails, or the cache cannot be written.
    """
    flags = [f"-DIN_BYTES={in_bytes}", f"-DOUT_BYTES={out_bytes}", *flags]
    return compiled(
        _HERE / "driver.cpp", [verilog], top, toolchain, flags=flags, optimise=optimise, waves=waves, cache=cache
    )


def compiled(
    driver: Path,
    verilog: Sequence[Path],
    top: str,
    toolchain: Toolchain,
    *,
    flags: Sequence[str] = (),
    optimise: bool = False,
    waves: Waves = Waves.NONE,
    cache: Path | None = None,
) -> Path:
    """Compile Verilog with any driver, or find an executable that was made of the same content: see `executable`.

    Parameters
    ----------
    driver : Path
        C++ source with ``main``; the model's class is ``Vdut``.
    verilog : sequence of Path
        All Verilog sources.
    top, toolchain, optimise, waves, cache
        As for `executable`.
    flags : sequence of str
        Further options of the compiler.

    Returns
    -------
    Path

    Raises
    ------
    ToolError
        If a tool is missing or fails, or the cache cannot be written.
    """
    cache = cache or cache_folder()
    verilator, compiler = toolchain.need("verilator"), toolchain.need("g++")
    flags = [*flags, *waves.defines]
    facts = [verilator.version, compiler.version, top, *_VERILATOR_OPTIONS, *waves.options, *flags]
    key = _hash([*facts, *(path.read_text(encoding="utf-8") for path in (driver, *verilog))])
    fast, quick = cache / f"sim-{key}-fast", cache / f"sim-{key}-quick"
    if fast.exists():
        return fast
    if quick.exists() and not optimise:
        return quick
    try:
        cache.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix="build-", dir=cache))
    except OSError as error:
        raise ToolError(f"Cannot write the cache folder '{cache}' ({error.strerror}); set XDG_CACHE_HOME") from error
    runtime = _runtime(verilator, compiler, waves, cache, work)
    run(
        [
            verilator.path,
            *_VERILATOR_OPTIONS,
            *waves.options,
            "--top-module",
            top,
            "--Mdir",
            ".",
            *(str(path.resolve()) for path in verilog),
        ],
        work,
        work / "verilator.log",
        toolchain.environment("verilator"),
    )
    options = ["-O3" if optimise else "-O0", "-pthread", *flags]
    written = sorted(work.glob("Vdut*.cpp"))
    sources = [*written, driver.resolve()]
    if sum(path.stat().st_size for path in written) < SPLIT_BYTES:
        parts = [str(_joined(sources, work))]
        if not optimise and waves is Waves.NONE:
            parts += _precompiled(options, compiler, verilator, cache, work)
    else:
        parts = _objects(sources, compiler, verilator, options, work)
    _compile(compiler, verilator, [*options, *parts, str(runtime), "-o", "simulator"], work)
    target = fast if optimise else quick
    (work / "simulator").replace(target)
    shutil.rmtree(work)
    return target


def _runtime(verilator: Program, compiler: Program, waves: Waves, cache: Path, work: Path) -> Path:
    """Compile Verilator's run time, which all models share."""
    key = _hash([verilator.version, verilator.path, compiler.version, *waves.defines])
    target = cache / f"runtime-{key}.o"
    if not target.exists():
        (work / "runtime.cpp").write_text("".join(f'#include "{source}"\n' for source in waves.runtime))
        _compile(compiler, verilator, ["-O1", *waves.defines, "-c", "runtime.cpp", "-o", "runtime.o"], work)
        (work / "runtime.o").replace(target)
    return target


def _precompiled(options: Sequence[str], compiler: Program, verilator: Program, cache: Path, work: Path) -> list[str]:
    """Give the options that include the common headers in compiled form, if somebody simulates often; they fill 80 MB of the cache."""
    # A driver's own symbols change nothing in these headers.
    options = [*(option for option in options if not option.startswith("-D")), *Waves.NONE.defines]
    key = _hash([verilator.version, verilator.path, compiler.version, _HEADERS, *options])
    folder = cache / f"headers-{key}"
    if not folder.exists():
        if sum(1 for _ in cache.glob("sim-*")) < OFTEN:
            return []
        made = work / "headers"
        made.mkdir()
        (made / "headers.h").write_text(_HEADERS, encoding="utf-8")
        arguments = ["-x", "c++-header", "headers/headers.h", "-o", "headers/headers.h.gch"]
        _compile(compiler, verilator, [*options, *arguments], work)
        with suppress(OSError):  # Another process was faster.
            made.rename(folder)
    return ["-include", str(folder / "headers.h")]


def _joined(sources: Sequence[Path], work: Path) -> Path:
    """Make one source of a small model's and the driver: the headers are the larger part of each."""
    joined = work / "model.cpp"
    joined.write_text("".join(f'#include "{source}"\n' for source in sources), encoding="utf-8")
    return joined


def _objects(
    sources: Sequence[Path], compiler: Program, verilator: Program, options: list[str], work: Path
) -> list[str]:
    """Compile a large model's sources beside one another; Verilator marks what runs only once, and need not be optimised, as slow."""
    tasks = [
        Task(
            _command(compiler, verilator, [*options, *(["-O0"] if "Slow" in source.stem else []), "-c", str(source)]),
            work,
            work / f"{source.stem}.log",
        )
        for source in sources
    ]
    for failure in run_all(tasks, os.cpu_count() or 1, lambda _: None):
        if failure is not None:
            raise failure
    return [f"{source.stem}.o" for source in sources]


def _compile(compiler: Program, verilator: Program, arguments: list[str], work: Path) -> None:
    run(_command(compiler, verilator, arguments), work, work / "compiler.log")


def _command(compiler: Program, verilator: Program, arguments: list[str]) -> list[str]:
    include = Path(verilator.environment["VERILATOR_ROOT"]) / "include"
    # The folder with stand-ins for the compression libraries comes first: their headers are rarely installed.
    folders = [".", str(_HERE / "stored"), str(include), str(include / "vltstd")]
    return [compiler.path, "-std=gnu++17", *(f"-I{folder}" for folder in folders), *arguments]


def _hash(parts: list[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
