"""The numbers on which writer and boot loader of a memory image agree; docs/registers.md explains them."""

__all__ = ["HEADER_WORDS", "MAGIC"]

MAGIC = int.from_bytes(b"HWL1", "little")
"""First word: an image of this version."""

HEADER_WORDS = 4
"""Magic, network id (low, high), number of words between header and check value."""
