// Cells of ECP5 that Yosys has no model of, or none that simulates.

`define ROWS \
  INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0, INITVAL_04 = 0, INITVAL_05 = 0, INITVAL_06 = 0, \
  INITVAL_07 = 0, INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0, INITVAL_0B = 0, INITVAL_0C = 0, INITVAL_0D = 0, \
  INITVAL_0E = 0, INITVAL_0F = 0, INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0, INITVAL_14 = 0, \
  INITVAL_15 = 0, INITVAL_16 = 0, INITVAL_17 = 0, INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0, \
  INITVAL_1C = 0, INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0, INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0, \
  INITVAL_23 = 0, INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0, INITVAL_28 = 0, INITVAL_29 = 0, \
  INITVAL_2A = 0, INITVAL_2B = 0, INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0, INITVAL_30 = 0, \
  INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0, INITVAL_34 = 0, INITVAL_35 = 0, INITVAL_36 = 0, INITVAL_37 = 0, \
  INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0, INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, \
  INITVAL_3F = 0

`define ALL_ROWS \
  INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38, INITVAL_37, \
  INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30, INITVAL_2F, INITVAL_2E, \
  INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28, INITVAL_27, INITVAL_26, INITVAL_25, \
  INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, \
  INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, \
  INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, \
  INITVAL_09, INITVAL_08, INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, \
  INITVAL_00

// Block RAM. Where port B reads 36 bits, its lower half leaves by port A; where port A writes 36 bits, the upper half
// comes in by port B.
module DP16KD (
  input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1,
    DIA0,
  input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
  input CEA, OCEA, CLKA, WEA, RSTA,
  input CSA2, CSA1, CSA0,
  output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1,
    DOA0,
  input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1,
    DIB0,
  input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
  input CEB, OCEB, CLKB, WEB, RSTB,
  input CSB2, CSB1, CSB0,
  output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1,
    DOB0
);
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG", WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
  parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB", CSDECODE_A = "0b000", CSDECODE_B = "0b000";
  parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC", GSR = "ENABLED", INIT_DATA = "STATIC", WID = 0;
  parameter [319:0] `ROWS;
  localparam WIDE_A = DATA_WIDTH_A == 36, WIDE_B = DATA_WIDTH_B == 36;
  localparam MODE_A = WRITEMODE_A == "NORMAL" ? 0 : WRITEMODE_A == "WRITETHROUGH" ? 1 : 2;
  localparam MODE_B = WRITEMODE_B == "NORMAL" ? 0 : WRITEMODE_B == "WRITETHROUGH" ? 1 : 2;
  initial begin
    if (CLKAMUX == "INV" || CLKBMUX == "INV") $fatal(1, "DP16KD with an inverted clock");
    if (CSDECODE_A != "0b000" || CSDECODE_B != "0b000") $fatal(1, "DP16KD with a chip select");
  end
  wire [35:0] a_out, b_out;
  wire [17:0] a_in = {
    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2,
    DIA1, DIA0
  };
  wire [17:0] b_in = {
    DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2,
    DIB1, DIB0
  };
  wire [13:0] a_address = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [13:0] b_address = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  assign {
    DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2,
    DOA1, DOA0
  } = WIDE_B ? b_out[17:0] : a_out[17:0];
  assign {
    DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2,
    DOB1, DOB0
  } = WIDE_B ? b_out[35:18] : b_out[17:0];
  block_ram #(
    .BYTE(9), .PITCH(20), .INIT({`ALL_ROWS}),
    .A_WIDTH(DATA_WIDTH_A), .A_WRITE_MODE(MODE_A), .A_REGISTER(REGMODE_A == "OUTREG"),
    .B_WIDTH(DATA_WIDTH_B), .B_WRITE_MODE(MODE_B), .B_REGISTER(REGMODE_B == "OUTREG")
  ) ram (
    .a_clock(CLKA), .a_enable(CEA && {CSA2, CSA1, CSA0} == 0), .a_register_enable(OCEA), .a_write(WEA), .a_reset(RSTA),
    .a_bytes(a_address[3:0]), .a_address(a_address), .a_in({WIDE_A ? b_in : 18'd0, a_in}), .a_out(a_out),
    .b_clock(CLKB), .b_enable(CEB && {CSB2, CSB1, CSB0} == 0), .b_register_enable(OCEB), .b_write(WEB), .b_reset(RSTB),
    .b_bytes(b_address[3:0]), .b_address(b_address), .b_in({18'd0, b_in}), .b_out(b_out)
  );
endmodule

// Flip-flop. Where it is placed away from its look-up table its data come in by M.
module TRELLIS_FF (input CLK, LSR, CE, DI, M, output reg Q);
  parameter CLKMUX = "CLK", CEMUX = "1", LSRMUX = "LSR", SD = "1", REGSET = "RESET", SRMODE = "LSR_OVER_CE";
  parameter GSR = "ENABLED", LSRMODE = "LSR";
  wire clock = CLK ^ (CLKMUX == "INV");
  wire enable = CEMUX == "1" || CE ^ (CEMUX == "INV");
  wire reset = LSR ^ (LSRMUX == "INV");
  localparam BY_M = SD == "0" || SD == 0;
  initial begin
    Q = REGSET == "SET";
    if (CEMUX == "0" || LSRMODE != "LSR") $fatal(1, "TRELLIS_FF with CE %s and LSR %s", CEMUX, LSRMODE);
  end
  always @(posedge clock)
    if (reset && SRMODE != "ASYNC") Q <= REGSET == "SET";
    else if (enable) Q <= BY_M ? M : DI;
  always @(posedge clock) if (reset && SRMODE == "ASYNC") $fatal(1, "TRELLIS_FF with an asynchronous reset");
endmodule

// A look-up table as it is placed: logic, half of a carry cell, or a bit of distributed RAM; and a multiplexer behind.
module TRELLIS_COMB (
  input A, B, C, D, M, FCI, F1, FXA, FXB, WD, WAD0, WAD1, WAD2, WAD3, WRE, WCK, DI0, DI1,
  output F, FCO, OFX
);
  parameter MODE = "LOGIC", CCU2_INJECT1 = "NO", WREMUX = "WRE", WCKMUX = "WCK";
  parameter [15:0] INITVAL = 0;
  parameter IS_Z1 = 0;
  wire table_4 = INITVAL[{D, C, B, A}];
  wire table_2 = INITVAL[{2'b00, B, A}];
  reg [15:0] bits = INITVAL;
  localparam CARRY = MODE == "CCU2", RAM = MODE == "DPRAM", INJECT = CCU2_INJECT1 == "YES";
  assign F = RAM ? bits[{A, C, B, D}] : CARRY && !INJECT ? table_4 ^ FCI : table_4;
  assign FCO = table_4 ? FCI : table_2 && !INJECT;
  assign OFX = IS_Z1 ? (M ? FXB : FXA) : M ? F1 : F;
  wire clock = RAM && (WCK ^ (WCKMUX == "INV"));
  always @(posedge clock) if (WRE ^ (WREMUX == "INV")) bits[{WAD3, WAD2, WAD1, WAD0}] <= WD;
  initial if (!(CARRY || RAM || MODE == "LOGIC" || MODE == "RAMW_BLOCK")) $fatal(1, "TRELLIS_COMB as %s", MODE);
endmodule

// The wires by which a slice hands address and data on to the distributed RAM beside it.
module TRELLIS_RAMW (
  input A0, B0, C0, D0, A1, B1, C1, D1,
  output WADO0, WADO1, WADO2, WADO3, WDO0, WDO1, WDO2, WDO3
);
  assign {WADO3, WADO2, WADO1, WADO0} = {A0, C0, B0, D0};
  assign {WDO3, WDO2, WDO1, WDO0} = {B1, D1, A1, C1};
endmodule

// Global buffer.
module DCCA (input CLKI, CE, output CLKO);
  assign CLKO = CLKI && CE;
endmodule
