"""Parametrised Amaranth components: they know ints and bits, never layers, files or boards."""
