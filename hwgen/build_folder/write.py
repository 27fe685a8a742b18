"""What a build folder holds, written file by file."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.hdl import UnusedElaboratable

from hwgen.arrays.beats import Beats, BeatSequence
from hwgen.build_folder import network_file
from hwgen.build_folder.identity import identity
from hwgen.build_folder.manifest import write_manifest
from hwgen.build_folder.report import REPORT_FRAMES, make_report
from hwgen.folding.file import folding_to_json
from hwgen.golden.network import PackedNetwork
from hwgen.golden.sensitivity import Effort, choose_frames
from hwgen.network import InputPort, OutputPort
from hwgen.pipeline import memory_image
from hwgen.pipeline.accelerator import accelerator
from hwgen.pipeline.address_map import AddressMap, address_map
from hwgen.pipeline.layout import Pipeline
from hwgen.progress import Progress, phase
from hwgen.rtl_templates.registers.registers import MAP_VERSION
from hwgen.sim.example import ship, ship_registers
from hwgen.sim.record import Stimulus
from hwgen.timing.predict import Prediction
from hwgen.verification.record import Verification
from hwgen.verilog.write import Interface
from hwgen.verilog.write import write as write_verilog

__all__ = ["write_contents"]

BENCH_FRAMES = 4
"""Frames of the bench in the build folder, at least: the pipeline fills, and runs on."""

BENCH_EFFORT = Effort(least=BENCH_FRAMES, most=3 * BENCH_FRAMES, changes=16, products=1 << 28)
"""What is tried so that weights matter to these frames."""


def write_contents(
    pipeline: Pipeline, folder: Path, verification: Verification | None, progress: Progress
) -> dict[str, Any]:
    """Write everything that belongs to a pipeline, the manifest last.

    Parameters
    ----------
    pipeline : Pipeline
        Its FIFOs are sized.
    folder : Path
        Empty.
    verification : Verification or None
        How the network stands to its file, where that was looked into.
    progress : callable
        Called with the name of each step.

    Returns
    -------
    dict
        What went into ``report.json``.
    """
    plan, source, sink = pipeline.plan, pipeline.source, pipeline.sink
    name, network_id = plan.network.name, identity(plan)
    progress("designing hardware")
    pipeline.check()
    prediction = pipeline.predict(REPORT_FRAMES)
    interface = Interface(source, sink, prediction.ii, latency_cycles=int(prediction.transfers[-1][0]))
    try:
        component = accelerator(pipeline, network_id)
        with phase(progress, "writing Verilog"):
            write_verilog(component, name, folder, interface)
    except BaseException:
        # Hardware that was designed and not written says so when it is collected: of no use beside the real reason.
        warnings.simplefilter("ignore", UnusedElaboratable)
        raise
    progress("writing the build folder")
    network_file.save_network(plan.network, folder)
    (folder / "folding.json").write_text(folding_to_json(plan), encoding="utf-8")
    report = make_report(pipeline, prediction, verification)
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    facts = {"name": name, "versions": report["tools"], "network_id": f"{network_id:016x}"}
    facts |= {"verified": None if verification is None else verification.agrees}
    facts |= {
        "ports": {
            "s_axis": _side("inputs", plan.network.inputs, source),
            "m_axis": _side("outputs", plan.network.outputs, sink),
        }
    }
    found = address_map(pipeline, network_id) if plan.has_registers else None
    if found is not None:
        facts |= {"registers": found.facts()}
        if found.regions:
            (folder / memory_image.FILE).write_bytes(memory_image.load_image(found, network_id))
    frames = _ship_bench(pipeline, prediction, folder)
    if found is not None:
        _ship_registers(pipeline, found, bench_counts(pipeline, prediction, frames), folder)
    write_manifest(folder, facts)
    return report


def _ship_bench(pipeline: Pipeline, prediction: Prediction, folder: Path) -> int:
    """Write the runnable cocotb example with a few frames, and what must come of them, and give how many."""
    plan, source, sink = pipeline.plan, pipeline.source, pipeline.sink
    chosen = choose_frames(plan.network, BENCH_EFFORT)
    codes, count = chosen.codes, len(chosen.codes[0])
    golden = PackedNetwork(plan.network).golden_maps(*codes)
    image = memory_image.current_image(folder, plan)
    writes = None if image is None else memory_image.as_writes(image, folder)
    stimulus = Stimulus.of_frames(codes, source, sink, ii=prediction.ii, latency=prediction.latency, writes=writes)
    last = np.arange(1, count * sink.count + 1) % sink.count == 0
    due = prediction.output_cycles(count)
    ship(folder, plan.network.name, stimulus, sink.pack(golden), last, due, chosen.seen.facts())
    return count


def bench_counts(pipeline: Pipeline, prediction: Prediction, frames: int = BENCH_FRAMES) -> dict[str, Any]:
    """Give what the registers count over the frames of the bench: cycles in which each layer is busy, and in which the input port makes its source wait."""
    taken = prediction.transfers[0][: frames * pipeline.source.count]
    return {
        "busy": {stage.name: frames * stage.timing().steps for stage in pipeline.layers},
        "input_stalls": int(taken[-1]) + 1 - len(taken),
    }


def _ship_registers(pipeline: Pipeline, found: AddressMap, counts: Mapping[str, Any], folder: Path) -> None:
    """Write the tests of the registers, with what they count over the frames of the bench."""
    facts = {
        "network_id": f"{found.network_id:016x}",
        "version": MAP_VERSION,
        **found.facts(),
        **counts,
    }
    image = (folder / memory_image.FILE).read_bytes() if found.regions else None
    ship_registers(folder, facts, None if image is None else memory_image.as_writes(image, folder))


def _port(beats: Beats) -> dict[str, Any]:
    return {
        "type": asdict(beats.type),
        "lanes": beats.lanes,
        "map": list(beats.shape),
        "beats_per_frame": beats.count,
        "bytes": beats.bytes,
    }


def _side(title: str, named: Sequence[InputPort | OutputPort], beats: BeatSequence) -> dict[str, Any]:
    """Describe a port: a single map's beats, or the width and each map's by the name of its input or output."""
    if len(beats.parts) == 1:
        return _port(beats.parts[0])
    parts = {port.name: _port(part) for port, part in zip(named, beats.parts, strict=True)}
    return {"beats_per_frame": beats.count, "bytes": beats.bytes, title: parts}
