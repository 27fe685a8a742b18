"""What is written into an accelerator's memories, as a file that a host or a boot loader reads.

All numbers are 32-bit words, the lowest byte first; docs/registers.md has the format.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hwgen.errors import BuildError
from hwgen.fold import MemoryStyle
from hwgen.pipeline.address_map import AddressMap
from hwgen.plan import Plan
from hwgen.rtl_templates.link.load_format import HEADER_WORDS, MAGIC
from hwgen.rtl_templates.registers.register_bus import STROBES
from hwgen.rtl_templates.registers.registers import Register

__all__ = ["FILE", "LOADED", "as_writes", "current_image", "load_image", "writes_of"]

FILE = "load.bin"
"""Its name in a build folder."""

LOADED = "loaded"
"""Folder within a build folder of the network that was loaded last, if it is not the build's own."""


def load_image(address_map: AddressMap, loaded_id: int) -> bytes:
    """Give the image that writes every writable memory, and then the identity of what was loaded.

    Parameters
    ----------
    address_map : AddressMap
        Its network id is that of the hardware; the contents are what is written.
    loaded_id : int
        Identity of the network that the contents belong to.
    """
    words: list[int] = []
    for region in address_map.regions:
        image = region.contents.image()
        words += [region.base * STROBES, len(image), *image]
    words += [Register.LOADED_ID * STROBES, 2, *_halves(loaded_id)]
    header = [MAGIC, *_halves(address_map.network_id), len(words)]
    data = np.array([*header, *words], dtype="<u4").tobytes()
    return data + zlib.crc32(data).to_bytes(STROBES, "little")


def as_writes(image: bytes, source: str | Path) -> np.ndarray:
    """Give the writes of an image in order, the last of which lets frames in: int64 (words, 2), byte address and word."""
    run = Register.CONTROL * STROBES
    pairs = [(run, 0)]
    for address, words in writes_of(image, source):
        pairs += [(address + STROBES * place, int(word)) for place, word in enumerate(words)]
    return np.array([*pairs, (run, 1)], dtype=np.int64)


def current_image(folder: Path, plan: Plan) -> bytes | None:
    """Give the image that a build's memories need before its first frame: that of a reload, or of memories that start with nothing."""
    for path, needed in (
        (folder / LOADED / FILE, True),
        (folder / FILE, any(fold.memory is MemoryStyle.SPRAM for fold in plan.folds.values())),
    ):
        if needed and path.exists():
            return path.read_bytes()
    return None


def writes_of(image: bytes, source: str | Path) -> Iterator[tuple[int, np.ndarray]]:
    """Give the byte address and the words of each segment of an image.

    Parameters
    ----------
    image : bytes
    source : str or Path
        What errors call it.

    Raises
    ------
    BuildError
        If it is no image, or damaged.
    """
    words = np.frombuffer(image[: len(image) // STROBES * STROBES], dtype="<u4")
    if len(words) <= HEADER_WORDS or words[0] != MAGIC or len(words) != HEADER_WORDS + int(words[3]) + 1:
        raise BuildError(f"'{source}' is no image of memories; compile or reload again")
    if zlib.crc32(image[:-STROBES]) != int(words[-1]):
        raise BuildError(f"'{source}' is damaged: its CRC-32 is wrong; compile or reload again")
    place = HEADER_WORDS
    while place < len(words) - 1:
        count = int(words[place + 1])
        yield int(words[place]), words[place + 2 : place + 2 + count]
        place += 2 + count


def _halves(number: int) -> tuple[int, int]:
    return number & 0xFFFFFFFF, number >> 32
