"""From an Amaranth component to Verilog text."""
