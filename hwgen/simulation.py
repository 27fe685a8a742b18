"""Simulate a build folder's Verilog, and hold every value and every cycle to what was predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.table import Table

from hwgen import host
from hwgen.contents import PATIENCE, ports
from hwgen.errors import DataError
from hwgen.load_image import as_writes, current_image
from hwgen.network import Network
from hwgen.packed import PackedNetwork
from hwgen.plan import Plan
from hwgen.progress import Progress
from hwgen.report import predict_plan
from hwgen.sim.record import Stimulus
from hwgen.sim.run import run_cocotb, run_icarus, run_verilator
from hwgen.toolchain import Toolchain

__all__ = ["Engine", "Simulation", "simulate"]

EXPECTED_ROUNDING = 2.0**-16
"""How far, relative to its terms, an expected float output may lie from ``scale * code + offset``: the float32
rounding of whoever computed it; at most a quarter of a step between codes."""


STALL = 0.3
"""Share of cycles in which each side pauses when stalls are asked for."""


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
    outputs : ndarray, shape (frames, *output shape of the ONNX model)
        In the model's own units.
    codes : ndarray of int64, same shape
        Raw integers.
    frames : int
    mismatches : int
        Frames whose output differs from the golden model.
    expected_mismatches : int or None
        Frames whose output differs from the expected one; None if no outputs were expected.
    correct : int or None
        Frames that have the expected label; None if no labels were given.
    cycles_total : int
        From the first input beat to the last output beat.
    ii_predicted, ii_measured : int or None
        Cycles between the last two frames; measured is None for a single frame.
    latency_predicted, latency_measured : int
        Cycles from the first input beat to the last output beat of the first frame.
    beats_off_schedule : int or None
        Output beats in another cycle than predicted; None with stalls.
    engine : Engine
    clock_hz : float
    """

    outputs: np.ndarray
    codes: np.ndarray
    frames: int
    mismatches: int
    expected_mismatches: int | None
    correct: int | None
    cycles_total: int
    ii_predicted: int
    ii_measured: int | None
    latency_predicted: int
    latency_measured: int
    beats_off_schedule: int | None
    engine: Engine
    clock_hz: float

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
            "expected_mismatches",
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
            "engine": self.engine.value,
            "frames_per_second_at_clock": self.frames_per_second_at_clock,
        }

    def render(self) -> RenderableType:
        """Lay the facts out for a terminal."""
        table = Table(title=f"{self.frames:,} frames in {self.engine.value}", title_justify="left", title_style="bold")
        table.add_column("")
        for name in ("predicted", "measured", "differences"):
            table.add_column(name, justify="right")

        def count(number: int | None) -> str:
            return "-" if number is None else f"[{'red' if number else 'green'}]{number:,}[/]"

        def cycles(number: int | None) -> str:
            return "-" if number is None else f"{number:,}"

        table.add_row("frames against golden", "", "", count(self.mismatches))
        if self.expected_mismatches is not None:
            table.add_row("frames against expected", "", "", count(self.expected_mismatches))
        table.add_row("cycle of every output beat", "", "", count(self.beats_off_schedule))
        table.add_row("cycles a frame (II)", cycles(self.ii_predicted), cycles(self.ii_measured), "")
        table.add_row("latency in cycles", cycles(self.latency_predicted), cycles(self.latency_measured), "")
        table.add_row("cycles in all", "", cycles(self.cycles_total), "")
        table.add_row("frames/s at clock", "", f"{self.frames_per_second_at_clock:,.0f}", "")
        if self.accuracy is not None:
            table.add_row("accuracy", "", f"{self.accuracy:.2%}", "")
        return table


def simulate(
    plan: Plan,
    folder: Path,
    x: np.ndarray,
    *,
    expected: np.ndarray | None,
    frames: int | None,
    engine: Engine,
    stall: bool,
    waves: Path | None,
    progress: Progress,
    compiler_flags: Sequence[str] = (),
) -> Simulation:
    """Do what `hwgen.Accelerator.simulate` says; ``compiler_flags`` are further ones for the simulator's C++ compiler."""
    network = plan.network
    codes = host.to_codes(network.input, x)
    if expected is not None:
        check_expected(network, expected, len(codes))
    codes = codes[:frames]
    expected = None if expected is None else expected[:frames]
    toolchain = Toolchain.find()

    progress("predicting every beat")
    schedule = predict_plan(plan, len(codes))
    due = schedule.output_cycles(len(codes))
    progress("running the golden model")
    golden = PackedNetwork(network).golden(codes)

    source, sink = ports(plan)
    patience = 1000 + PATIENCE * (schedule.ii + schedule.latency)
    image = current_image(folder, plan)
    writes = None if image is None else as_writes(image, folder)
    stimulus = Stimulus.of_frames(
        codes, source, sink, stall=STALL if stall else 0.0, timeout_cycles=patience, writes=writes
    )
    progress(f"simulating {len(codes)} frames, {int(due[-1]) + 1} cycles")
    if engine is Engine.VERILATOR:
        trace = run_verilator(
            folder,
            network.name,
            stimulus,
            toolchain,
            cycles=int(due[-1]),
            waves=waves,
            progress=progress,
            flags=compiler_flags,
        )
    elif engine is Engine.COCOTB:
        trace = run_cocotb(folder, network.name, stimulus, toolchain, waves=waves, progress=progress)
    else:
        trace = run_icarus(folder, network.name, stimulus, toolchain, waves=waves, progress=progress)

    progress("comparing")
    got = sink.unpack(trace.out_beats[: len(due)])
    cycles = trace.out_cycles[: len(due)].reshape(len(codes), sink.count)
    extra = len(trace.out_beats) - len(due)
    wrong = np.any((got != golden).reshape(len(codes), -1), axis=1)
    wrong |= np.any(
        trace.out_last[: len(due)].reshape(len(codes), -1) != (np.arange(sink.count) == sink.count - 1), axis=1
    )
    # A beat too many belongs to no frame: it counts as one more.
    mismatches = int(np.sum(wrong)) + int(extra > 0 or trace.frame_error)
    labels = expected is not None and is_labels(expected)
    outputs = host.from_codes(network, got)
    return Simulation(
        outputs=outputs,
        codes=host.unmap(network.output, got),
        frames=len(codes),
        mismatches=mismatches,
        expected_mismatches=None if expected is None or labels else differing_frames(network, got, expected),
        correct=correct_labels(outputs, expected) if expected is not None and labels else None,
        cycles_total=int(cycles[-1, -1]) + 1,
        ii_predicted=schedule.ii,
        ii_measured=None if len(codes) < 2 else int(cycles[-1, -1] - cycles[-2, -1]),
        latency_predicted=schedule.latency,
        latency_measured=int(cycles[0, -1]),
        beats_off_schedule=None if stall else int(np.sum(cycles.ravel() != due)) + extra,
        engine=engine,
        clock_hz=plan.clock_hz,
    )


def is_labels(expected: np.ndarray) -> bool:
    """Whether an expectation is one label a frame."""
    return expected.ndim == 1 and np.issubdtype(expected.dtype, np.integer)


def correct_labels(outputs: np.ndarray, labels: np.ndarray) -> int:
    """Count the frames whose largest output (or only one) is the labelled class; the lowest index wins ties."""
    scores = outputs.reshape(len(outputs), -1)
    classes = scores.argmax(axis=1) if scores.shape[1] > 1 else scores[:, 0]
    return int(np.sum(classes == labels))


def differing_frames(network: Network, codes: np.ndarray, expected: np.ndarray) -> int:
    """Count the frames whose output is not the expected one.

    Parameters
    ----------
    network : Network
    codes : ndarray of int64, shape (frames, height, width, channels)
        What came out.
    expected : ndarray, shape (frames, *network.output.onnx_shape)
        Floats in the model's units, or integer codes.
    """
    port = network.output
    if np.issubdtype(expected.dtype, np.integer):
        wrong = host.unmap(port, codes) != expected
    else:
        values = host.exact_values(network, codes)
        terms = np.abs(port.scale * codes) + np.abs(port.offset) if port.values is None else np.abs(values)
        slack = EXPECTED_ROUNDING * terms
        if port.values is None:
            slack = np.minimum(slack, np.abs(port.scale) / 4)
        wrong = ~(np.abs(host.unmap(port, values) - expected) <= host.unmap(port, slack))
    return int(np.sum(np.any(wrong.reshape(len(codes), -1), axis=1)))


def check_expected(network: Network, expected: np.ndarray, frames: int) -> None:
    """Raise DataError if an expectation has the wrong shape or dtype."""
    numeric = np.issubdtype(expected.dtype, np.integer) or np.issubdtype(expected.dtype, np.floating)
    shape = tuple(network.output.onnx_shape)
    if not numeric:
        raise DataError(f"Expected outputs must be numbers, not {expected.dtype}")
    if expected.shape == (frames,) and (is_labels(expected) or shape == ()):
        return
    if expected.shape != (frames, *shape):
        raise DataError(
            f"Expected outputs must have shape {(frames, *shape)}, or be {frames} whole-number labels, "
            f"not {expected.dtype} of shape {expected.shape}"
        )
