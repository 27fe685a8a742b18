"""Run the benchmarks that take minutes, each in a process of its own; `benchmarks.boards` takes longer and stands apart."""

from __future__ import annotations

import os
import subprocess
import sys

NAMES = ("packed_golden", "speed", "simulators", "mvtu_luts", "lane_luts", "layer_luts", "products")


def main() -> None:
    one_core = {**os.environ, "OMP_NUM_THREADS": "1"}
    for name in NAMES:
        print(f"benchmarks.{name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], env=one_core, check=True)


if __name__ == "__main__":
    main()
