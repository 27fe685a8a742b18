// The block RAM of ECP5 and Gowin: 2048 bytes of 8 or 9 bits behind two ports, each of its own width.
//
// A port of 1, 2 or 4 bits sees the lowest 8 bits of each byte; wider ones take 1, 2 or 4 bytes, and write those that
// "enable" names. An address counts single bits; the lowest address bits of a wide port are not looked at.
// WRITE_MODE says what a port reads in the cycle in which it writes: 0 what it read before, 1 the new word, 2 the old
// one. A word that one port reads while the other writes it is not defined in the device: here it comes out inverted,
// so that whoever relies on it is found out. Whatever no flow of ours uses ends the simulation.
module block_ram #(
  parameter BYTE = 9,
  parameter A_WIDTH = 9, parameter A_WRITE_MODE = 0, parameter A_REGISTER = 0,
  parameter B_WIDTH = 9, parameter B_WRITE_MODE = 0, parameter B_REGISTER = 0,
  parameter PITCH = 18,  // bits of INIT from one pair of bytes to the next
  parameter [1024 * PITCH - 1:0] INIT = 0
) (
  input a_clock, input a_enable, input a_register_enable, input a_write, input a_reset,
  input [3:0] a_bytes, input [13:0] a_address, input [35:0] a_in, output [35:0] a_out,
  input b_clock, input b_enable, input b_register_enable, input b_write, input b_reset,
  input [3:0] b_bytes, input [13:0] b_address, input [35:0] b_in, output [35:0] b_out
);
  localparam A_COUNT = A_WIDTH / BYTE, B_COUNT = B_WIDTH / BYTE;  // whole bytes; 0 for a part of one
  reg [BYTE-1:0] bytes [0:2047];
  reg [35:0] a_word = 0, a_registered = 0, b_word = 0, b_registered = 0;
  reg [35:0] a_old, a_new, b_old, b_new;
  integer n, a, b;

  initial begin
    for (n = 0; n < 2048; n = n + 1) bytes[n] = INIT[n / 2 * PITCH + n % 2 * BYTE +: BYTE];
    if (BYTE != 8 && BYTE != 9) $fatal(1, "block RAM with bytes of %0d bits", BYTE);
    if (A_COUNT * BYTE != A_WIDTH && !(A_WIDTH == 1 || A_WIDTH == 2 || A_WIDTH == 4) || A_COUNT == 3)
      $fatal(1, "block RAM with a port of %0d bits", A_WIDTH);
    if (B_COUNT * BYTE != B_WIDTH && !(B_WIDTH == 1 || B_WIDTH == 2 || B_WIDTH == 4) || B_COUNT == 3)
      $fatal(1, "block RAM with a port of %0d bits", B_WIDTH);
  end

  // The first byte of the word at an address, and the first bit in it.
  function [10:0] first_byte(input [13:0] address, input integer count);
    first_byte = count == 4 ? {address[13:5], 2'b00} : count == 2 ? {address[13:4], 1'b0} : address[13:3];
  endfunction
  function [2:0] first_bit(input [13:0] address, input integer width);
    first_bit = width == 1 ? address[2:0] : width == 2 ? {address[2:1], 1'b0} : width == 4 ? {address[2], 2'b00} : 3'd0;
  endfunction
  wire [10:0] a_byte = first_byte(a_address, A_COUNT), b_byte = first_byte(b_address, B_COUNT);
  wire [2:0] a_bit = first_bit(a_address, A_WIDTH), b_bit = first_bit(b_address, B_WIDTH);
  wire [3:0] a_chosen = A_COUNT > 1 ? a_bytes : 4'd1, b_chosen = B_COUNT > 1 ? b_bytes : 4'd1;
  wire a_writes = a_enable && a_write && a_chosen != 0, b_writes = b_enable && b_write && b_chosen != 0;
  // The ports meet where the larger word holds the smaller one.
  localparam WIDTH = A_WIDTH > B_WIDTH ? A_WIDTH : B_WIDTH, COUNT = WIDTH / BYTE;
  wire meet = COUNT > 0 ? first_byte(a_address, COUNT) == first_byte(b_address, COUNT) :
    {a_address[13:3], first_bit(a_address, WIDTH)} == {b_address[13:3], first_bit(b_address, WIDTH)};

  always @* begin
    a_old = 0;
    for (a = 0; a < A_COUNT; a = a + 1) a_old[BYTE * a +: BYTE] = bytes[a_byte + a];
    if (A_COUNT == 0) a_old = bytes[a_byte] >> a_bit & (36'd1 << A_WIDTH) - 1;
    a_new = a_in & (37'd1 << A_WIDTH) - 1;
    for (a = 0; a < A_COUNT; a = a + 1) if (!a_chosen[a]) a_new[BYTE * a +: BYTE] = a_old[BYTE * a +: BYTE];
    b_old = 0;
    for (b = 0; b < B_COUNT; b = b + 1) b_old[BYTE * b +: BYTE] = bytes[b_byte + b];
    if (B_COUNT == 0) b_old = bytes[b_byte] >> b_bit & (36'd1 << B_WIDTH) - 1;
    b_new = b_in & (37'd1 << B_WIDTH) - 1;
    for (b = 0; b < B_COUNT; b = b + 1) if (!b_chosen[b]) b_new[BYTE * b +: BYTE] = b_old[BYTE * b +: BYTE];
  end

  integer a_at, b_at;
  always @(posedge a_clock) begin
    if (a_reset) $fatal(1, "block RAM with a reset of its output");
    if (a_writes) begin
      for (a_at = 0; a_at < A_COUNT; a_at = a_at + 1)
        if (a_chosen[a_at]) bytes[a_byte + a_at] <= a_in[BYTE * a_at +: BYTE];
      if (A_COUNT == 0) bytes[a_byte] <= bytes[a_byte] & ~(((1 << A_WIDTH) - 1) << a_bit) | a_new << a_bit;
    end
    if (a_enable && !(a_writes && A_WRITE_MODE == 0))
      a_word <= a_writes && A_WRITE_MODE == 1 ? a_new : b_writes && meet ? ~a_old : a_old;
    if (a_register_enable) a_registered <= a_word;
  end
  always @(posedge b_clock) begin
    if (b_reset) $fatal(1, "block RAM with a reset of its output");
    if (a_writes && b_writes && meet) $fatal(1, "block RAM with two writes to one word");
    if (b_writes) begin
      for (b_at = 0; b_at < B_COUNT; b_at = b_at + 1)
        if (b_chosen[b_at]) bytes[b_byte + b_at] <= b_in[BYTE * b_at +: BYTE];
      if (B_COUNT == 0) bytes[b_byte] <= bytes[b_byte] & ~(((1 << B_WIDTH) - 1) << b_bit) | b_new << b_bit;
    end
    if (b_enable && !(b_writes && B_WRITE_MODE == 0))
      b_word <= b_writes && B_WRITE_MODE == 1 ? b_new : a_writes && meet ? ~b_old : b_old;
    if (b_register_enable) b_registered <= b_word;
  end
  assign a_out = A_REGISTER ? a_registered : a_word;
  assign b_out = B_REGISTER ? b_registered : b_word;
endmodule
