"""What stands between an accelerator's board top and the pins of a board, and the files that name those pins."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import ClockDomain, Const, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.board.line import LINE_PORTS, Line, divisor
from hwgen.board.top import FLASH_PORTS
from hwgen.devices.boards import Board, Spi
from hwgen.devices.clock import Pll
from hwgen.devices.family import Family, PortPin
from hwgen.errors import OptionError
from hwgen.rtl_templates.link.spi import MIN_SCLK_CYCLES
from hwgen.rtl_templates.link.status_led import StatusLed
from hwgen.rtl_templates.link.uart import MIN_DIVISOR

__all__ = ["BAUDS", "BoardPins", "choose_baud", "constraints", "pin_file", "port_pins"]

BAUDS = (3_000_000, 2_000_000, 1_500_000, 1_000_000, 921_600, 500_000, 460_800, 230_400, 115_200, 57_600, 9_600)
"""Rates that serial ports of hosts offer."""


class BoardPins(wiring.Component):
    """The board top with the signals that the pins of one board carry: polarity of a button and an LED, pins to hold high, a PLL.

    Parameters
    ----------
    module : str
        Name of the board top's Verilog module.
    board : Board
    pll : Pll or None
        What makes the clock; None: the clock of the pin. Reset lasts until it has locked.
    clock_hz : int
        What it makes.
    boots : bool
        The board top has a boot loader: its flash is that of the board.
    line : Line
        Which the board top has.

    Members
    -------
    clk : In(1)
    uart_rx, uart_tx, or spi_sclk, spi_mosi, spi_cs, spi_miso : In(1), Out(1), or In(1), In(1), In(1), Out(1)
    button : In(1)
        Resets; only on boards with buttons.
    led : Out(1)
        Blinks about once a second; steadily lit if the boot loader failed; dark in reset.
    flash_clk, flash_cs, flash_copi, flash_cipo : Out(1), Out(1), Out(1), In(1)
        Only with a boot loader.
    high0, high1, ... : Out(1)
        Always 1; with a serial port, one for each pin of ``board.uart.hold_high``.
    """

    def __init__(
        self,
        module: str,
        board: Board,
        pll: Pll | None = None,
        *,
        clock_hz: int,
        boots: bool = False,
        line: Line = Line.UART,
    ) -> None:
        self.module = module
        self.board = board
        self.pll = pll
        self.clock_hz = clock_hz
        self.boots = boots
        self.line = line
        *inputs, output = LINE_PORTS[line]
        ports = {"clk": In(1)} | {port: In(1) for port in inputs} | {output: Out(1), "led": Out(1)}
        ports |= {port: Out(1) for port in FLASH_PORTS[:-1]} | {FLASH_PORTS[-1]: In(1)} if boots else {}
        ports |= {"button": In(1)} if board.buttons is not None else {}
        super().__init__(ports | {f"high{number}": Out(1) for number in range(len(_held_high(board, line)))})

    def elaborate(self, platform: object) -> Module:
        """Instantiate the board top, the PLL in front of it, and the LED's blinking."""
        m = Module()
        m.domains.sync = clocking = ClockDomain()
        locked = Signal(init=1)
        if self.pll is None:
            m.d.comb += clocking.clk.eq(self.clk)
        else:
            m.submodules.pll = _instance(self.pll, self.clk, clocking.clk, locked)
        reset = Signal()
        if self.board.buttons is not None:
            m.d.comb += reset.eq(~self.button if self.board.buttons.active_low else self.button)
        for number in range(len(_held_high(self.board, self.line))):
            m.d.comb += getattr(self, f"high{number}").eq(Const(1))
        m.d.comb += clocking.rst.eq(reset | ~locked)
        m.submodules.status = status = StatusLed(self.clock_hz // 2)
        m.d.comb += self.led.eq(~status.lit if self.board.leds.active_low else status.lit)
        flash = {f"{'i' if port == FLASH_PORTS[-1] else 'o'}_{port}": getattr(self, port) for port in self._flash_ports}
        ends = LINE_PORTS[self.line]
        line = {f"{'o' if port == ends[-1] else 'i'}_{port}": getattr(self, port) for port in ends}
        m.submodules.board = Instance(
            self.module,
            i_clk=clocking.clk,
            i_rst=clocking.rst,
            **line,
            **flash,
            **({"o_failed": status.failed} if self.boots else {}),
        )
        return m

    @property
    def _flash_ports(self) -> tuple[str, ...]:
        return FLASH_PORTS if self.boots else ()


def _instance(pll: Pll, clock_in: Signal, clock_out: Signal, locked: Signal) -> Instance:
    """Give a PLL's cell between two clocks."""
    ends: dict[str, object] = {f"p_{name}": value for name, value in pll.parameters.items()}
    ends |= {f"i_{name}": Const(value, width) for name, (width, value) in pll.constants.items()}
    if pll.feedback is not None:
        back = Signal(name="feedback")
        ends |= {f"o_{pll.feedback[0]}": back, f"i_{pll.feedback[1]}": back}
    ends |= {f"i_{pll.clock_in}": clock_in, f"o_{pll.clock_out}": clock_out, f"o_{pll.locked}": locked}
    return Instance(pll.cell, **ends)


def _held_high(board: Board, line: Line) -> tuple[str, ...]:
    """Give the pins that must be high for a line."""
    return board.uart.hold_high if line is Line.UART else ()


def _spi(board: Board) -> Spi:
    """Give the pins of a board's SPI.

    Raises
    ------
    OptionError
        If it has none.
    """
    if board.spi is None:
        raise OptionError(
            f"Board '{board.name}' has no SPI pins: leave out --link spi, or give a TOML file of its own a table 'spi'"
        )
    return board.spi


def _line_pins(board: Board, line: Line) -> list[PortPin]:
    """Give the pins of the host link. Idle is high, also while nothing is plugged in."""
    if line is Line.UART:
        return [PortPin("uart_rx", board.uart.rx, "UP"), PortPin("uart_tx", board.uart.tx, output=True)]
    spi = _spi(board)
    return [
        PortPin("spi_sclk", spi.sclk),
        PortPin("spi_mosi", spi.mosi),
        PortPin("spi_cs", spi.cs, "UP"),
        PortPin("spi_miso", spi.miso, output=True),
    ]


def port_pins(board: Board, *, boots: bool = False, line: Line = Line.UART) -> tuple[PortPin, ...]:
    """Give the pins that `BoardPins` takes, with a boot loader those of the flash too; the first button resets, the first LED blinks."""
    ends = [
        PortPin("clk", board.clock.pin),
        *_line_pins(board, line),
        PortPin("led", board.leds.pins[0], io_type=board.leds.io_type, output=True),
    ]
    if board.buttons is not None:
        buttons = board.buttons
        # Standards that are referenced to a voltage have no pull resistors: the board has its own.
        pull = "NONE" if buttons.io_type.startswith("SSTL") else "UP" if buttons.active_low else "DOWN"
        ends.append(PortPin("button", buttons.pins[0], pull, buttons.io_type))
    if boots and board.flash is not None:
        flash = board.flash
        ends += [
            PortPin("flash_clk", flash.clk, output=True),
            PortPin("flash_cs", flash.cs, output=True),
            PortPin("flash_copi", flash.copi, output=True),
            # A flash that is absent reads as all ones.
            PortPin("flash_cipo", flash.cipo, "UP"),
        ]
    return (*ends, *(PortPin(f"high{number}", pin, output=True) for number, pin in enumerate(_held_high(board, line))))


def constraints(board: Board, *, boots: bool = False, line: Line = Line.UART) -> str:
    """Give the pin constraints of `BoardPins`."""
    return pin_file(port_pins(board, boots=boots, line=line), board.device.family)


def pin_file(ends: Sequence[PortPin], family: Family) -> str:
    """Write pin constraints in the format of a family's place-and-route program.

    Raises
    ------
    OptionError
        If it has none.
    """
    if family.pins is None:
        raise OptionError(f"hwgen writes no pin constraints for the family '{family.name}': leave out --board")
    return "\n".join([*(line for end in ends for line in family.pins.lines(end)), ""])


def choose_baud(board: Board, clock_hz: int, line: Line = Line.UART) -> int:
    """Give the fastest usual rate that the board's serial port takes and a clock gives, or the fastest of SPI.

    Raises
    ------
    OptionError
        If there is none, or the board has no such line.
    """
    if line is Line.SPI:
        _spi(board)
        return clock_hz // MIN_SCLK_CYCLES
    for baud in BAUDS:
        if baud <= board.uart.max_baud and baud * MIN_DIVISOR <= clock_hz:
            try:
                divisor(clock_hz, baud)
            except OptionError:
                continue
            return baud
    raise OptionError(
        f"Board '{board.name}' has a clock of {clock_hz / 1e6:g} MHz and a serial port of at most "
        f"{board.uart.max_baud:,} baud: none of the usual rates suits both; choose another clock, or correct 'hz' or "
        "'max_baud' in its TOML file"
    )
