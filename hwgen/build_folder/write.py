"""What a build folder holds, written file by file."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
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
from hwgen.codes import CodeType
from hwgen.folding.file import folding_to_json
from hwgen.golden.network import PackedNetwork
from hwgen.network import InputPort, OutputPort
from hwgen.pipeline import memory_image
from hwgen.pipeline.accelerator import accelerator
from hwgen.pipeline.address_map import AddressMap, address_map
from hwgen.pipeline.layout import Pipeline
from hwgen.progress import Progress
from hwgen.rtl_templates.registers.registers import MAP_VERSION
from hwgen.sim.example import ship, ship_registers
from hwgen.sim.record import Stimulus
from hwgen.timing.predict import Prediction
from hwgen.verification.record import Verification
from hwgen.verilog.write import Interface
from hwgen.verilog.write import write as write_verilog

__all__ = ["write_contents"]

BENCH_FRAMES = 4
"""Frames of the bench in the build folder: the pipeline fills, and runs on."""


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
        progress("writing Verilog")
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
    _ship_bench(pipeline, prediction, folder)
    if found is not None:
        _ship_registers(pipeline, found, prediction, folder)
    write_manifest(folder, facts)
    return report


def _ship_bench(pipeline: Pipeline, prediction: Prediction, folder: Path) -> None:
    """Write the runnable cocotb example with a few random frames and what must come of them."""
    plan, source, sink = pipeline.plan, pipeline.source, pipeline.sink
    random = np.random.default_rng(0)
    codes = [_random_codes(random, part.type, (BENCH_FRAMES, *part.shape)) for part in source.parts]
    golden = PackedNetwork(plan.network).golden_maps(*codes)
    image = memory_image.current_image(folder, plan)
    writes = None if image is None else memory_image.as_writes(image, folder)
    stimulus = Stimulus.of_frames(codes, source, sink, ii=prediction.ii, latency=prediction.latency, writes=writes)
    last = np.arange(1, BENCH_FRAMES * sink.count + 1) % sink.count == 0
    ship(folder, plan.network.name, stimulus, sink.pack(golden), last, prediction.output_cycles(BENCH_FRAMES))


def bench_counts(pipeline: Pipeline, prediction: Prediction) -> dict[str, Any]:
    """Give what the registers count over the frames of the bench: cycles in which each layer is busy, and in which the input port makes its source wait."""
    taken = prediction.transfers[0][: BENCH_FRAMES * pipeline.source.count]
    return {
        "busy": {stage.name: BENCH_FRAMES * stage.timing().steps for stage in pipeline.layers},
        "input_stalls": int(taken[-1]) + 1 - len(taken),
    }


def _ship_registers(pipeline: Pipeline, found: AddressMap, prediction: Prediction, folder: Path) -> None:
    """Write the tests of the registers, with what they count over the frames of the bench."""
    facts = {
        "network_id": f"{found.network_id:016x}",
        "version": MAP_VERSION,
        **found.facts(),
        **bench_counts(pipeline, prediction),
    }
    image = (folder / memory_image.FILE).read_bytes() if found.regions else None
    ship_registers(folder, facts, None if image is None else memory_image.as_writes(image, folder))


def _random_codes(random: np.random.Generator, kind: CodeType, shape: tuple[int, ...]) -> np.ndarray:
    if kind.bipolar:
        return random.choice(np.array([-1, 1]), size=shape)
    return random.integers(kind.low, kind.high, size=shape, endpoint=True)


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
