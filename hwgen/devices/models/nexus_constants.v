// Cells that make constants become constants again, so that one of each kind can be made for the whole: the
// place-and-route program takes no more, and mapping in parts leaves one for each part.
module VHI(output Z);
  assign Z = 1'b1;
endmodule
module VLO(output Z);
  assign Z = 1'b0;
endmodule
