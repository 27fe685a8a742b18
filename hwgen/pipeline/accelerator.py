"""Connect a plan's stages between two AXI4-Stream ports: the top of the hardware."""

from __future__ import annotations

from collections.abc import Mapping

from amaranth.hdl import Cat, ClockDomain, Const, Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.pipeline.address_map import AddressMap, address_map
from hwgen.pipeline.layout import Pipeline
from hwgen.pipeline.stages import Stage
from hwgen.rtl_templates.registers.axi_lite import AxiLite
from hwgen.rtl_templates.registers.control import Control
from hwgen.rtl_templates.registers.write_bus import WriteStation, memories_of
from hwgen.rtl_templates.streams.axi_stream import AxiStreamInput, AxiStreamOutput, whole_bytes

__all__ = ["AcceleratorTop", "accelerator"]


class AcceleratorTop(wiring.Component):
    """A pipeline of stages between two AXI4-Stream ports, one named submodule a stage.

    The cycle of every transfer is that of `hwgen.timing.predict.predict` for the stages: the ports add no register.

    Parameters
    ----------
    chain : sequence of Stage
        The stages in the order in which data pass them.
    in_bits, out_bits : int
        Width of an input and of an output beat.
    frame_beats_in, frame_beats_out : int
        Beats of a frame at either port.
    address_map : AddressMap or None
        With a port for registers: theirs, and the writable memories'.

    Members
    -------
    aclk : In(1)
    aresetn : In(1)
        Synchronous, active low.
    s_axis_tdata, s_axis_tvalid, s_axis_tready, s_axis_tlast
        Input port; ``tdata`` holds a beat, zero-extended to whole bytes.
    m_axis_tdata, m_axis_tvalid, m_axis_tready, m_axis_tlast
        Output port.
    frame_error : Out(1)
        Until reset: an input frame's ``tlast`` was missing or early.
    s_axil_awaddr, ... : `AxiLite`
        Only with registers.
    loaded : Out(1)
        Only with registers: the memories hold a network, and frames are taken in.
    """

    def __init__(
        self,
        chain: tuple[Stage, ...],
        *,
        in_bits: int,
        out_bits: int,
        frame_beats_in: int,
        frame_beats_out: int,
        address_map: AddressMap | None = None,
    ) -> None:
        self.chain = chain
        self.in_bits = in_bits
        self.out_bits = out_bits
        self.frame_beats_in = frame_beats_in
        self.frame_beats_out = frame_beats_out
        self.address_map = address_map
        registers = {}
        if address_map is not None:
            axi = AxiLite(Control.byte_address_bits(address_map.shape)).flip()
            registers = {f"s_axil_{name}": member for name, member in axi.members.items()} | {"loaded": Out(1)}
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1, init=1),
                "s_axis_tdata": In(whole_bytes(in_bits)),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "s_axis_tlast": In(1),
                "m_axis_tdata": Out(whole_bytes(out_bits)),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
                "m_axis_tlast": Out(1),
                "frame_error": Out(1),
                **registers,
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the stages' streams between the adapters of both ports."""
        m = Module()
        m.domains.sync = clocking = ClockDomain()
        m.d.comb += [clocking.clk.eq(self.aclk), clocking.rst.eq(~self.aresetn)]

        m.submodules.s_axis = source = AxiStreamInput(self.in_bits, self.frame_beats_in)
        m.submodules.m_axis = sink = AxiStreamOutput(self.out_bits, self.frame_beats_out)
        streams = [source.o]
        units = {stage.name: stage.component() for stage in self.chain}
        for stage, unit in zip(self.chain, units.values(), strict=True):
            m.submodules[stage.name] = unit
            for stream, port in zip(stage.reads, _ports(unit, "i"), strict=True):
                wiring.connect(m, streams[stream], port)
            streams += _ports(unit, "o")
        wiring.connect(m, streams[-1], sink.i)
        is_open = Const(1) if self.address_map is None else self._control(m, self.address_map, units)

        m.d.comb += [
            source.tdata.eq(self.s_axis_tdata),
            source.tvalid.eq(self.s_axis_tvalid & is_open),
            source.tlast.eq(self.s_axis_tlast),
            self.s_axis_tready.eq(source.tready & is_open),
            self.m_axis_tdata.eq(sink.tdata),
            self.m_axis_tvalid.eq(sink.tvalid),
            self.m_axis_tlast.eq(sink.tlast),
            sink.tready.eq(self.m_axis_tready),
            self.frame_error.eq(source.frame_error),
        ]
        return m

    def _control(self, m: Module, address_map: AddressMap, units: Mapping[str, wiring.Component]) -> Value:
        """Add the registers and the bus to the memories; tell when the input port is open."""
        m.submodules.control = control = Control(address_map.shape, self.frame_beats_in, self.frame_beats_out)
        for name, member in control.axi.signature.members.items():
            port, wire = getattr(self, f"s_axil_{name}"), getattr(control.axi, name)
            m.d.comb += port.eq(wire) if member.flow is Out else wire.eq(port)
        m.d.comb += [
            control.i_valid.eq(self.s_axis_tvalid),
            control.i_ready.eq(self.s_axis_tready),
            control.o_valid.eq(self.m_axis_tvalid),
            control.o_ready.eq(self.m_axis_tready),
            control.frame_error.eq(self.frame_error),
            control.busy.eq(Cat(_works(units[stage]) for stage in address_map.stages)),
            self.loaded.eq(control.run),
        ]
        bus = control.write
        for name, unit in units.items():
            if memories_of(unit):
                station = WriteStation(address_map.shape.address_bits, memories_of(unit), address_map.bases(name))
                m.submodules[f"{name}_write"] = station
                wiring.connect(m, bus, station.i)
                wiring.connect(m, station.write, unit.write)
                bus = station.o
        return control.open


def _works(unit: wiring.Component) -> Value:
    """Tell whether a unit takes a step of its schedule: it says so, or takes a beat at each."""
    if "busy" in unit.signature.members:
        return unit.busy
    stream = _ports(unit, "i")[0]
    return stream.valid & stream.ready


def _ports(unit: wiring.Component, side: str) -> list[wiring.PureInterface]:
    """Give a unit's streams on one side: one port, or several numbered ones."""
    members = unit.signature.members
    return [getattr(unit, name) for name in members if name == side or name.startswith(f"{side}_")]


def accelerator(pipeline: Pipeline, network_id: int = 0) -> AcceleratorTop:
    """Build the top component of a pipeline.

    Parameters
    ----------
    pipeline : Pipeline
    network_id : int
        The 64 bits that its registers give a host, if it has any.
    """
    source, sink = pipeline.source, pipeline.sink
    return AcceleratorTop(
        pipeline.stages,
        in_bits=source.bits,
        out_bits=sink.bits,
        frame_beats_in=source.count,
        frame_beats_out=sink.count,
        address_map=address_map(pipeline, network_id) if pipeline.plan.has_registers else None,
    )
