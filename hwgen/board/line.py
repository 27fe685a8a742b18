"""The line by which a host reaches a board: a serial port or SPI, its pins, and the units at them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from amaranth.hdl import Module, Value
from amaranth.lib import wiring

from hwgen.errors import OptionError
from hwgen.rtl_templates.link.host_link import HostLink
from hwgen.rtl_templates.link.spi import MIN_SCLK_CYCLES, SpiPeripheral
from hwgen.rtl_templates.link.uart import MIN_DIVISOR, UartReceiver, UartTransmitter

__all__ = ["LINE_PORTS", "Line", "attach", "divisor"]

BAUD_TOLERANCE = 0.01
"""How far the rate that the clock gives may lie from the one asked for: what a receiver of 4 cycles a bit forgives."""


class Line(Enum):
    """What carries the bytes of the host link."""

    UART = "uart"
    SPI = "spi"


LINE_PORTS: Mapping[Line, tuple[str, ...]] = {
    Line.UART: ("uart_rx", "uart_tx"),
    Line.SPI: ("spi_sclk", "spi_mosi", "spi_cs", "spi_miso"),
}
"""Ports of a board top for its line; the last is its only output."""


def attach(m: Module, line: Line, cycles: int, link: HostLink, pins: Mapping[str, Value]) -> None:
    """Put the units of a line between a link's bytes and the pins of `LINE_PORTS`."""
    if line is Line.SPI:
        m.submodules.spi = spi = SpiPeripheral()
        wiring.connect(m, spi.o, link.i)
        wiring.connect(m, link.o, spi.i)
        m.d.comb += [
            spi.sclk.eq(pins["spi_sclk"]),
            spi.mosi.eq(pins["spi_mosi"]),
            spi.cs.eq(pins["spi_cs"]),
            pins["spi_miso"].eq(spi.miso),
            link.line_error.eq(spi.line_error),
        ]
        return
    m.submodules.receiver = receiver = UartReceiver(cycles)
    m.submodules.transmitter = transmitter = UartTransmitter(cycles)
    wiring.connect(m, receiver.o, link.i)
    wiring.connect(m, link.o, transmitter.i)
    m.d.comb += [
        receiver.pin.eq(pins["uart_rx"]),
        pins["uart_tx"].eq(transmitter.pin),
        link.line_error.eq(receiver.line_error),
    ]


def divisor(clock_hz: int, baud: int, line: Line = Line.UART) -> int:
    """Give the cycles of a bit: with SPI, where the host makes the clock, the fewest that it may have.

    Raises
    ------
    OptionError
        If the clock is too slow for the rate, or does not divide to a serial port's within 1 %.
    """
    if line is Line.SPI:
        if clock_hz < MIN_SCLK_CYCLES * baud:
            raise OptionError(
                f"SPI at {baud:,} bit/s needs a clock of {MIN_SCLK_CYCLES * baud:,} Hz, not {clock_hz:,}; "
                f"choose at most {clock_hz // MIN_SCLK_CYCLES:,} bit/s"
            )
        return clock_hz // baud
    cycles = round(clock_hz / baud)
    if cycles < MIN_DIVISOR:
        raise OptionError(
            f"A serial port at {baud:,} baud needs a clock of {MIN_DIVISOR * baud / 1e6:g} MHz, not {clock_hz / 1e6:g}; "
            f"choose at most {clock_hz // MIN_DIVISOR:,} baud"
        )
    real = clock_hz / cycles
    if abs(real - baud) > BAUD_TOLERANCE * baud:
        raise OptionError(
            f"A clock of {clock_hz / 1e6:g} MHz gives {real:,.0f} baud, not {baud:,}; choose a rate that divides it"
        )
    return cycles
