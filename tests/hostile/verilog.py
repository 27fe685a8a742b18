"""Verilog of hostile networks, in both simulators: ``python -m tests.hostile.verilog COUNT``."""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx

import hwgen
from hwgen.arrays.codec import input_codes, input_frames
from hwgen.build_folder.open import Accelerator
from hwgen.errors import HwgenError
from hwgen.sim.record import Stimulus
from tests.hostile.attention import attending
from tests.hostile.networks import Hostile, hostile
from tests.icarus import PowerUp, play
from tests.random_networks import seeded_plan
from tests.verilator import played

__all__ = ["built", "differs_in_icarus", "differs_in_verilator"]

FRAMES = 4
"""Back to back, of which the first two are the corners: all lowest and all highest."""

SLOWEST = 2_000
"""Cycles of a frame in networks that are simulated."""


def built(
    seed: int, folder: Path, network_of: Callable[[int], Hostile] = hostile
) -> tuple[Accelerator, tuple[np.ndarray, ...]] | None:
    """Build the network of a seed, folded at random, and give it with the codes of its frames; None if it is refused, or slow."""
    case = network_of(seed)
    onnx.save(case.model, folder / "model.onnx")
    try:
        network = hwgen.read(folder / "model.onnx", **case.options)
        codes = input_codes(network, {name: x[:FRAMES] for name, x in case.frames.items()})
        accelerator = hwgen.build(seeded_plan(network, seed), folder / "build")
    except HwgenError:
        return None
    return None if accelerator.pipeline.predict(FRAMES).ii > SLOWEST else (accelerator, codes)


def differs_in_verilator(accelerator: Accelerator, codes: tuple[np.ndarray, ...]) -> str:
    """Simulate at full rate, every beat at its predicted cycle, then with resets and with pauses in bursts; give what differs."""
    frames = {port.name: input_frames(port, x) for port, x in zip(accelerator.network.inputs, codes, strict=True)}
    result = played(accelerator, frames, stall=True)
    return "" if result.exact else f"{result.mismatches} values, {result.beats_off_schedule} beats off"


def differs_in_icarus(accelerator: Accelerator, codes: tuple[np.ndarray, ...]) -> str:
    """Play with a reset and without, from X, at full rate and with pauses; give what differs."""
    pipeline = accelerator.pipeline
    beats = pipeline.sink.pack(accelerator.network.golden_maps(*codes))
    ends = np.arange(1, len(beats) + 1) % pipeline.sink.count == 0
    due = [f"{beat[::-1].tobytes().hex()} {int(end)}" for beat, end in zip(beats, ends, strict=True)]
    times = pipeline.predict(FRAMES)
    found = []
    for power_up, stall in zip(PowerUp, (0.3, 0.0, 0.3), strict=True):
        stimulus = Stimulus.of_frames(
            codes, pipeline.source, pipeline.sink, stall=stall, ii=times.ii, latency=times.latency
        )
        given, end = play(accelerator.folder, accelerator.network.name, stimulus, power_up)
        if (given, end) != (due, f"frame_error 0 after {len(stimulus.beats)} beats"):
            found.append(f"{power_up.name}: {end}, {sum(a != b for a, b in zip(given, due, strict=False))} beats")
    return "; ".join(found)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.verilog", description=__doc__)
    parser.add_argument("count", type=int, help="how many networks")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--icarus-only", action="store_true", help="leave Verilator out, whose builds take seconds")
    parser.add_argument("--attention", action="store_true", help="networks of attention")
    options = parser.parse_args()
    seed, played, faults = options.first, 0, Counter[str]()
    while played < options.count:
        with tempfile.TemporaryDirectory() as folder:
            found = built(seed, Path(folder), attending if options.attention else hostile)
            if found is not None:
                played += 1
                for engine in (differs_in_icarus, differs_in_verilator)[: 2 - options.icarus_only]:
                    said = engine(*found)
                    faults[engine.__name__] += bool(said)
                    if said:
                        print(f"{seed}: {engine.__name__}: {said}", flush=True)
                if played % 10 == 0:
                    print(f"{played} networks, seeds {options.first} to {seed}: {dict(faults)}", flush=True)
        seed += 1
    print(f"{played} networks: {dict(faults)}")
    return int(any(faults.values()))


if __name__ == "__main__":
    raise SystemExit(main())
