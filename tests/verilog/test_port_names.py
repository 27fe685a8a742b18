"""Names of ports, in modules written by hand."""

from hwgen.verilog.port_names import name_ports

INNER = """module inner(port_1, port_2, port_3, port_4, port_5, clk);
  input clk;
  wire [7:0] data;
  wire [9:0] word;
  wire go;
  wire [1:0] rest;
  wire [3:0] odd;
  assign data = { port_1, word[5:4], word[9], port_2 };
  assign go = port_3;
  assign rest = port_4;
  assign odd = port_5 + 4'h1;
  wire [3:0] port_1;
  wire port_2;
  wire port_3;
  wire [1:0] port_4;
  wire [3:0] port_5;
endmodule"""

OUTER = """module outer(clk);
  wire port_1;
  inner one (
    .port_1(a),
    .port_3(port_1),
    .clk(clk)
  );
endmodule"""


def test_ports_are_called_after_the_bits_that_they_carry():
    inner, outer = name_ports([INNER, OUTER])
    header = inner.splitlines()[0]
    assert header == "module inner(data_7_4, data_0, go_port, rest_port, odd_part_1, clk);"
    assert "  assign data = { data_7_4, word[5:4], word[9], data_0 };" in inner
    assert "  wire [3:0] odd_part_1;" in inner
    assert "    .data_7_4(a),\n    .go_port(port_1),\n    .clk(clk)" in outer
    assert "  wire port_1;" in outer


def test_a_name_that_is_taken_is_not_given_twice():
    inner, _ = name_ports([INNER.replace("input clk;", "input clk;\n  wire data_0;"), OUTER])
    assert inner.startswith("module inner(data_7_4, data_part_1, go_port,")


def test_streams_of_a_unit_inside_get_their_number():
    text = "module fork(o__ready, o__ready_2, clk);\n  assign o_1__ready = o__ready_2;\nendmodule"
    assert name_ports([text]) == [
        "module fork(o__ready, o_1__ready, clk);\n  assign o__ready_2 = o_1__ready;\nendmodule"
    ]
