"""Registers and writable memories, and the buses to them."""
