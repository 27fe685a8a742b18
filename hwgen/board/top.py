"""The complete top of a board: an accelerator between the pins of a serial port or of SPI."""

from __future__ import annotations

import math
from dataclasses import dataclass

from amaranth.hdl import ClockDomain, Instance, Module, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from hwgen.board.line import LINE_PORTS, Line, attach
from hwgen.rtl_templates.link.flash_boot import FlashBoot
from hwgen.rtl_templates.link.host_link import HostLink
from hwgen.rtl_templates.link.link_protocol import LinkShape
from hwgen.rtl_templates.registers.axi_lite import AxiLiteMaster
from hwgen.rtl_templates.registers.bus_arbiter import BusArbiter
from hwgen.rtl_templates.registers.register_bus import STROBES

__all__ = ["FLASH_PORTS", "BoardTop", "Boot"]

RESET_CYCLES = 1023
"""Cycles of reset after power-up: block RAMs of some devices cannot be read at once."""


FLASH_PORTS = ("flash_clk", "flash_cs", "flash_copi", "flash_cipo")
"""Ports of a top with a boot loader; the last is its only input."""

FLASH_WAKE_SECONDS = 50e-6
"""From the command that wakes a flash to the next: makers ask for 3 to 30 us."""

FLASH_MAX_HZ = 20_000_000
"""Clock of the flash that is never exceeded: every flash that a board carries answers command 0x03 so fast."""


@dataclass(frozen=True)
class Boot:
    """What a boot loader knows.

    Parameters
    ----------
    words : int
        Of an image between its header and its check value.
    address : int
        Of the image in the flash.
    clock_hz : int
        Clock of the board.
    """

    words: int
    address: int
    clock_hz: int

    @property
    def half_cycles(self) -> int:
        """Cycles of half a period of the flash's clock, the fastest that it may have."""
        return math.ceil(self.clock_hz / (2 * FLASH_MAX_HZ))


class BoardTop(wiring.Component):
    """A serial port or SPI, the host link and an accelerator's own Verilog module.

    Parameters
    ----------
    name : str
        Name of the accelerator's module.
    shape : LinkShape
        What the link tells the host.
    divisor : int
        Cycles of a serial bit; SPI has its clock from the host.
    address_bits : int
        Of the accelerator's port for registers, if the shape has them.
    boot : Boot or None
        Loads the memories from a flash; None: a host does, or nothing is to be loaded.
    line : Line

    Members
    -------
    clk : In(1)
    rst : In(1)
        Active high, from a button: any time.
    uart_rx, uart_tx : In(1), Out(1)
        From and to the host, by a serial port.
    spi_sclk, spi_mosi, spi_cs, spi_miso : In(1), In(1), In(1), Out(1)
        The same by SPI; ``spi_cs`` is active low.
    flash_clk, flash_cs, flash_copi, flash_cipo : Out(1), Out(1), Out(1), In(1)
        Only with a boot loader; ``flash_cs`` is active low.
    failed : Out(1)
        Only with a boot loader: it has failed, and no host has loaded the memories since.
    """

    def __init__(
        self,
        name: str,
        shape: LinkShape,
        divisor: int,
        address_bits: int = 0,
        boot: Boot | None = None,
        line: Line = Line.UART,
    ) -> None:
        self.name = name
        self.address_bits = address_bits
        self.shape = shape
        self.divisor = divisor
        self.boot = boot
        self.line = line
        *inputs, output = LINE_PORTS[line]
        ports = {"clk": In(1), "rst": In(1)} | {port: In(1, init=1) for port in inputs} | {output: Out(1)}
        if boot is not None:
            ports |= {port: Out(1) for port in (*FLASH_PORTS[:-1], "failed")} | {FLASH_PORTS[-1]: In(1)}
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        """Connect the parts; reset lasts some time beyond power-up and the button."""
        m = Module()
        m.domains.sync = clocking = ClockDomain()
        m.domains.raw = raw = ClockDomain(reset_less=True)
        m.d.comb += [clocking.clk.eq(self.clk), raw.clk.eq(self.clk)]
        pressed = Signal()
        waited = Signal(range(RESET_CYCLES + 1))
        resetting = Signal(init=1)
        m.submodules.button = FFSynchronizer(self.rst, pressed, o_domain="raw")
        m.d.raw += resetting.eq(pressed | (waited != RESET_CYCLES))
        with m.If(pressed):
            m.d.raw += waited.eq(0)
        with m.Elif(waited != RESET_CYCLES):
            m.d.raw += waited.eq(waited + 1)
        m.d.comb += clocking.rst.eq(resetting)

        bus_bits = max(0, self.address_bits - (STROBES - 1).bit_length())
        m.submodules.link = link = HostLink(self.shape, bus_bits)
        attach(m, self.line, self.divisor, link, {port: getattr(self, port) for port in LINE_PORTS[self.line]})
        m.submodules.accelerator = Instance(
            self.name,
            i_aclk=clocking.clk,
            i_aresetn=~ResetSignal(),
            i_s_axis_tdata=link.frame_o.payload,
            i_s_axis_tvalid=link.frame_o.valid,
            o_s_axis_tready=link.frame_o.ready,
            i_s_axis_tlast=link.frame_o_last,
            o_m_axis_tdata=link.frame_i.payload,
            o_m_axis_tvalid=link.frame_i.valid,
            i_m_axis_tready=link.frame_i.ready,
            o_m_axis_tlast=Signal(name="m_axis_tlast"),
            o_frame_error=link.frame_error,
            **(self._registers(m, link) if self.shape.registers else {}),
        )
        return m

    def _registers(self, m: Module, link: HostLink) -> dict[str, Value]:
        """Let the link reach the accelerator's registers; give the pins of their port."""
        m.submodules.master = master = AxiLiteMaster(self.address_bits)
        if self.boot is None:
            wiring.connect(m, link.bus, master.bus)
        else:
            self._boots(m, self.boot, link, master)
        pins: dict[str, Value] = {"o_loaded": link.loaded}
        for name, member in master.axi.signature.members.items():
            pins[f"{'i' if member.flow is Out else 'o'}_s_axil_{name}"] = getattr(master.axi, name)
        return pins

    def _boots(self, m: Module, boot: Boot, link: HostLink, master: AxiLiteMaster) -> None:
        """Let the boot loader at the registers in front of the link."""
        m.submodules.boot = loader = FlashBoot(
            network_id=self.shape.network_id,
            words=boot.words,
            address_bits=link.address_bits,
            address=boot.address,
            wait_cycles=math.ceil(FLASH_WAKE_SECONDS * boot.clock_hz),
            half_cycles=boot.half_cycles,
        )
        m.submodules.arbiter = arbiter = BusArbiter(link.address_bits)
        wiring.connect(m, loader.bus, arbiter.first)
        wiring.connect(m, link.bus, arbiter.second)
        wiring.connect(m, arbiter.bus, master.bus)
        flash = {port: getattr(self, port) for port in FLASH_PORTS}
        m.d.comb += [
            arbiter.closed.eq(loader.loading),
            loader.loaded.eq(link.loaded),
            loader.cipo.eq(flash["flash_cipo"]),
            flash["flash_clk"].eq(loader.sck),
            flash["flash_cs"].eq(loader.select),
            flash["flash_copi"].eq(loader.copi),
            self.failed.eq(loader.failed),
        ]
