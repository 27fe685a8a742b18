"""The synthesised and the placed-and-routed cells give golden's bits in the predicted cycles, by models that are tested here."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import hwgen
from examples.data.load import load
from hwgen.cli import main
from hwgen.devices.boards import find_device
from hwgen.devices.ecp5 import ECP5
from hwgen.devices.gowin import GOWIN
from hwgen.errors import OptionError, ToolError
from hwgen.fold import Fold
from hwgen.plan import Plan
from hwgen.sim.verilate import compiled
from hwgen.synthesis import gate_simulation, gates, simulate_netlist, synthesise
from hwgen.synthesis.gates import Netlist, gate_verilog, models
from hwgen.tools.processes import run
from hwgen.tools.toolchain import Toolchain, yosys
from tests.small_networks import mlp

DEVICES = ("up5k", "ecp5-25", "gw1nr-9")
FRAMES = 20

CLOCK = """
#include "Vdut.h"
#include "verilated.h"
int main() {
  Vdut dut;
  for (int edge = 0; edge < 20000 && !dut.different; edge++) { dut.clk = edge & 1; dut.eval(); }
  dut.final();
  return dut.different;
}
"""
"""Runs a top with a port ``clk`` for 10,000 cycles, or until its port ``different`` is 1."""

MEMORIES = """
module memories (input clk, write, read, input [11:0] from, to, input [35:0] in, output [{bits}:0] out);
{bodies}
endmodule
"""

TWO_PORTS = """
(* ram_style = "block", no_rw_check *) reg [{w}-1:0] ram_{w} [0:{d}-1];
initial $readmemh("{w}.mem", ram_{w});
reg [{w}-1:0] q_{w} = 0;
always @(posedge clk) if (write) ram_{w}[to % {d}] <= in;
always @(posedge clk) if (read) q_{w} <= ram_{w}[from % {d}];
(* rom_style = "block" *) reg [{w}-1:0] rom_{w} [0:{d}-1];
initial $readmemh("{w}.mem", rom_{w});
reg [{w}-1:0] r_{w} = 0;
always @(posedge clk) if (read) r_{w} <= rom_{w}[from % {d}];
"""
"""A memory with a writing and a reading port, and one that is only read."""

ONE_PORT = """
(* ram_style = "block" *) reg [8:0] single_{name} [0:1023];
initial $readmemh("9.mem", single_{name});
reg [8:0] s_{name} = 0;
always @(posedge clk) if (read) begin
  if (write) single_{name}[from % 1024] <= in;
  {reads}
end
"""
"""A memory with one port; what it reads while it writes is a mode of its cell."""

READS = {
    "old": "s_old <= single_old[from % 1024];",
    "new": "s_new <= write ? in : single_new[from % 1024];",
    "kept": "if (!write) s_kept <= single_kept[from % 1024];",
}

DEPTHS = {1: 4096, 2: 4096, 4: 2048, 9: 1024, 18: 512, 36: 256}
"""Width -> rows, every width of a block RAM's port; none shares its block RAM."""

PAIR = """
module pair (input clk, output reg different);
initial different = 0;
reg [63:0] noise = 64'h9e3779b97f4a7c15;
always @(posedge clk) noise <= {noise[62:0], noise[63] ^ noise[62] ^ noise[60] ^ noise[59]};
wire [11:0] from = noise[17:6], to = noise[40:29];
wire write = noise[50];
// No row is read while it is written: that is not defined.
wire read = noise[55] && !(write && from[7:0] == to[7:0]);
wire [35:0] in = {noise[3:0], noise[63:32]};
wire [BITS:0] wanted, got;
memories rtl (.clk, .write, .read, .from, .to, .in, .out(wanted));
mapped_memories gates (.clk, .write, .read, .from, .to, .in, .out(got));
always @(posedge clk) if (wanted !== got) different <= 1;
endmodule
"""


def memories() -> tuple[str, int]:
    """Give a module with memories of all widths and modes, and its output's width."""
    names = [f"{kind}_{width}" for width in DEPTHS for kind in "qr"] + [f"s_{name}" for name in READS]
    bits = sum(2 * width for width in DEPTHS) + 9 * len(READS)
    bodies = [TWO_PORTS.format(w=width, d=depth) for width, depth in DEPTHS.items()]
    bodies += [ONE_PORT.format(name=name, reads=reads) for name, reads in READS.items()]
    bodies.append(f"assign out = {{{', '.join(names)}}};")
    return MEMORIES.format(bits=bits - 1, bodies="\n".join(bodies)), bits


def simulate(verilog: str, top: str, folder: Path) -> str:
    """Run a top with `CLOCK`."""
    (folder / "top.v").write_text(verilog)
    (folder / "clock.cpp").write_text(CLOCK)
    program = compiled(folder / "clock.cpp", [folder / "top.v"], top, Toolchain.find())
    return run([str(program)], folder, folder / "run.log")


@pytest.mark.parametrize("name", DEVICES)
def test_mapped_memories_do_what_their_source_says(name: str, tmp_path: Path) -> None:
    source, bits = memories()
    random = np.random.default_rng(2)
    for width, depth in DEPTHS.items():
        rows = random.integers(0, 1 << width, size=depth)
        (tmp_path / f"{width}.mem").write_text("\n".join(f"{row:x}" for row in rows))
    (tmp_path / "memories.v").write_text(source)
    device = find_device(name)
    commands = [
        "read_verilog memories.v",
        f"{device.family.recipe.mapper(device)} -top memories",
        "write_verilog -noattr -noexpr mapped.v",
    ]
    yosys(commands, tmp_path, tmp_path / "yosys.log")
    mapped = (tmp_path / "mapped.v").read_text()
    kinds = {
        "up5k": ("SB_RAM40_4K",),
        "ecp5-25": ("DP16KD", 'WRITEMODE_A("READBEFOREWRITE")', 'WRITEMODE_A("NORMAL")', "DATA_WIDTH_B(32'd36)"),
        "gw1nr-9": (
            "SP #(",
            "SPX9 #(",
            "SDPX9B #(",
            "DPB #(",
            "DPX9B #(",
            "WRITE_MODE(32'd2)",
            "WRITE_MODE(32'd1)",
            "WRITE_MODE(32'd0)",
        ),
    }
    assert [kind for kind in kinds[name] if kind not in mapped] == []
    text = gates.QUIET + source + mapped.replace("module memories", "module mapped_memories")
    text += models(device.family.models, mapped) + PAIR.replace("BITS", str(bits - 1))
    simulate(text, "pair", tmp_path)


def test_a_word_read_while_the_other_port_writes_it_is_spoilt(tmp_path: Path) -> None:
    cell = "SDPX9B #(.BIT_WIDTH_0(9), .BIT_WIDTH_1(9)) ram"
    pins = """(.CLKA(clk), .CEA(1'b1), .RESETA(1'b0), .CLKB(clk), .CEB(1'b1), .OCE(1'b1), .RESETB(1'b0), .BLKSELA(3'd0),
      .BLKSELB(3'd0), .ADA(14'd0), .ADB(ADDRESS), .DI(36'd5), .DO(out));"""
    top = f"module top (input clk, output different);\nwire [35:0] out;\n  {cell} {pins}\n"
    top += "assign different = out[8:0] == 9'h1fa;\nendmodule\n"
    text = gates.QUIET + top + models(GOWIN.models, f"  {cell} (")
    with pytest.raises(ToolError, match="exit code 1"):
        simulate(text.replace("ADDRESS", "14'd0"), "top", tmp_path)
    simulate(text.replace("ADDRESS", "14'd8"), "top", tmp_path)


def test_what_no_flow_uses_ends_the_simulation(tmp_path: Path) -> None:
    cell = "SP ram"
    top = f"module top (input clk, output different);\n  {cell} (.CLK(clk), .RESET(1'b1), .BLKSEL(3'd0), .AD(14'd0));\n"
    text = gates.QUIET + top + "assign different = 0;\nendmodule\n" + models(GOWIN.models, f"  {cell} (")
    with pytest.raises(ToolError, match="block RAM with a reset of its output"):
        simulate(text, "top", tmp_path)


def test_a_cell_without_a_model_is_named() -> None:
    with pytest.raises(ToolError, match=r"^There is no simulation model of the cell EHXPLLL$"):
        models(ECP5.models, "  EHXPLLL #(\n")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network whose weights and vectors are in block RAM."""
    folder = tmp_path_factory.mktemp("gates") / "build"
    network = mlp(64, 32, 10)
    hwgen.build(Plan(network, {layer.name: Fold(pe=1, simd=1) for layer in network.layers}), folder)
    return folder


@pytest.fixture(scope="module", params=DEVICES)
def routed(request: pytest.FixtureRequest, build: Path) -> tuple[Path, str]:
    facts = synthesise(build, device=request.param, seeds=[1])
    assert facts["resources"]["brams"] >= 2
    return build, request.param


@pytest.mark.parametrize("netlist", Netlist)
def test_cells_agree_with_golden_in_every_value_and_every_cycle(routed: tuple[Path, str], netlist: Netlist) -> None:
    folder, device = routed
    frames = np.random.default_rng(1).choice([-1, 1], size=(FRAMES, 64))
    result = simulate_netlist(folder, frames, target=device, netlist=netlist)
    assert (result.frames, result.mismatches, result.beats_off_schedule) == (FRAMES, 0, 0)
    cell = {"up5k": "ICESTORM_RAM", "ecp5-25": "TRELLIS_COMB", "gw1nr-9": "GOWIN_VCC"}[device]
    assert (f"  {cell} " in (folder / "synth" / device / f"{netlist.value}.v").read_text()) == (
        netlist is Netlist.ROUTED
    )


def test_mapped_cells_of_gatemate_agree_with_golden_and_placed_ones_have_no_models(build: Path) -> None:
    facts = synthesise(build, device="ccgm1a1", place_and_route=False)
    assert facts["resources"]["brams"] >= 1
    frames = np.random.default_rng(1).choice([-1, 1], size=(FRAMES, 64))
    result = simulate_netlist(build, frames, target="ccgm1a1", netlist=Netlist.MAPPED)
    assert (result.frames, result.mismatches, result.beats_off_schedule) == (FRAMES, 0, 0)
    with pytest.raises(
        OptionError, match="no models of the cells that nextpnr places on 'ccgm1a1': take --netlist mapped"
    ):
        gate_verilog(build, "ccgm1a1", Netlist.ROUTED)


def test_a_wrong_row_of_a_memory_is_noticed(routed: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, device = routed

    def spoilt(*arguments: object) -> str:
        def inverted(row: re.Match[str]) -> str:
            return row[1] + "".join(digit if digit == "x" else f"{15 - int(digit, 16):x}" for digit in row[2])

        # The first row of the weights.
        text, count = re.subn(
            r"(INIT(?:VAL|_RAM)?_0+\(\d+'h)([0-9a-fx]*[1-9a-f][0-9a-fx]*)", inverted, gate_verilog(*arguments), count=1
        )
        assert count == 1
        return text

    monkeypatch.setattr(gate_simulation, "gate_verilog", spoilt)
    frames = np.random.default_rng(1).choice([-1, 1], size=(FRAMES, 64))
    assert simulate_netlist(folder, frames, target=device, netlist="mapped").mismatches > 0


def test_the_command_line_simulates_cells(
    routed: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, device = routed
    np.save(tmp_path / "x.npy", np.random.default_rng(1).choice([-1, 1], size=(FRAMES, 64)))
    words = ["simulate", str(folder), "--input", str(tmp_path / "x.npy"), "--device", device, "--netlist", "routed"]
    assert main.main([*words, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["frames"], facts["mismatches"], facts["beats_off_schedule"]) == (FRAMES, 0, 0)


@pytest.mark.parametrize(
    "words", [["--netlist", "mapped"], ["--device", "up5k"], ["--netlist", "mapped", "--device", "a", "--board", "b"]]
)
def test_a_netlist_needs_one_target(words: list[str], build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["simulate", str(build), "--input", "x.npy", *words]) == 2
    assert capsys.readouterr().err == "hwgen: --netlist needs either --device or --board, and they need it\n"


def test_a_netlist_that_is_not_there_is_asked_for(build: Path) -> None:
    with pytest.raises(OptionError, match=r"has no netlist for 'hx8k'; run: hwgen synth .* --device hx8k$"):
        gate_verilog(build, "hx8k", Netlist.MAPPED)
    synthesise(build, device="hx8k", place_and_route=False)
    assert "SB_LUT4" in gate_verilog(build, "hx8k", Netlist.MAPPED)
    with pytest.raises(OptionError, match="has not been placed and routed for 'hx8k'; run: hwgen synth"):
        gate_verilog(build, "hx8k", Netlist.ROUTED)
    synthesise(build, board="icebreaker", place_and_route=False)
    with pytest.raises(OptionError, match=r"is placed together with its link .* place it for --device up5k$"):
        gate_verilog(build, "icebreaker", Netlist.ROUTED)


@pytest.mark.slow
@pytest.mark.parametrize("device", DEVICES)
def test_the_cells_of_a_trained_network_agree_with_golden(device: str, tmp_path: Path) -> None:
    model = Path(hwgen.__file__).parent.parent / "examples" / "mnist_tfc" / "model.onnx"
    network = hwgen.read(model, input_type="uint8", input_scale=1 / 255)
    plan = hwgen.plan(network, clock_mhz=100, target_fps=100e6 / 512)
    hwgen.build(plan, tmp_path / "build")
    assert synthesise(tmp_path / "build", device=device, seeds=[1])["resources"]["brams"] > 5
    images = load("mnist_test")[0].reshape(-1, 1, 28, 28)
    for netlist in Netlist:
        result = simulate_netlist(tmp_path / "build", images[:FRAMES], target=device, netlist=netlist)
        assert (result.frames, result.mismatches, result.beats_off_schedule) == (FRAMES, 0, 0)
