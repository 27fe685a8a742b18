"""Run a board's complete top in Verilator, with the bytes of its serial port or SPI on a pseudo-terminal."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hwgen.sim.verilate import compiled
from hwgen.tools.processes import running
from hwgen.tools.toolchain import Toolchain

__all__ = ["virtual_board"]

_HERE = Path(__file__).resolve().parent


@contextmanager
def virtual_board(
    verilog: Sequence[Path],
    top: str,
    divisor: int,
    toolchain: Toolchain,
    *,
    memories: Path,
    log: Path,
    idle_cycles: int,
    optimise: bool = False,
    flash: tuple[bytes, int] | None = None,
    spi: bool = False,
    cache: Path | None = None,
) -> Iterator[Path]:
    """Simulate a board while the block lasts.

    Parameters
    ----------
    verilog : sequence of Path
        The accelerator's source and the board top's.
    top : str
        Module with the ports ``clk`` and ``rst``, those of its line (`hwgen.board.line.LINE_PORTS`), and with a flash those of `hwgen.board.top.FLASH_PORTS`.
    divisor : int
        Clock cycles of a bit.
    toolchain : Toolchain
    memories : Path
        Folder of the memory files that the Verilog names.
    log : Path
        File that receives what the simulation prints.
    idle_cycles : int
        Cycles with nothing on the line, or only flags, after which the simulation takes the load off the processor; more than an
        inference lasts.
    optimise : bool
        Compile for speed: for many frames.
    flash : (bytes, int) or None
        What the board's flash holds, and from which address on; no bytes: the flash is missing. None: the top has no ports for one.
    spi : bool
        The line is SPI; the simulation is its host, and polls.
    cache : Path or None
        Folder of compiled simulators; None: `hwgen.sim.verilate.cache_folder`.

    Yields
    ------
    Path
        The serial port: open it like a device.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """
    program = compiled(
        _HERE / "virtual_board.cpp",
        list(verilog),
        top,
        toolchain,
        flags=[*([] if flash is None else ["-DFLASH"]), *(["-DSPI"] if spi else [])],
        optimise=optimise,
        cache=cache,
    ).resolve()
    with tempfile.TemporaryDirectory(prefix="hwgen-board-") as work:
        port = Path(work) / "serial"
        command = [str(program), str(port), str(divisor), str(idle_cycles)]
        if flash is not None:
            contents, address = flash
            file = Path(work) / "flash"
            file.write_bytes(contents)
            command += [str(file), str(address)]
        with running(command, memories.resolve(), log, port.is_symlink):
            yield port
