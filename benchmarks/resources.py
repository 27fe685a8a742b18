"""Map the sample of layers to every family and keep what they take: the ground that the resource model stands on.

``python -m benchmarks.resources`` maps what ``resources.json`` beside this file does not hold yet (an hour on one core for all of it);
``python -m benchmarks.resources ice40 dense`` maps again what has these words in its name.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.layer_kinds import Sample
from benchmarks.layer_samples import SAMPLES, UNSEEN
from hwgen.devices.boards import find_device
from hwgen.devices.family import Device
from hwgen.synthesis import recipe
from hwgen.tools.toolchain import yosys
from hwgen.verilog.write import convert

RECORD = Path(__file__).with_suffix(".json")

DEVICES = ("up5k", "ecp5-25", "gw1nr-9", "lifcl-40", "ccgm1a1", "xc7a35t")
"""One device of each family."""

TOGETHER = 10
"""Samples mapped in one run of Yosys, which takes seconds to begin."""

Row = dict[str, Any]

_MEMORY = r"(?:mapping|using FF mapping for) memory (\w+)\.(\S+)(?: via \$__(\w+?)_? *$)?"
"""What Yosys says of each memory: its module, its name, and the cell that it goes to."""


@dataclass(frozen=True)
class Library:
    """Memory cells of a family, as its recipe names them, and what they become before their contents are filled in.

    Parameters
    ----------
    files : str
    cells : str
        Of block RAM.
    bits : int
        Contents of one.
    """

    files: str
    cells: str
    bits: int


LIBRARIES = {
    "ice40": Library("-lib +/ice40/brams.txt -lib +/ice40/spram.txt -no-auto-huge", "t:$__ICE40_RAM4K_", 4096),
    "ecp5": Library(
        "-lib +/lattice/lutrams_trellis.txt -lib +/lattice/brams_16kd.txt", "t:$__DP16KD_ t:$__PDPW16KD_", 18432
    ),
    "gowin": Library(
        "-lib +/gowin/lutrams.txt -lib +/gowin/brams.txt", "t:$__GOWIN_SP_ t:$__GOWIN_DP_ t:$__GOWIN_SDP_", 18432
    ),
    "nexus": Library(
        "-lib +/lattice/lutrams_nexus.txt -lib +/lattice/lrams_nexus.txt -lib +/lattice/brams_nexus.txt -no-auto-huge",
        "t:$__NX_DP16K_ t:$__NX_PDP16K_",
        18432,
    ),
    "gatemate": Library("-lib +/gatemate/brams.txt", "t:$__CC_BRAM_TDP_ t:$__CC_BRAM_SDP_", 81920),
}


def _map(device: Device) -> list[str]:
    """Give the recipe's commands, cut where block RAMs are filled: their contents take a second each and change no count."""
    library = LIBRARIES.get(device.family.name)
    if library is None:
        return recipe.mapping(device, "top")
    empty = f"setparam -set INIT {library.bits}'h0 {library.cells}"
    return recipe.mapping(device, "top", [f"memory_libmap {library.files}", empty])


def measure(samples: Sequence[Sample], device: Device) -> list[Row]:
    """Map stages, each a module of its own, with the recipe of `hwgen synth`, and count their cells."""
    names = {f"sample{number}": sample for number, sample in enumerate(samples)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for module, sample in names.items():
            source = convert(sample.stage.component(), module)
            (folder / f"{module}.v").write_text(source.text)
            for file, text in source.memories.items():
                (folder / file).write_text(text)
        instances = "".join(f"(* keep *) {module} i_{module} ();\n" for module in names)
        (folder / "top.v").write_text(f"module top;\n{instances}endmodule\n")
        commands = [
            *(f"read_verilog {module}.v" for module in [*names, "top"]),
            *(f"setattr -mod -set keep_hierarchy 1 {module}" for module in names),
            "scratchpad -set abc9.verify false",
            "scratchpad -set abc9.nomfs true",
            *_map(device),
            "tee -q -o cells.json stat -json",
        ]
        yosys(commands, folder, folder / "yosys.log")
        log = (folder / "yosys.log").read_text()
        modules = json.loads((folder / "cells.json").read_text())["modules"]
    rows = []
    for module, sample in names.items():
        cells = modules[f"\\{module}"]["num_cells_by_type"]
        taken = {name: amount for name, amount in asdict(recipe.count(device.family, cells)).items() if amount}
        memories = {
            name: kind or "flip-flops"
            for where, name, kind in re.findall(_MEMORY, log, re.MULTILINE)
            if where == module
        }
        rows.append({"sample": sample.name, "family": device.family.name, **taken, "memories": memories})
    return rows


def load() -> dict[tuple[str, str], Row]:
    """Give the kept rows by sample and family."""
    rows = json.loads(RECORD.read_text())["rows"] if RECORD.exists() else []
    return {(row["sample"], row["family"]): row for row in rows}


def save(rows: dict[tuple[str, str], Row]) -> None:
    """Keep rows in the order of the samples."""
    families = [find_device(name).family.name for name in DEVICES]
    ordered = [
        rows[key] for family in families for sample in (*SAMPLES, *UNSEEN) if (key := (sample.name, family)) in rows
    ]
    lines = ",\n".join(json.dumps(row) for row in ordered)
    RECORD.write_text(f'{{"yosys": "{version("pyosys")}", "rows": [\n{lines}\n]}}\n', encoding="utf-8")


def main(words: list[str]) -> None:
    rows = load()
    # Every other sample first: with half of them the model can be fitted.
    for samples, device in product((SAMPLES[::2], SAMPLES[1::2], UNSEEN), map(find_device, DEVICES)):
        family = device.family.name
        wanted = [
            sample
            for sample in samples
            if (words and all(word in f"{family} {sample.name}" for word in words))
            or (not words and (sample.name, family) not in rows)
        ]
        for first in range(0, len(wanted), TOGETHER):
            began = time.perf_counter()
            measured = measure(wanted[first : first + TOGETHER], device)
            rows |= {(row["sample"], family): row for row in measured}
            save(rows)
            print(
                f"{family}: {first + len(measured)} of {len(wanted)}, {time.perf_counter() - began:.0f} s", flush=True
            )


if __name__ == "__main__":
    main(sys.argv[1:])
