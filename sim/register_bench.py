"""cocotb tests of an accelerator's AXI4-Lite port: registers, counters, and writes to its memories; extend them, they are yours.

They read what ``test_accelerator.py`` reads, ``registers.json`` (the map, and what a run of all frames must count) and, where the accelerator has
memories that can be written, ``image.txt`` with their contents. A second network's ``other.txt`` and ``other_expected.txt`` are tried where they are.
"""

import json
import random
from pathlib import Path

import cocotb
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiResp, AxiStreamFrame
from test_accelerator import SETUP, STALLED_PATIENCE, Bench, read_vectors, registers, reset, stall, to_bytes

FACTS = json.loads(Path("registers.json").read_text(encoding="ascii"))
AT = FACTS["registers"]
RUN, CLEAR = 1, 2
HELD_CYCLES = 200


class Registers:
    """Words of the port, with the responses checked."""

    def __init__(self, dut):
        self.master = registers(dut)

    async def read(self, address):
        """Give a word."""
        answer = await self.master.read(address, 4)
        assert answer.resp == AxiResp.OKAY, f"address {address:#x} cannot be read"
        return int.from_bytes(answer.data, "little")

    async def write(self, address, word):
        """Write a word."""
        answer = await self.master.write(address, word.to_bytes(4, "little"))
        assert answer.resp == AxiResp.OKAY, f"address {address:#x} cannot be written"

    async def write_file(self, path):
        """Write an image, with the input port closed meanwhile; give the frames that were taken before."""
        await self.write(AT["control"], 0)
        while await self.read(AT["status"]) & 2:
            pass
        taken = await self.read(AT["frames_in"])
        for line in Path(path).read_text(encoding="ascii").splitlines():
            address, word = (int(number, 16) for number in line.split())
            await self.write(address, word)
        return taken


async def started(dut):
    """Reset, and give the bench and the registers."""
    bench = Bench(dut)
    await reset(dut)
    return bench, Registers(dut)


@cocotb.test()
async def identity(dut):
    """The port says which network the hardware is for, and which it holds."""
    _, port = await started(dut)
    halves = [await port.read(AT["network_id"] + 4 * half) for half in (0, 1)]
    assert f"{halves[1]:08x}{halves[0]:08x}" == FACTS["network_id"]
    assert [await port.read(AT["loaded_id"] + 4 * half) for half in (0, 1)] == halves
    assert await port.read(AT["version"]) == FACTS["version"]
    assert await port.read(AT["stages"]) == len(FACTS["busy_cycles"])
    assert await port.read(AT["status"]) == RUN


@cocotb.test()
async def scratch(dut):
    """Bytes are written one by one; reset clears them."""
    _, port = await started(dut)
    await port.write(AT["scratch"], 0x89ABCDEF)
    assert await port.read(AT["scratch"]) == 0x89ABCDEF
    await port.master.write(AT["scratch"] + 1, b"\x11")
    assert await port.read(AT["scratch"]) == 0x89AB11EF
    await reset(dut)
    assert await port.read(AT["scratch"]) == 0


@cocotb.test()
async def counters(dut):
    """Frames, stalls and busy cycles are those that were predicted."""
    bench, port = await started(dut)
    frames = len(bench.inputs)
    for times in (1, 2):
        await bench.check()
        await ClockCycles(dut.aclk, HELD_CYCLES)
        assert await port.read(AT["frames_in"]) == await port.read(AT["frames_out"]) == times * frames
        assert await port.read(AT["input_stalls"]) == times * FACTS["input_stalls"]
        assert await port.read(AT["output_stalls"]) == 0
        for stage, address in FACTS["busy_cycles"].items():
            assert await port.read(address) == times * FACTS["busy"][stage], stage
    await port.write(AT["control"], RUN | CLEAR)
    for address in (AT["frames_in"], AT["input_stalls"], *FACTS["busy_cycles"].values()):
        assert await port.read(address) == 0
    bench.sink.pause = True
    for frame in bench.inputs:
        await bench.source.send(AxiStreamFrame(frame))
    await ClockCycles(dut.aclk, SETUP["timeout_cycles"])
    assert await port.read(AT["output_stalls"]) > 0
    assert await port.read(AT["status"]) == RUN | 2
    bench.sink.pause = False
    assert await bench.receive(frames) == bench.expected


@cocotb.test()
async def bad_addresses(dut):
    """Whatever is not there answers with an error, and changes nothing."""
    _, port = await started(dut)
    end = 1 << len(dut.s_axil_awaddr)
    memories = FACTS["memories"]
    inside = [range(memory["base"], memory["base"] + memory["words"] * memory["bytes_per_word"]) for memory in memories]
    readable = {0, 4, *(AT[name] for name in AT), AT["loaded_id"] + 4, *FACTS["busy_cycles"].values()}
    writable = {AT["control"], AT["scratch"], AT["loaded_id"], AT["loaded_id"] + 4}
    chosen = [*range(0, min(end, 512), 4), end - 4]
    chosen += [memory.stop for memory in inside if memory.stop < end]
    before = [await port.read(AT[name]) for name in ("control", "loaded_id", "scratch")]
    for address in dict.fromkeys(chosen):
        answer = await port.master.read(address, 4)
        assert (answer.resp == AxiResp.OKAY) == (address in readable), f"read {address:#x}"
        if address in writable or any(address in memory for memory in inside):
            continue
        answer = await port.master.write(address, b"\xff" * 4)
        assert answer.resp == AxiResp.SLVERR, f"write {address:#x}"
    for memory in memories:
        answer = await port.master.write(memory["base"], b"\xff")
        assert answer.resp == AxiResp.SLVERR, "part of a word of a memory"
    assert [await port.read(AT[name]) for name in ("control", "loaded_id", "scratch")] == before


@cocotb.test()
async def frames_are_held(dut):
    """Without ``run`` a frame that has begun is finished, and the next one waits."""
    bench, port = await started(dut)
    await port.write(AT["control"], 0)
    assert not dut.loaded.value
    for frame in bench.inputs[:2]:
        await bench.source.send(AxiStreamFrame(frame))
    await ClockCycles(dut.aclk, HELD_CYCLES)
    assert await port.read(AT["frames_in"]) == 0
    assert await port.read(AT["status"]) == 0
    await reset(dut)
    bench.source.clear()
    assert not dut.loaded.value
    await port.write(AT["control"], RUN)
    await bench.check()


@cocotb.test()
async def written_memories(dut):
    """New words count from the next frame on, and old ones bring the old answers back: also with other words in between."""
    bench, port = await started(dut)
    networks = [("image.txt", bench.expected)]
    if Path("other.txt").exists():
        other = [to_bytes(frame, SETUP["out_bytes"]) for frame in read_vectors("other_expected.txt")]
        assert other != bench.expected
        networks = [("other.txt", other), *networks] * 2
    rng = random.Random(0)
    frames, before = len(bench.inputs), bench.expected
    for round_, (image, expected) in enumerate(networks if FACTS["memories"] else []):
        stall(bench, round_, 0.3)
        for frame in bench.inputs:
            await bench.source.send(AxiStreamFrame(frame))
        await ClockCycles(dut.aclk, rng.randrange(SETUP["out_cycles"][-1]))
        done = await port.write_file(image) - round_ * frames
        assert await bench.receive(done, STALLED_PATIENCE) == before[:done], "a frame from before the write"
        assert await bench.receive(frames - done, STALLED_PATIENCE) == expected[done:], image
        before = expected
