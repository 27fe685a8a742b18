"""The Verilog is reproducible, readable, clean in every tool, and says what it is."""

import json
import re

import numpy as np
import pytest
from amaranth.hdl import ClockDomain, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

import hwgen
from hwgen.arrays.beats import Beats, BeatSequence
from hwgen.codes import BIPOLAR, signed, unsigned
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.plan import Plan
from hwgen.rtl_templates.compute.rom import Rom
from hwgen.rtl_templates.memory import MemoryStyle
from hwgen.tools.processes import run
from hwgen.tools.toolchain import Toolchain, yosys
from hwgen.verilog.text import _contents, tidy
from hwgen.verilog.write import WAIVERS, Interface, check_name, convert, write
from tests.lint import lint
from tests.sim.running_sum import RunningSum
from tests.small_networks import mlp

SMALL = [(77 * i * i) % 8192 for i in range(16)]
LARGE = [(77 * i * i) % 8192 for i in range(400)]
INTERFACE = Interface(
    BeatSequence((Beats(unsigned(13), 1, (400,)),)), BeatSequence((Beats(signed(13), 1, (4, 100)),)), 400, 3
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build")
    files = write(RunningSum(13, LARGE), "sums", folder, INTERFACE)
    return folder, files


def text(folder, name="sums.v"):
    return (folder / "rtl" / name).read_text()


def test_two_writes_give_the_same_bytes(written, tmp_path):
    folder, files = written
    again = write(RunningSum(13, LARGE), "sums", tmp_path, INTERFACE)
    assert [path.relative_to(tmp_path) for path in again] == [path.relative_to(folder) for path in files]
    assert all(one.read_bytes() == other.read_bytes() for one, other in zip(files, again, strict=True))


def test_files_are_named_after_what_they_hold(written):
    folder, files = written
    names = [path.relative_to(folder).as_posix() for path in files]
    assert names == ["rtl/sums.v", "rtl/sums_adder_weights.mem", "rtl/sums.vlt", "rtl/sums_inst.v", "sums.core"]


def test_large_memories_are_files_without_folder(written):
    folder, _ = written
    assert '$readmemh("sums_adder_weights.mem", weights);' in text(folder)
    assert "reg [12:0] weights [0:399];" in text(folder)
    contents = text(folder, "sums_adder_weights.mem")
    assert contents.endswith("\n")
    assert [int(line, 16) for line in contents.split()] == LARGE


def test_small_memories_stand_in_the_text(tmp_path):
    write(RunningSum(13, SMALL), "sums", tmp_path)
    found = re.findall(r"weights\[(\d+)\] = 13'h([0-9a-f]+);", text(tmp_path))
    assert [(int(index), int(word, 16)) for index, word in found] == list(enumerate(SMALL))
    assert not list((tmp_path / "rtl").glob("*.mem"))


def test_every_layer_is_a_module_and_every_name_is_plain(written):
    source = text(written[0])
    assert re.findall(r"^module (\w+)\(", source, re.MULTILINE) == ["sums", "sums_adder", "sums_input"]
    assert "\\" not in source
    code = "\n".join(line for line in source.splitlines() if not line.startswith("//"))
    assert set(re.findall(r"\$\w+", code)) <= {"$readmemh"}
    assert "reg [8:0] index_next;" in code
    for header in re.findall(r"^module \w+\((.*)\);", source, re.MULTILINE):
        assert all(re.fullmatch(r"[a-z]\w*", port) for port in header.split(", "))


def test_header_tells_the_interface_but_no_date_and_no_place(written):
    folder, _ = written
    header = text(folder).partition("\nmodule")[0]
    assert "s_axis: 400 beats a frame (map 400, channels last), tlast with the last." in header
    assert "A beat carries 1 code (13 bits, -4096 to 4095)." in header
    assert "Bits 15:13 of tdata are padding." in header
    assert "A frame every 400 cycles; first result 3 cycles after its first beat." in header
    assert re.search(r"output\s+\[15:0\] m_axis_tdata", header)
    for path in written[1]:
        content = path.read_text()
        assert str(folder) not in content
        assert "git sha1" not in content
        assert not re.search(r"\b20\d\d-\d\d", content)


def test_header_explains_bipolar_beats(tmp_path):
    beats = Beats(BIPOLAR, 16, (16, 16, 1))
    write(RunningSum(16, SMALL), "sums", tmp_path, Interface(BeatSequence((beats,)), BeatSequence((beats,)), 16, 3))
    assert "A beat carries 16 codes (1 bit, 0 = -1 and 1 = +1), the first in the lowest bits." in text(tmp_path)


def test_verilator_lints_clean_with_the_waivers(written):
    assert "%Warning" not in lint(written[0], "sums")


@pytest.mark.parametrize(("pe", "simd"), [(1, 1), (2, 8), (1, 8), (4, 8)])
def test_verilator_lints_whole_networks_clean(pe, simd, tmp_path):
    folds = {"dense0": Fold(pe, simd), "dense1": Fold(pe // 2 or 1, simd // 2 or 1)}
    hwgen.build(Plan(mlp(8, 4, 2), folds), tmp_path / "build")
    assert "%Warning" not in lint(tmp_path / "build", "mlp")


def test_verilator_accepts_the_instantiation_template(written):
    folder, _ = written
    template = text(folder, "sums_inst.v")
    (folder / "rtl" / "user.v").write_text(f"module user;\n{template}endmodule\n")
    command = ["--Wno-DECLFILENAME", "--Wno-UNUSEDSIGNAL", "--Wno-UNDRIVEN", "--Wno-MULTITOP", "sums.vlt", "sums.v"]
    toolchain = Toolchain.find()
    program = [toolchain.need("verilator").path, "--lint-only", "-Wall", "--top-module", "user"]
    run([*program, *command, "user.v"], folder / "rtl", folder / "lint.log", toolchain.environment("verilator"))


def test_every_waiver_has_a_reason(written):
    waivers = text(written[0], "sums.vlt")
    for rule, reason in WAIVERS:
        assert f'.\nlint_off -rule {rule} -file "*sums.v"' in waivers
        assert reason[1:] in waivers


@pytest.mark.icarus
def test_icarus_accepts_it_without_a_warning(written):
    folder, _ = written
    program = Toolchain.find().need("iverilog").path
    assert run([program, "-Wall", "-o", "out.vvp", "sums.v"], folder / "rtl", folder / "icarus.log") == ""


class Chooser(wiring.Component):
    """Passes one of three numbers on, as a register chooses."""

    def __init__(self):
        super().__init__({"aclk": In(1), "next": In(1), "number": Out(4)})

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = domain = ClockDomain(reset_less=True)
        m.d.comb += [domain.clk.eq(self.aclk), self.number.eq(3)]
        chosen = Signal(2, init=1)
        with m.If(self.next):
            m.d.sync += chosen.eq(chosen + 1)
        with m.Switch(chosen):
            with m.Case(1):
                m.d.comb += self.number.eq(5)
            with m.Case(2):
                m.d.comb += self.number.eq(6)
        return m


@pytest.mark.icarus
@pytest.mark.parametrize("standard", ["2001", "2005", "2009", "2012"])
def test_a_block_runs_though_its_inputs_never_change(tmp_path, standard):
    """SystemVerilog gives a declared value before anything runs: it starts no block."""
    write(Chooser(), "chooser", tmp_path)
    assert re.search(r"reg time_zero;\n(.*\n)+  initial time_zero = 1'h0;\nendmodule", text(tmp_path, "chooser.v"))
    bench = "module bench; wire [3:0] n; chooser dut(.aclk(1'b0), .next(1'b0), .number(n)); initial #1 $display(n); endmodule"
    (tmp_path / "rtl" / "bench.v").write_text(bench)
    program = Toolchain.find().need("iverilog").path
    command = [program, f"-g{standard}", "-s", "bench", "-o", "out.vvp", "bench.v", "chooser.v"]
    run(command, tmp_path / "rtl", tmp_path / "icarus.log")
    vvp = Toolchain.find().need("vvp").path
    assert run([vvp, "out.vvp"], tmp_path / "rtl", tmp_path / "vvp.log").strip() == "5"


def test_yosys_reads_it_back(written):
    folder, _ = written
    yosys(
        ["read_verilog sums.v", "hierarchy -check -top sums", "proc", "check -assert"], folder / "rtl", folder / "log"
    )


def test_fusesoc_file_lists_what_is_there(written):
    folder, _ = written
    core = (folder / "sums.core").read_text()
    assert core.startswith("CAPI=2:\nname: ::sums:1.0.0\n")
    listed = re.findall(r"- (rtl/\S+): ", core)
    assert listed == ["rtl/sums.v", "rtl/sums_adder_weights.mem", "rtl/sums.vlt"]
    assert all((folder / name).exists() for name in listed)


@pytest.mark.parametrize("name", ["my net", "9lives", "module", "größe", ""])
def test_a_name_must_be_an_identifier(name):
    with pytest.raises(OptionError, match=f"becomes a Verilog module: '{name}' is not an identifier"):
        check_name(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("aclk", "'aclk' is the name of a port of every accelerator; choose another for the network"),
        ("s_axis_tdata", "'s_axis_tdata' is the name of a port of every accelerator"),
        ("x" * 101, "must have at most 100 characters, not 101"),
    ],
)
def test_a_name_must_be_no_port_and_fit_a_file(name, message):
    with pytest.raises(OptionError, match=message):
        check_name(name)
    check_name("aclk_2")
    check_name("x" * 100)


def test_renaming_never_joins_two_names_of_a_module():
    verilog = r"""/* Yosys */

module a(\x$1 , x, \wire );
  input \x$1 ;
  input x;
  input \wire ;
  wire \y$7.z ;
  wire \y$8.z ;
endmodule
module b();
  wire u;
  a \u$3  (.\x$1 (x), .x(\x$1 ), .\wire (\y$9.z ));
endmodule
"""
    result = tidy(verilog, {}).text
    assert (
        result
        == """module a(x_2, x, wire_2);
  input x_2;
  input x;
  input wire_2;
  wire y_z;
  wire y_z_2;
endmodule
module b();
  wire u;
  a u_2 (.x_2(x), .x(x_2), .wire_2(y_z));
endmodule
"""
    )


def test_attributes_for_synthesis_stay():
    verilog = '/* Y */\nmodule m();\n  (* src = "a.py:1" *)\n  (* ram_style = "block" *)\n  wire x;\nendmodule\n'
    assert tidy(verilog, {}).text == 'module m();\n  (* ram_style = "block" *)\n  wire x;\nendmodule\n'


def test_memory_files_hold_any_width():
    rng = np.random.default_rng(3)
    words = [int.from_bytes(rng.bytes(13), "little") >> 3 for _ in range(65)]
    verilog = '/* Y */\nmodule m();\n  (* hwgen_contents = "7" *)\n  reg [100:0] rom [64:0];\nendmodule\n'
    source = tidy(verilog, {7: words})
    assert source.text == 'module m();\n  reg [100:0] rom [0:64];\n  initial $readmemh("m_rom.mem", rom);\nendmodule\n'
    assert [int(line, 16) for line in source.memories["m_rom.mem"].split()] == words


def test_anonymous_ports_are_named_after_the_signal_they_carry():
    verilog = r"""/* Yosys */
module top(clk);
  child it (
    .\port$1$0 (x[3:0]),
    .\port$2$0 (y),
    .\port$3$0 (z)
  );
endmodule
module child(\port$1$0 , \port$2$0 , \port$3$0 );
  input [3:0] \port$1$0 ;
  wire [3:0] \port$1$0 ;
  input \port$2$0 ;
  wire \port$2$0 ;
  output [1:0] \port$3$0 ;
  wire [1:0] \port$3$0 ;
  wire [6:0] data;
  wire [1:0] total;
  assign data = { \port$2$0 , 2'h0, \port$1$0  };
  assign \port$3$0  = total;
endmodule
"""
    result = tidy(verilog, {}).text
    assert "module child(data_3_0, data_6, total_port);" in result
    assert "assign data = { data_6, 2'h0, data_3_0 };" in result
    assert "    .data_3_0(x[3:0]),\n    .data_6(y),\n    .total_port(z)\n" in result
    assert "port_" not in result


def test_the_branches_of_a_fork_have_numbered_wires():
    """Amaranth calls the ready of a branch after that of the FIFO inside."""
    verilog = r"""/* Yosys */
module top(clk);
  fork it (
    .o_0__valid(a),
    .o__ready(x),
    .\o__ready$2 (y)
  );
endmodule
module fork(o_0__valid, o__ready, \o__ready$2 );
  output o_0__valid;
  wire o_0__valid;
  input o__ready;
  wire o__ready;
  input \o__ready$2 ;
  wire \o__ready$2 ;
  wire o_0__ready;
  wire o_1__ready;
  fifo branch_0 (
    .o__ready(o__ready)
  );
  assign o_0__ready = o__ready;
  assign o_1__ready = \o__ready$2 ;
endmodule
"""
    result = tidy(verilog, {}).text
    assert "module fork(o_0__valid, o_0__ready, o_1__ready);" in result
    assert "    .o_0__valid(a),\n    .o_0__ready(x),\n    .o_1__ready(y)\n" in result
    assert "    .o__ready(o_0__ready)\n" in result
    assert "assign o__ready = o_0__ready;" in result


def test_a_huge_memory_is_not_initialised_and_becomes_spram(tmp_path):
    rom = Rom(list(range(6272)), 32, style=MemoryStyle.SPRAM, writable=True)
    source = convert(rom, "rom")
    assert source.memories == {}
    assert '(* ram_style = "huge" *)' in source.text
    assert not re.search(r"words\[.*\] = |readmem", source.text)
    (tmp_path / "rom.v").write_text(source.text)
    commands = ["read_verilog rom.v", "synth_ice40 -device u -spram -top rom", "tee -q -o cells.json stat -json"]
    yosys(commands, tmp_path, tmp_path / "yosys.log")
    cells = json.loads((tmp_path / "cells.json").read_text())["design"]["num_cells_by_type"]
    assert cells["SB_SPRAM256KA"] == 2
    assert cells["SB_LUT4"] < 40
    assert not any(cell.startswith("SB_RAM40") for cell in cells)


@pytest.mark.parametrize(
    ("words", "width", "in_text"), [(64, 8, True), (65, 8, False), (64, 64, True), (63, 65, True), (64, 65, False)]
)
def test_a_memory_stands_in_the_text_up_to_64_words_and_4096_bits(words, width, in_text):
    files = {}
    rows = [number * number + 1 for number in range(words)]
    text = _contents("m", "words", width, rows, files)
    assert (list(files), "$readmemh" in text) == (([], False) if in_text else (["m_words.mem"], True))
    digits = -(-width // 4)
    numbers = [f"{number * number + 1:0{digits}x}" for number in range(words)]
    if in_text:
        assert re.findall(r"'h([0-9a-f]+);", text) == numbers
    else:
        assert files["m_words.mem"] == "".join(f"{number}\n" for number in numbers)
