"""What identifies an accelerator to its host."""

from __future__ import annotations

import hashlib
from importlib import metadata

from hwgen.build_folder import network_file
from hwgen.folding.file import folding_to_json
from hwgen.plan import Plan

__all__ = ["identity"]


def identity(plan: Plan) -> int:
    """Give the 64 bits by which a host knows an accelerator: a hash of its network, its folding and this version of hwgen."""
    parts = (metadata.version("hwgen").encode(), folding_to_json(plan).encode(), network_file.digest(plan.network))
    return int.from_bytes(hashlib.sha256(b"\0".join(parts)).digest()[:8], "little")
