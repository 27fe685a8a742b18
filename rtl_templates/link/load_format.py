"""The numbers on which writer and boot loader of a memory image agree; docs/registers.md explains them."""

__all__ = ["HEADER_WORDS", "MAGIC", "LoadState"]

MAGIC = int.from_bytes(b"HWL1", "little")
"""First word: an image of this version."""

HEADER_WORDS = 4
"""Magic, network id (low, high), number of words between header and check value."""


class LoadState:
    """What bits 15:8 of CONTROL say of the boot loader."""

    ABSENT = 0
    """There is none, or a host has written the register since."""
    LOADING = 1
    LOADED = 2
    NO_FLASH = 4
    """The first word was all ones or all zeros: no flash, or an erased one."""
    NO_IMAGE = 5
    OTHER_NETWORK = 6
    DAMAGED = 7
    """Wrong length, address or CRC-32."""
    FAILED_BIT = 2
