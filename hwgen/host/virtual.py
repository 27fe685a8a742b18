"""A link to a virtual board: a build's whole top in Verilator, its pins on a pseudo-terminal."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hwgen.board.line import Line, divisor
from hwgen.board.write import boot_image, write_board_top
from hwgen.build_folder.open import Accelerator
from hwgen.errors import OptionError
from hwgen.host.link import HostLink, open_link
from hwgen.host.run import DEFAULT_BAUD, load
from hwgen.pipeline.memory_image import current_image
from hwgen.progress import Progress, silent
from hwgen.rtl_templates.link.spi import MIN_SCLK_CYCLES
from hwgen.sim.record import patience
from hwgen.sim.run import log_folder
from hwgen.sim.virtual_board import virtual_board
from hwgen.tools.toolchain import Toolchain

__all__ = ["virtual_link", "virtual_port"]

VIRTUAL_DIVISOR = {Line.UART: 8, Line.SPI: MIN_SCLK_CYCLES}
"""Clock cycles of a bit on a virtual board: few, as each has to be simulated."""

VIRTUAL_TIMEOUT_SECONDS = 120.0
"""What an answer of a simulation may take; nothing is lost on its line, so this is only ever reached by a mistake."""

VIRTUAL_FLASH_ADDRESS = 0x020000
"""Where the flash of a virtual board has the image of the memories."""

LONG_RUN_FRAMES = 100
"""Frames from which on a virtual board is compiled for speed."""


@contextmanager
def virtual_port(
    accelerator: Accelerator,
    *,
    frames: int = 1,
    flash: bytes | None = None,
    line: Line = Line.UART,
    progress: Progress = silent,
) -> Iterator[Path]:
    """Simulate a build's board while the block lasts: the whole top, with its pins on a pseudo-terminal.

    Parameters
    ----------
    accelerator : hwgen.Accelerator
        An open build folder.
    frames : int
        About how many frames will be sent; a simulation for many is compiled for speed.
    flash : bytes or None
        What a boot loader finds in the flash; empty: there is no flash. None: the image of what the build folder means.
    line : Line
        Of the board; whichever it is, its bytes are those of the pseudo-terminal.
    progress : callable
        Called with the name of each step.

    Yields
    ------
    Path
        The serial port: open it like a device, at any rate.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """
    clock_hz = round(accelerator.plan.clock_hz)
    baud = clock_hz // VIRTUAL_DIVISOR[line]
    if baud == 0:
        raise OptionError(f"A clock of {clock_hz} Hz is too slow for a host link; compile with another --clock-mhz")
    report, rtl = accelerator.report, accelerator.folder / "rtl"
    with tempfile.TemporaryDirectory(prefix="hwgen-board-") as work:
        progress("writing the board's Verilog")
        top = write_board_top(
            accelerator, Path(work), clock_hz=clock_hz, baud=baud, flash_address=VIRTUAL_FLASH_ADDRESS, line=line
        )
        image = boot_image(accelerator) if flash is None else flash
        progress("building the virtual board")
        with virtual_board(
            [rtl / f"{accelerator.network.name}.v", top.file],
            top.module,
            divisor(clock_hz, baud, line),
            Toolchain.find(),
            memories=rtl,
            log=log_folder(accelerator.folder) / "virtual_board.log",
            idle_cycles=patience(report["ii"], report["latency"]),
            optimise=frames >= LONG_RUN_FRAMES,
            flash=None if image is None else (image, VIRTUAL_FLASH_ADDRESS),
            spi=line is Line.SPI,
        ) as port:
            yield port


@contextmanager
def virtual_link(
    accelerator: Accelerator,
    *,
    frames: int = 1,
    flash: bytes | None = None,
    line: Line = Line.UART,
    progress: Progress = silent,
) -> Iterator[HostLink]:
    """Open a link to a virtual board, see `virtual_port`, whose memories hold what the build folder means, or what its flash has."""
    with (
        virtual_port(accelerator, frames=frames, flash=flash, line=line, progress=progress) as port,
        open_link(str(port), DEFAULT_BAUD, timeout_seconds=VIRTUAL_TIMEOUT_SECONDS, attempts=1) as link,
    ):
        image = current_image(accelerator.folder, accelerator.plan)
        if image is not None and boot_image(accelerator) is None:
            load(link, image, progress=progress)
        yield link
