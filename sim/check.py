"""Simulate a build folder's Verilog, and hold every value and every cycle to what was predicted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.arrays import codec
from hwgen.arrays.expected import by_output, correct_labels, distances, is_labels
from hwgen.errors import OptionError
from hwgen.golden.network import PackedNetwork
from hwgen.golden.reach import products
from hwgen.golden.sensitivity import Effort, Seen, choose_frames
from hwgen.pipeline.layout import Pipeline
from hwgen.pipeline.memory_image import as_writes, current_image
from hwgen.progress import Progress
from hwgen.sim.record import Stimulus, Trace, reset_cycles
from hwgen.sim.run import run_cocotb, run_icarus, run_verilator
from hwgen.sim.transfers import Transfers
from hwgen.tools.toolchain import Toolchain

__all__ = ["Engine", "Simulation", "simulate"]

STALL = 0.3
"""Share of cycles in which each side pauses between bursts when stalls are asked for."""


class Engine(Enum):
    """What runs the Verilog."""

    VERILATOR = "verilator"
    """A C++ driver on Verilator: whole data sets."""
    COCOTB = "cocotb"
    """A cocotb bench on Verilator: every handshake in Python."""
    ICARUS = "icarus"
    """The same bench on Icarus Verilog."""


@dataclass(frozen=True, eq=False)
class Simulation:
    """What came out, and how it compares.

    Parameters
    ----------
    outputs : ndarray, shape (frames, *output shape of the ONNX model), or dict of str to ndarray
        In the model's own units; of several outputs each by its name. With stalls those of the run with pauses; all cycles are those of the run without.
    codes : ndarray of int64, same shape, or dict of str to ndarray
        Raw integers.
    frames : int
    mismatches : int
        Frames of which an output beat differs from the golden model's, in any run or between resets.
    mismatches_by_output : dict of str to int
        Frames of which the output of that name differs.
    expected_mismatches : int or None
        Frames of which an output differs from the expected one; None if no outputs were expected.
    correct : int or None
        Frames that have the expected label; None if no labels were given.
    cycles_total : int
        From the first input beat to the last output beat.
    ii_predicted, ii_measured : int or None
        Cycles between the last two frames; measured is None for a single frame.
    latency_predicted, latency_measured : int
        Cycles from the first input beat to the last output beat of the first frame.
    beats_off_schedule : int
        Output beats in another cycle than predicted.
    engine : Engine
    clock_hz : float
    expected_off : float or None
        How far an output is from the expected one at most, in the model's units or in codes, as it was expected; None if no outputs were.
    seen : Seen or None
        What the frames can tell where they were chosen for it; None for frames of the user's.
    """

    outputs: codec.Outputs
    codes: codec.Outputs
    frames: int
    mismatches: int
    mismatches_by_output: dict[str, int]
    expected_mismatches: int | None
    correct: int | None
    cycles_total: int
    ii_predicted: int
    ii_measured: int | None
    latency_predicted: int
    latency_measured: int
    beats_off_schedule: int
    engine: Engine
    clock_hz: float
    expected_off: float | None = None
    seen: Seen | None = None

    @property
    def exact(self) -> bool:
        """Whether no value and no cycle differs."""
        return not (self.mismatches or self.expected_mismatches or self.beats_off_schedule)

    @property
    def accuracy(self) -> float | None:
        """Share of frames that have the expected label; None without labels."""
        return None if self.correct is None else self.correct / self.frames

    @property
    def frames_per_second_at_clock(self) -> float:
        """Frames a second at the plan's clock, by the measured interval where there is one."""
        return self.clock_hz / (self.ii_measured or self.ii_predicted)

    def facts(self) -> dict[str, Any]:
        """Give everything but the arrays, as JSON types."""
        names = (
            "frames",
            "mismatches",
            "mismatches_by_output",
            "expected_mismatches",
            "expected_off",
            "correct",
            "accuracy",
            "cycles_total",
            "ii_predicted",
            "ii_measured",
            "latency_predicted",
            "latency_measured",
            "beats_off_schedule",
        )
        return {
            **{name: getattr(self, name) for name in names},
            "seen": None if self.seen is None else self.seen.facts(),
            "engine": self.engine.value,
            "frames_per_second_at_clock": self.frames_per_second_at_clock,
        }


BESIDE = {Engine.VERILATOR: 1 << 16, Engine.COCOTB: 1 << 12, Engine.ICARUS: 1 << 12}
"""Cycles that random frames may take beside the chosen ones."""

BESIDE_PRODUCTS = 1 << 27
"""Products that they may take."""

MOST_BESIDE = 1024
"""Such frames, at most."""

CHANGES, PRODUCTS = 128, 1 << 32
"""What is tried for the choice: see `hwgen.golden.sensitivity.Effort`."""

MOST_CHOSEN = 100_000
"""Frames that are chosen where the user gives none."""


def effort(frames: int | None, pipeline: Pipeline, engine: Engine) -> Effort:
    """Give what is tried for the frames of a simulation without any of the user's: as many as are asked for, or up to 96 and random ones beside them."""
    if frames is not None and frames > MOST_CHOSEN:
        raise OptionError(
            f"At most {MOST_CHOSEN:,} frames are chosen for a simulation, not {frames:,}; give frames of your own with --input"
        )
    if frames is not None:
        return Effort(frames, frames, CHANGES, PRODUCTS)
    beside = min(
        BESIDE[engine] // pipeline.predict(2).ii, BESIDE_PRODUCTS // products(pipeline.plan.network), MOST_BESIDE
    )
    return Effort(8, 96, CHANGES, PRODUCTS, beside)


def simulate(
    pipeline: Pipeline,
    folder: Path,
    x: codec.Inputs | None,
    *,
    expected: codec.Outputs | None,
    frames: int | None,
    engine: Engine,
    stall: bool,
    waves: Path | None,
    progress: Progress,
    compiler_flags: Sequence[str] = (),
    seed: int = 1,
) -> Simulation:
    """Do what `hwgen.Accelerator.simulate` says; ``compiler_flags`` are further ones for the simulator's C++ compiler, ``seed`` is that of the pauses."""
    plan, network = pipeline.plan, pipeline.plan.network
    seen: Seen | None = None
    if x is None:
        progress("choosing frames so that weights matter")
        chosen = choose_frames(network, effort(frames, pipeline, engine))
        codes, seen = chosen.codes, chosen.seen
    else:
        codes = codec.input_codes(network, x)
    wanted = {} if expected is None else by_output(network, expected, len(codes[0]))
    codes = tuple(one[:frames] for one in codes)
    count = len(codes[0])
    wanted = {name: array[:frames] for name, array in wanted.items()}
    toolchain = Toolchain.find()

    progress("predicting every beat")
    schedule = pipeline.predict(count)
    due = schedule.output_cycles(count)
    progress("running the golden model")
    golden = PackedNetwork(network).golden_maps(*codes)

    source, sink = pipeline.source, pipeline.sink
    transfers = Transfers(sink.pack(golden), due, sink.count)
    image = current_image(folder, plan)
    writes = None if image is None else as_writes(image, folder)
    stimulus = Stimulus.of_frames(
        codes, source, sink, ii=schedule.ii, latency=schedule.latency, seed=seed, writes=writes
    )
    play = _player(engine, folder, network.name, toolchain, waves, progress, compiler_flags, cycles=int(due[-1]))
    progress(f"simulating {count} frames, {int(due[-1]) + 1} cycles")
    traces = [play(stimulus)]
    if stall:
        resets = reset_cycles(schedule.ii, schedule.latency, int(due[-1]))
        progress(f"simulating them with {len(resets)} resets, then with pauses")
        traces.append(play(replace(stimulus, stall_in=STALL, stall_out=STALL, resets=resets)))

    progress("comparing")
    # Whoever asks for pauses is interested in what comes of them.
    got = sink.unpack(traces[-1].out_beats[: len(due)])
    cycles = traces[0].out_cycles[: len(due)].reshape(count, sink.count)
    differs = [np.zeros(count, bool) for _ in network.outputs]
    for trace in traces:
        maps = sink.unpack(trace.out_beats[: len(due)])
        for found, one, wanted_map in zip(differs, maps, golden, strict=True):
            found |= np.any((one != wanted_map).reshape(count, -1), axis=1)
    wrong = np.any([transfers.wrong_frames(trace) for trace in traces], axis=0)
    # A beat too many belongs to no frame: it counts as one more.
    mismatches = int(np.sum(wrong)) + int(any(transfers.has_surplus(trace) for trace in traces))
    single = len(network.outputs) == 1
    labels = {name: array for name, array in wanted.items() if single and is_labels(array)}
    compared = [
        distances(network, maps, wanted[port.name], port)
        for port, maps in zip(network.outputs, got, strict=True)
        if port.name in wanted and port.name not in labels
    ]
    outputs = codec.outputs_of(network, got)
    return Simulation(
        outputs=outputs,
        codes=codec.outputs_of(network, got, codes=True),
        frames=count,
        mismatches=mismatches,
        mismatches_by_output={port.name: int(np.sum(one)) for port, one in zip(network.outputs, differs, strict=True)},
        expected_mismatches=int(np.any([wrong for wrong, _ in compared], axis=0).sum()) if compared else None,
        expected_off=max(off for _, off in compared) if compared else None,
        correct=None if isinstance(outputs, dict) or not labels else correct_labels(outputs, *labels.values()),
        cycles_total=int(cycles[-1, -1]) + 1,
        ii_predicted=schedule.ii,
        ii_measured=None if count < 2 else int(cycles[-1, -1] - cycles[-2, -1]),
        latency_predicted=schedule.latency,
        latency_measured=int(cycles[0, -1]),
        beats_off_schedule=sum(transfers.off_schedule(trace, paused=number > 0) for number, trace in enumerate(traces)),
        engine=engine,
        clock_hz=plan.clock_hz,
        seen=seen,
    )


def _player(
    engine: Engine,
    folder: Path,
    name: str,
    toolchain: Toolchain,
    waves: Path | None,
    progress: Progress,
    flags: Sequence[str],
    *,
    cycles: int,
) -> Callable[[Stimulus], Trace]:
    """Give what plays a stimulus."""
    if engine is not Engine.VERILATOR:
        run = run_cocotb if engine is Engine.COCOTB else run_icarus
        return lambda stimulus: run(folder, name, stimulus, toolchain, waves=waves, progress=progress)
    return lambda stimulus: run_verilator(
        folder, name, stimulus, toolchain, cycles=cycles, waves=waves, progress=progress, flags=flags
    )
