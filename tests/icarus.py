"""Play a build folder's Verilog in Icarus Verilog from a bench of plain Verilog: started in a moment, and four-valued."""

from __future__ import annotations

import re
import shutil
import tempfile
from enum import Enum
from pathlib import Path

from hwgen.rtl_templates.streams.pauses import Pauses
from hwgen.sim.record import Stimulus
from hwgen.tools.processes import run
from hwgen.tools.toolchain import Toolchain

__all__ = ["PowerUp", "play"]

PATTERN_CYCLES = 1 << 14
"""Pauses repeat after so many cycles."""


class PowerUp(Enum):
    """How an accelerator begins."""

    RESET = "with the values that an FPGA gives its registers, and a reset"
    VALUES = "with these values alone"
    UNKNOWN = "with X in every register and memory that nothing fills, as in an ASIC, and a reset"


_BENCH = """
`timescale 1ns/1ps
module bench;
  reg aclk = 0, aresetn = {aresetn}, valid = 0, taking = 0;
  reg [{in_bits}:0] beats [0:{last_beat}];
  reg [1:0] pauses [0:{last_pause}];
  reg [{in_bits}:0] beat = 0;
  reg starved, blocked;
  wire ready, given, last, frame_error;
  wire [{out_bits}-1:0] data;
  integer next = 0, seen = 0, quiet = 0, cycle = 0;
  {name} dut (.aclk(aclk), .aresetn(aresetn), .s_axis_tdata(beat[{in_bits}-1:0]), .s_axis_tlast(beat[{in_bits}]),
    .s_axis_tvalid(valid), .s_axis_tready(ready), .m_axis_tdata(data), .m_axis_tvalid(given), .m_axis_tlast(last),
    .m_axis_tready(taking), .frame_error(frame_error));
  initial begin
    $readmemh("beats.hex", beats);
    $readmemh("pauses.hex", pauses);
    repeat ({reset_cycles}) begin
      #5 aclk = 1;
      #5 aclk = 0;
    end
    aresetn = 1;
    while (quiet <= {timeout} && !(seen >= {out_beats} && next > {last_beat} && quiet > 64)) begin
      starved = pauses[cycle % {pattern}][0];
      blocked = pauses[cycle % {pattern}][1];
      if (!valid && next <= {last_beat} && !starved) begin
        valid = 1;
        beat = beats[next];
      end
      taking = !blocked;
      #4 if (valid && ready !== 1 && ready !== 0) $display("ready is %b", ready);
      if (given !== 1 && given !== 0) $display("valid is %b", given);
      cycle = cycle + 1;
      if (!starved && !blocked) quiet = quiet + 1;
      if (taking && given === 1) begin
        $display("beat %h %b", data, last);
        seen = seen + 1;
        quiet = 0;
      end
      if (valid && ready === 1) begin
        #1 aclk = 1;
        #1 valid = 0;
        next = next + 1;
        quiet = 0;
      end else begin
        #1 aclk = 1;
        #1;
      end
      #4 aclk = 0;
    end
    $display("frame_error %b after %0d beats", frame_error, next);
    $finish;
  end
endmodule
"""

_REGISTER = re.compile(r"^(  reg (?:signed )?(?:\[\d+:0\] )?\w+) = .*;$", re.MULTILINE)
_WRITTEN = re.compile(r"^\s+(\w+)\[\w+\](?:\[[\d:]+\])? <= ", re.MULTILINE)
_CLEARED = re.compile(r"^  initial for \((\w+)_index = 0.*$", re.MULTILINE)


def play(folder: Path, name: str, stimulus: Stimulus, power_up: PowerUp = PowerUp.RESET) -> tuple[list[str], str]:
    """Give each output beat as ``<hexadecimal digits> <tlast>``, in which an unknown bit shows as x, and how it ended.

    The sentence at the end says ``frame_error`` and the input beats that were taken; whatever was X at a handshake stands before it.
    """
    text = (folder / "rtl" / f"{name}.v").read_text()
    reset_cycles = 0 if power_up is PowerUp.VALUES else 4
    if power_up is PowerUp.UNKNOWN:
        text = unknown(text)
    source, sink = (
        Pauses(2 * stimulus.seed + side, round(1000 * share), stimulus.burst_cycles, pace, held=bool(side))
        for side, share, pace in ((0, stimulus.stall_in, stimulus.pace_in), (1, stimulus.stall_out, stimulus.pace_out))
    )
    pattern = [source() + 2 * sink() for _ in range(PATTERN_CYCLES)]
    in_bytes = stimulus.beats.shape[1]
    words = (int.from_bytes(row.tobytes(), "little") for row in stimulus.beats)
    beats = [word | int(end) << 8 * in_bytes for word, end in zip(words, stimulus.last, strict=True)]
    bench = _BENCH.format(
        name=name,
        aresetn=int(power_up is PowerUp.VALUES),
        in_bits=8 * in_bytes,
        out_bits=8 * stimulus.out_bytes,
        last_beat=len(beats) - 1,
        last_pause=PATTERN_CYCLES - 1,
        pattern=PATTERN_CYCLES,
        reset_cycles=reset_cycles,
        timeout=stimulus.timeout_cycles,
        out_beats=stimulus.out_beats,
    )
    tools = Toolchain.find()
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        for memory in (folder / "rtl").glob("*.mem"):
            shutil.copy(memory, work)
        (work / "dut.v").write_text(text)
        (work / "bench.v").write_text(bench)
        (work / "beats.hex").write_text("".join(f"{beat:x}\n" for beat in beats))
        (work / "pauses.hex").write_text("".join(f"{pause:x}\n" for pause in pattern))
        command = [tools.need("iverilog").path, "-g2012", "-o", "bench.vvp", "bench.v", "dut.v"]
        run(command, work, work / "iverilog.log")
        lines = run([tools.need("vvp").path, "-n", "bench.vvp"], work, work / "vvp.log").splitlines()
    given = [line.removeprefix("beat ") for line in lines if line.startswith("beat ")]
    return given, "; ".join(line for line in lines if not line.startswith("beat "))


def unknown(text: str) -> str:
    """Take the power-up values of registers away, and those of memories that the hardware itself fills."""
    return "\nendmodule".join(_unknown_in(module) for module in text.split("\nendmodule"))


def _unknown_in(module: str) -> str:
    filled = set(_WRITTEN.findall(module))
    kept = _CLEARED.sub(lambda found: "" if found[1] in filled else found[0], module)
    return _REGISTER.sub(r"\1;", kept)
