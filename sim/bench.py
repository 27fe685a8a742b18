"""cocotb tests of an accelerator's AXI4-Stream ports; extend them, they are yours.

They read ``bench.json`` (names and sizes) and the vectors ``input.txt`` and ``expected.txt``: one beat a line as a hexadecimal number, an
empty line after each frame. Where ``load.txt`` is there, its words are written into the accelerator's memories first: an address and a word a
line. Nothing of hwgen is imported.
"""

import itertools
import json
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge, with_timeout
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)
from pauses import Pauses

SETUP = json.loads(Path("bench.json").read_text(encoding="ascii"))
PERIOD_NS = 10
RESET_CYCLES = 4
STALLED_PATIENCE = 20
loaded: list[bool] = []


def read_vectors(path):
    """Give the frames of a vector file: lists of beats, as integers."""
    frames = Path(path).read_text(encoding="ascii").split("\n\n")
    return [[int(line, 16) for line in frame.split()] for frame in frames if frame.strip()]


def to_bytes(frame, size):
    """Give a frame's bytes in the order in which AXI4-Stream numbers them."""
    return b"".join(beat.to_bytes(size, "little") for beat in frame)


def stall(bench, seed, share):
    """Let both sides pause from now on: for a share of the cycles, for longer than a frame, for all but a few transfers, or not at all."""
    burst = SETUP["burst_cycles"]
    source = Pauses(2 * seed, round(1000 * share), burst, SETUP["pace_in"])
    sink = Pauses(2 * seed + 1, round(1000 * share), burst, SETUP["pace_out"], held=True)
    bench.source.set_pause_generator(iter(source, None))
    bench.sink.set_pause_generator(iter(sink, None))


def power_up(dut):
    """Hold reset from before the first edge, with the register port idle where there is one: what outlives resets must never see an X."""
    dut.aresetn.value = 0
    for wire in ("awvalid", "wvalid", "bready", "arvalid", "rready"):
        if hasattr(dut, f"s_axil_{wire}"):
            getattr(dut, f"s_axil_{wire}").value = 0


async def reset(dut):
    """Hold reset for some cycles."""
    dut.aresetn.value = 0
    await ClockCycles(dut.aclk, RESET_CYCLES)
    dut.aresetn.value = 1
    await RisingEdge(dut.aclk)
    await load(dut)


def registers(dut):
    """Give a master of the AXI4-Lite port."""
    master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.aclk, dut.aresetn, reset_active_level=False)
    for side in (master.read_if, master.write_if):
        side.log.setLevel("ERROR")
    return master


async def load(dut):
    """Write the words of ``load.txt``; the memories outlive resets, so once is enough for all tests."""
    if not Path("load.txt").exists() or loaded:
        return
    master = registers(dut)
    for line in Path("load.txt").read_text(encoding="ascii").splitlines():
        address, word = (int(number, 16) for number in line.split())
        await master.write_dword(address, word)
    loaded.append(True)


class Bench:
    """Clock, reset, a source on ``s_axis`` and a sink on ``m_axis``."""

    def __init__(self, dut):
        self.dut = dut
        self.clock = Clock(dut.aclk, PERIOD_NS, unit="ns")
        power_up(dut)
        self.clock.start(start_high=False)
        self.source = AxiStreamSource(
            AxiStreamBus.from_prefix(dut, "s_axis"), dut.aclk, dut.aresetn, reset_active_level=False
        )
        self.sink = AxiStreamSink(
            AxiStreamBus.from_prefix(dut, "m_axis"), dut.aclk, dut.aresetn, reset_active_level=False
        )
        self.source.log.setLevel("ERROR")
        self.sink.log.setLevel("ERROR")
        self.inputs = [to_bytes(frame, SETUP["in_bytes"]) for frame in read_vectors("input.txt")]
        self.expected = [to_bytes(frame, SETUP["out_bytes"]) for frame in read_vectors("expected.txt")]

    async def receive(self, count, patience=1):
        """Give the next frames from the sink; fail after so many time-outs without one."""
        frames = []
        for _ in range(count):
            frame = await with_timeout(self.sink.recv(), patience * PERIOD_NS * SETUP["timeout_cycles"], "ns")
            frames.append(bytes(frame.tdata))
        return frames

    async def check(self, patience=1, times=1):
        """Send all frames without a gap, so many times, and compare all results."""
        for frame in times * self.inputs:
            await self.source.send(AxiStreamFrame(frame))
        received = await self.receive(times * len(self.expected), patience)
        for number, (got, wanted) in enumerate(zip(received, times * self.expected, strict=True)):
            assert got == wanted, f"frame {number}: got {got.hex()}, expected {wanted.hex()}"


@cocotb.test()
async def back_to_back_frames(dut):
    """Frames follow one another without a gap."""
    bench = Bench(dut)
    await reset(dut)
    await bench.check()
    assert not dut.frame_error.value


@cocotb.test()
@cocotb.parametrize(share=[0.2, 0.8])
async def random_stalls(dut, share):
    """Both sides pause at random, for single cycles and for longer than a frame."""
    bench = Bench(dut)
    await reset(dut)
    stall(bench, 1, share)
    await bench.check(STALLED_PATIENCE, times=2)


@cocotb.test()
async def reset_in_mid_frame(dut):
    """Whatever reset interrupts, the next frame comes out right."""
    bench = Bench(dut)
    await reset(dut)
    for interrupted_after in (1, 7, 30):
        await bench.source.send(AxiStreamFrame(bench.inputs[0]))
        await ClockCycles(dut.aclk, interrupted_after)
        bench.source.clear()
        await reset(dut)
        bench.sink.clear()
    await bench.check()
    assert not dut.frame_error.value


@cocotb.test()
async def wrong_tlast_is_flagged(dut):
    """A frame without tlast raises frame_error, loses no data, and reset clears it."""
    bench = Bench(dut)
    await reset(dut)
    assert not dut.frame_error.value
    joined = bench.inputs[0] + bench.inputs[1 % len(bench.inputs)]
    await bench.source.send(AxiStreamFrame(joined))
    wanted = [bench.expected[0], bench.expected[1 % len(bench.expected)]]
    assert await bench.receive(2) == wanted
    assert dut.frame_error.value
    await reset(dut)
    bench.sink.clear()
    assert not dut.frame_error.value
    await bench.check()


@cocotb.test()
async def every_transfer(dut):
    """Drive and sample both ports cycle by cycle, and write all transfers to ``trace.json``.

    Compared with ``expected.txt`` and, where the setup has "out_cycles", with the predicted cycle of each output beat.
    """
    frames = read_vectors("input.txt")
    beats = [(beat, frame_end) for frame in frames for beat, frame_end in _marked(frame)]
    if not Path("input.txt").read_text(encoding="ascii").endswith("\n\n"):
        beats[-1] = (beats[-1][0], 0)
    trace = await _play(dut, beats)
    Path("trace.json").write_text(json.dumps(trace), encoding="ascii")
    if Path("expected.txt").exists():
        expected = list(itertools.chain.from_iterable(read_vectors("expected.txt")))
        assert [int(beat, 16) for beat in trace["out_beats"]] == expected
    if "out_cycles" in SETUP:
        assert trace["out_cycles"] == SETUP["out_cycles"], "output beats are off the predicted cycles"


def _marked(frame):
    return [(beat, int(at == len(frame) - 1)) for at, beat in enumerate(frame)]


async def _play(dut, beats):
    seed = SETUP.get("seed", 1)
    burst = SETUP["burst_cycles"]

    def pauses():
        return (
            Pauses(2 * seed, SETUP.get("stall_in", 0), burst, SETUP["pace_in"]),
            Pauses(2 * seed + 1, SETUP.get("stall_out", 0), burst, SETUP["pace_out"], held=True),
        )

    pause_in, pause_out = pauses()
    resets = SETUP.get("resets", [])
    digits = 2 * SETUP["out_bytes"]
    trace: dict[str, list[object]] = {"in_cycles": [], "out_beats": [], "out_cycles": [], "out_last": []}
    interrupted: list[dict[str, list[object]]] = []
    position, offered, start, quiet, drained, surplus, resetting = 0, False, 0, 0, 0, 0, RESET_CYCLES
    dut.s_axis_tvalid.value = 0
    dut.m_axis_tready.value = 0
    power_up(dut)
    Clock(dut.aclk, PERIOD_NS, unit="ns").start(start_high=False)
    await reset(dut)
    dut.aresetn.value = 0
    for edge in itertools.count():
        # Behind the edge of the cycle before: set what this cycle's edge will see.
        await RisingEdge(dut.aclk)
        if edge in resets:
            interrupted.append(trace)
            trace = {name: [] for name in trace}
            pause_in, pause_out = pauses()
            position = 0 if len(interrupted) == len(resets) else len(interrupted) * SETUP["frame_beats"] % len(beats)
            offered, quiet, resetting = False, 0, 1
        in_reset = resetting > 0
        pausing = not in_reset and len(interrupted) in (0, len(resets))
        resetting -= in_reset
        starved = pausing and not offered and position < len(beats) and pause_in()
        if not in_reset and not offered and position < len(beats) and not starved:
            offered = True
            dut.s_axis_tdata.value, dut.s_axis_tlast.value = beats[position]
        dut.aresetn.value = int(not in_reset)
        dut.s_axis_tvalid.value = int(offered)
        blocked = pausing and pause_out()
        taking = not in_reset and not blocked
        dut.m_axis_tready.value = int(taking)
        await FallingEdge(dut.aclk)
        quiet += not (starved or blocked)
        if not in_reset and offered and dut.s_axis_tready.value:
            start = start if trace["in_cycles"] else edge
            trace["in_cycles"].append(edge - start)
            offered, position, quiet, surplus = False, position + 1, 0, 0
        if taking and dut.m_axis_tvalid.value:
            trace["out_beats"].append(f"{int(dut.m_axis_tdata.value):0{digits}x}")
            trace["out_cycles"].append(edge - start)
            trace["out_last"].append(int(dut.m_axis_tlast.value))
            quiet = 0
            # Beats without end come of no input.
            surplus += len(trace["out_beats"]) > SETUP["out_beats"]
            if surplus > SETUP["drain_cycles"]:
                break
        received = len(trace["out_beats"])
        if position == len(beats) and received >= SETUP["out_beats"] and len(interrupted) == len(resets):
            drained += 1
            if drained > SETUP["drain_cycles"]:
                break
            continue
        assert quiet <= SETUP["timeout_cycles"], (
            f"deadlock: no transfer for {SETUP['timeout_cycles']} cycles after {position} of {len(beats)} input and "
            f"{received} of {SETUP['out_beats']} output beats; s_axis: tvalid {int(offered)} tready "
            f"{dut.s_axis_tready.value}, m_axis: tvalid {dut.m_axis_tvalid.value} tready {int(taking)}"
        )
    return trace | {"interrupted": interrupted, "frame_error": int(dut.frame_error.value)}
