"""The Verilog of a board: what its link tells the host, and the file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hwgen.board.line import Line, divisor
from hwgen.board.top import BoardTop, Boot
from hwgen.build_folder import manifest
from hwgen.build_folder.open import Accelerator
from hwgen.errors import BuildError, OptionError
from hwgen.pipeline.address_map import address_map
from hwgen.pipeline.memory_image import current_image
from hwgen.rtl_templates.link.link_protocol import LinkShape
from hwgen.rtl_templates.link.load_format import HEADER_WORDS
from hwgen.rtl_templates.registers.control import Control
from hwgen.rtl_templates.registers.register_bus import STROBES
from hwgen.rtl_templates.registers.registers import RegisterMap
from hwgen.verilog.write import convert

__all__ = ["BoardVerilog", "boot_image", "link_shape", "network_id", "write_board_top"]


@dataclass(frozen=True)
class BoardVerilog:
    """A board's top as it was written.

    Parameters
    ----------
    module : str
        Name of the top module.
    file : Path
        Its Verilog; the accelerator's own, unchanged, goes with it.
    shape : LinkShape
        What its link tells the host.
    baud : int
        Rate of its serial port, or the highest of its SPI.
    boots : bool
        Whether it has a boot loader, and the ports for a flash.
    """

    module: str
    file: Path
    shape: LinkShape
    baud: int
    boots: bool


def network_id(folder: Path) -> int:
    """Give the 64 bits by which a host knows a build, see `hwgen.build_folder.identity.identity`.

    Raises
    ------
    BuildError
        If the folder is missing, incomplete, or a file in it was changed.
    """
    facts = manifest.check(folder)
    if "network_id" not in facts:
        raise BuildError(f"'{folder}' was made by an earlier version of hwgen; compile again")
    return int(facts["network_id"], 16)


def link_shape(accelerator: Accelerator, clock_hz: int) -> LinkShape:
    """Give what the link of a build's board tells the host."""
    source, sink = accelerator.pipeline.source, accelerator.pipeline.sink
    return LinkShape(
        network_id=network_id(accelerator.folder),
        beats_in=source.count,
        bytes_in=source.bytes,
        beats_out=sink.count,
        bytes_out=sink.bytes,
        clock_hz=clock_hz,
        registers=accelerator.plan.has_registers,
    )


def address_bits(accelerator: Accelerator) -> int:
    """Give the bits of an address of a build's port for registers; 0 without one."""
    if not accelerator.plan.has_registers:
        return 0
    return Control.byte_address_bits(_registers(accelerator))


def _registers(accelerator: Accelerator) -> RegisterMap:
    return address_map(accelerator.pipeline).shape


def boot_image(accelerator: Accelerator) -> bytes | None:
    """Give the image that a build's boot loader has to find in the flash; None if all memories start with their contents."""
    if not accelerator.plan.has_registers or _registers(accelerator).loaded:
        return None
    return current_image(accelerator.folder, accelerator.plan)


def write_board_top(
    accelerator: Accelerator,
    folder: Path,
    *,
    clock_hz: int,
    baud: int,
    flash_address: int | None = None,
    line: Line = Line.UART,
) -> BoardVerilog:
    """Write ``<name>_board.v`` into a folder: the top that instantiates the build's accelerator by name.

    Parameters
    ----------
    accelerator : hwgen.Accelerator
        An open build folder.
    folder : Path
        Is made if it is absent.
    clock_hz : int
        Clock of the board.
    baud : int
        Rate of the serial port, or the highest of SPI.
    flash_address : int or None
        Where the board's flash has the image of memories that start with nothing; a build without such memories has no
        boot loader. None: there is no flash.
    line : Line

    Returns
    -------
    BoardVerilog

    Raises
    ------
    OptionError
        If the clock does not suit the rate, or a module of the accelerator is called like one of the board's.
    ToolError
        If Yosys is missing or fails.
    """
    name = accelerator.network.name
    module = f"{name}_board"
    shape = link_shape(accelerator, clock_hz)
    image = None if flash_address is None else boot_image(accelerator)
    boot = None
    if image is not None and flash_address is not None:
        boot = Boot(len(image) // STROBES - HEADER_WORDS - 1, flash_address, clock_hz)
    cycles = divisor(clock_hz, baud, line)
    source = convert(BoardTop(name, shape, cycles, address_bits(accelerator), boot, line), module)
    own = _modules(source.text)
    inner = _modules((accelerator.folder / "rtl" / f"{name}.v").read_text(encoding="ascii"))
    if own & inner:
        raise OptionError(
            f"The board's module '{min(own & inner)}' is also a layer's; compile with another --name than '{name}'"
        )
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{module}.v"
    header = [
        f"// {module}: {name} behind {'SPI' if line is Line.SPI else 'a serial port'}, generated by hwgen. Do not edit.",
        f"// Clock {clock_hz / 1e6:g} MHz, {f'up to {baud} bit/s' if line is Line.SPI else f'{baud} baud'}, network id {shape.network_id:016x}.",
        "",
    ]
    file.write_text("\n".join([*header, source.text]), encoding="ascii")
    return BoardVerilog(module, file, shape, baud, boot is not None)


def _modules(verilog: str) -> set[str]:
    return set(re.findall(r"^module (\w+)", verilog, re.MULTILINE))
