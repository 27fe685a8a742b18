// Cells of Gowin that Yosys has no model of, or none of what place and route makes of them.

`define ROWS \
  INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, INIT_RAM_04 = 0, INIT_RAM_05 = 0, \
  INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0, \
  INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, \
  INIT_RAM_12 = 0, INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0, \
  INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, INIT_RAM_1D = 0, \
  INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, INIT_RAM_23 = 0, \
  INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0, \
  INIT_RAM_2A = 0, INIT_RAM_2B = 0, INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, \
  INIT_RAM_30 = 0, INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0, \
  INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0, \
  INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0

`define ALL_ROWS \
  INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38, \
  INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30, \
  INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, \
  INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20, \
  INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, \
  INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, \
  INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08, \
  INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00

// Block RAM with one port, with a writing and a reading port, with two full ports; bytes of 8 bits, and of 9 (X9).
module SP (
  input CLK, CE, OCE, RESET, WRE, input [2:0] BLKSEL, input [13:0] AD, input [31:0] DI, output [31:0] DO
);
  parameter READ_MODE = 0, WRITE_MODE = 0, BIT_WIDTH = 32, RESET_MODE = "SYNC";
  parameter [2:0] BLK_SEL = 0;
  parameter [255:0] `ROWS;
  wire [35:0] out;
  assign DO = out;
  block_ram #(
    .BYTE(8), .PITCH(16), .INIT({`ALL_ROWS}), .A_WIDTH(BIT_WIDTH), .A_WRITE_MODE(WRITE_MODE), .A_REGISTER(READ_MODE),
    .B_WIDTH(8)
  ) ram (
    .a_clock(CLK), .a_enable(CE && BLKSEL == BLK_SEL), .a_register_enable(OCE), .a_write(WRE), .a_reset(RESET),
    .a_bytes(AD[3:0]), .a_address(AD), .a_in(DI), .a_out(out),
    .b_clock(1'b0), .b_enable(1'b0), .b_register_enable(1'b0), .b_write(1'b0), .b_reset(1'b0), .b_bytes(4'd0),
    .b_address(14'd0), .b_in(36'd0), .b_out()
  );
endmodule

module SPX9 (
  input CLK, CE, OCE, RESET, WRE, input [2:0] BLKSEL, input [13:0] AD, input [35:0] DI, output [35:0] DO
);
  parameter READ_MODE = 0, WRITE_MODE = 0, BIT_WIDTH = 36, RESET_MODE = "SYNC";
  parameter [2:0] BLK_SEL = 0;
  parameter [287:0] `ROWS;
  wire [35:0] out;
  assign DO = out;
  block_ram #(
    .BYTE(9), .PITCH(18), .INIT({`ALL_ROWS}), .A_WIDTH(BIT_WIDTH), .A_WRITE_MODE(WRITE_MODE), .A_REGISTER(READ_MODE),
    .B_WIDTH(9)
  ) ram (
    .a_clock(CLK), .a_enable(CE && BLKSEL == BLK_SEL), .a_register_enable(OCE), .a_write(WRE), .a_reset(RESET),
    .a_bytes(AD[3:0]), .a_address(AD), .a_in(DI), .a_out(out),
    .b_clock(1'b0), .b_enable(1'b0), .b_register_enable(1'b0), .b_write(1'b0), .b_reset(1'b0), .b_bytes(4'd0),
    .b_address(14'd0), .b_in(36'd0), .b_out()
  );
endmodule

module SDPB (
  input CLKA, CEA, RESETA, CLKB, CEB, OCE, RESETB, input [2:0] BLKSELA, BLKSELB, input [13:0] ADA, ADB,
  input [31:0] DI, output [31:0] DO
);
  parameter READ_MODE = 0, BIT_WIDTH_0 = 32, BIT_WIDTH_1 = 32, RESET_MODE = "SYNC";
  parameter [2:0] BLK_SEL_0 = 0, BLK_SEL_1 = 0;
  parameter [255:0] `ROWS;
  wire [35:0] out;
  assign DO = out;
  block_ram #(
    .BYTE(8), .PITCH(16), .INIT({`ALL_ROWS}), .A_WIDTH(BIT_WIDTH_0), .B_WIDTH(BIT_WIDTH_1), .B_REGISTER(READ_MODE)
  ) ram (
    .a_clock(CLKA), .a_enable(CEA && BLKSELA == BLK_SEL_0), .a_register_enable(1'b0), .a_write(1'b1), .a_reset(RESETA),
    .a_bytes(ADA[3:0]), .a_address(ADA), .a_in(DI), .a_out(),
    .b_clock(CLKB), .b_enable(CEB && BLKSELB == BLK_SEL_1), .b_register_enable(OCE), .b_write(1'b0), .b_reset(RESETB),
    .b_bytes(4'd0), .b_address(ADB), .b_in(36'd0), .b_out(out)
  );
endmodule

module SDPX9B (
  input CLKA, CEA, RESETA, CLKB, CEB, OCE, RESETB, input [2:0] BLKSELA, BLKSELB, input [13:0] ADA, ADB,
  input [35:0] DI, output [35:0] DO
);
  parameter READ_MODE = 0, BIT_WIDTH_0 = 36, BIT_WIDTH_1 = 36, RESET_MODE = "SYNC";
  parameter [2:0] BLK_SEL_0 = 0, BLK_SEL_1 = 0;
  parameter [287:0] `ROWS;
  wire [35:0] out;
  assign DO = out;
  block_ram #(
    .BYTE(9), .PITCH(18), .INIT({`ALL_ROWS}), .A_WIDTH(BIT_WIDTH_0), .B_WIDTH(BIT_WIDTH_1), .B_REGISTER(READ_MODE)
  ) ram (
    .a_clock(CLKA), .a_enable(CEA && BLKSELA == BLK_SEL_0), .a_register_enable(1'b0), .a_write(1'b1), .a_reset(RESETA),
    .a_bytes(ADA[3:0]), .a_address(ADA), .a_in(DI), .a_out(),
    .b_clock(CLKB), .b_enable(CEB && BLKSELB == BLK_SEL_1), .b_register_enable(OCE), .b_write(1'b0), .b_reset(RESETB),
    .b_bytes(4'd0), .b_address(ADB), .b_in(36'd0), .b_out(out)
  );
endmodule

module DPB (
  input CLKA, CEA, OCEA, RESETA, WREA, CLKB, CEB, OCEB, RESETB, WREB, input [2:0] BLKSELA, BLKSELB,
  input [13:0] ADA, ADB, input [15:0] DIA, DIB, output [15:0] DOA, DOB
);
  parameter READ_MODE0 = 0, READ_MODE1 = 0, WRITE_MODE0 = 0, WRITE_MODE1 = 0, BIT_WIDTH_0 = 16, BIT_WIDTH_1 = 16;
  parameter RESET_MODE = "SYNC";
  parameter [2:0] BLK_SEL_0 = 0, BLK_SEL_1 = 0;
  parameter [255:0] `ROWS;
  wire [35:0] a_out, b_out;
  assign DOA = a_out, DOB = b_out;
  block_ram #(
    .BYTE(8), .PITCH(16), .INIT({`ALL_ROWS}),
    .A_WIDTH(BIT_WIDTH_0), .A_WRITE_MODE(WRITE_MODE0), .A_REGISTER(READ_MODE0),
    .B_WIDTH(BIT_WIDTH_1), .B_WRITE_MODE(WRITE_MODE1), .B_REGISTER(READ_MODE1)
  ) ram (
    .a_clock(CLKA), .a_enable(CEA && BLKSELA == BLK_SEL_0), .a_register_enable(OCEA), .a_write(WREA), .a_reset(RESETA),
    .a_bytes(ADA[3:0]), .a_address(ADA), .a_in(DIA), .a_out(a_out),
    .b_clock(CLKB), .b_enable(CEB && BLKSELB == BLK_SEL_1), .b_register_enable(OCEB), .b_write(WREB), .b_reset(RESETB),
    .b_bytes(ADB[3:0]), .b_address(ADB), .b_in(DIB), .b_out(b_out)
  );
endmodule

module DPX9B (
  input CLKA, CEA, OCEA, RESETA, WREA, CLKB, CEB, OCEB, RESETB, WREB, input [2:0] BLKSELA, BLKSELB,
  input [13:0] ADA, ADB, input [17:0] DIA, DIB, output [17:0] DOA, DOB
);
  parameter READ_MODE0 = 0, READ_MODE1 = 0, WRITE_MODE0 = 0, WRITE_MODE1 = 0, BIT_WIDTH_0 = 18, BIT_WIDTH_1 = 18;
  parameter RESET_MODE = "SYNC";
  parameter [2:0] BLK_SEL_0 = 0, BLK_SEL_1 = 0;
  parameter [287:0] `ROWS;
  wire [35:0] a_out, b_out;
  assign DOA = a_out, DOB = b_out;
  block_ram #(
    .BYTE(9), .PITCH(18), .INIT({`ALL_ROWS}),
    .A_WIDTH(BIT_WIDTH_0), .A_WRITE_MODE(WRITE_MODE0), .A_REGISTER(READ_MODE0),
    .B_WIDTH(BIT_WIDTH_1), .B_WRITE_MODE(WRITE_MODE1), .B_REGISTER(READ_MODE1)
  ) ram (
    .a_clock(CLKA), .a_enable(CEA && BLKSELA == BLK_SEL_0), .a_register_enable(OCEA), .a_write(WREA), .a_reset(RESETA),
    .a_bytes(ADA[3:0]), .a_address(ADA), .a_in(DIA), .a_out(a_out),
    .b_clock(CLKB), .b_enable(CEB && BLKSELB == BLK_SEL_1), .b_register_enable(OCEB), .b_write(WREB), .b_reset(RESETB),
    .b_bytes(ADB[3:0]), .b_address(ADB), .b_in(DIB), .b_out(b_out)
  );
endmodule

// A carry cell. Place and route adds cells that begin a chain with 0 (C2L) or 1 (ONE2C), that end it and hand the carry
// on as a sum (C2L), or that begin it with a signal (by a raw table); and gives cells with a constant input a table of
// their own. Where I2 is 1 the raw table tells whether a carry passes, its lowest quarter what leaves where none does.
module ALU (input I0, I1, I2, I3, CIN, output SUM, COUT);
  parameter ALU_MODE = 0;
  parameter [15:0] RAW_ALU_LUT = 0;
  parameter CIN_NETTYPE = "";
  localparam CHAIN_END = ALU_MODE == "C2L" || ALU_MODE == "ONE2C";
  wire passes = CHAIN_END ? 1'b0 : RAW_ALU_LUT != 0 ? RAW_ALU_LUT[{I3, 1'b1, I1, I0}] :
    ALU_MODE == 0 ? I0 ^ I1 : ALU_MODE == 1 ? ~(I0 ^ I1) : ALU_MODE == 2 ? ~(I0 ^ I1 ^ I3) :
    ALU_MODE == 3 ? ~(I0 ^ I1) : ALU_MODE == 4 ? ~(I0 ^ I1) : ALU_MODE == 5 ? ~(I0 ^ I1) : 1'b0;
  wire makes = ALU_MODE == "C2L" ? 1'b0 : ALU_MODE == "ONE2C" ? 1'b1 : RAW_ALU_LUT != 0 ? RAW_ALU_LUT[{2'b00, I1, I0}] :
    ALU_MODE == 3 ? 1'b1 : ALU_MODE == 5 ? I1 : I0;
  assign SUM = passes ^ CIN;
  assign COUT = passes ? CIN : makes;
  initial begin
    if (!(CHAIN_END || RAW_ALU_LUT != 0 || ALU_MODE <= 5)) $fatal(1, "ALU in mode %0d", ALU_MODE);
    if (CIN_NETTYPE != "" && CIN_NETTYPE != "LOGIC") $fatal(1, "ALU with its carry from %s", CIN_NETTYPE);
  end
endmodule

module BUFG (input I, output O);
  assign O = I;
endmodule

module GOWIN_GND (output G);
  assign G = 1'b0;
endmodule

module GOWIN_VCC (output V);
  assign V = 1'b1;
endmodule
