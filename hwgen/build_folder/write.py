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
from hwgen.build_folder.manifest import write_manifest
from hwgen.build_folder.report import REPORT_FRAMES, make_report, predict_plan
from hwgen.codes import CodeType
from hwgen.folding.file import folding_to_json
from hwgen.golden.network import PackedNetwork
from hwgen.network import InputPort, OutputPort
from hwgen.pipeline import memory_image
from hwgen.pipeline.accelerator import accelerator
from hwgen.pipeline.address_map import address_map, plan_id
from hwgen.pipeline.ports import ports
from hwgen.pipeline.stages import LayerStage, stages
from hwgen.plan import Plan
from hwgen.progress import Progress
from hwgen.rtl_templates.registers.registers import MAP_VERSION
from hwgen.sim.example import ship, ship_registers
from hwgen.sim.record import Stimulus
from hwgen.timing.predict import Prediction
from hwgen.verilog.write import Interface
from hwgen.verilog.write import write as write_verilog

__all__ = ["PATIENCE", "write_contents"]

BENCH_FRAMES = 4
"""Frames of the bench in the build folder: the pipeline fills, and runs on."""

PATIENCE = 4
"""Cycles without a transfer that mean a deadlock, in times of an interval and a latency."""


def write_contents(plan: Plan, folder: Path, progress: Progress) -> dict[str, Any]:
    """Write everything that belongs to a plan, the manifest last.

    Parameters
    ----------
    plan : Plan
        With sized FIFOs.
    folder : Path
        Empty.
    progress : callable
        Called with the name of each step.

    Returns
    -------
    dict
        What went into ``report.json``.
    """
    name = plan.network.name
    source, sink = ports(plan)
    progress("designing hardware")
    prediction = predict_plan(plan, REPORT_FRAMES)
    interface = Interface(source, sink, prediction.ii, latency_cycles=int(prediction.transfers[-1][0]))
    try:
        component = accelerator(plan)
        progress("writing Verilog")
        write_verilog(component, name, folder, interface)
    except BaseException:
        # Hardware that was designed and not written says so when it is collected: of no use beside the real reason.
        warnings.simplefilter("ignore", UnusedElaboratable)
        raise
    progress("writing the build folder")
    network_file.save_network(plan.network, folder)
    (folder / "folding.json").write_text(folding_to_json(plan), encoding="utf-8")
    report = make_report(plan, prediction)
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    facts = {"name": name, "versions": report["tools"], "network_id": f"{plan_id(plan):016x}"}
    facts |= {
        "ports": {
            "s_axis": _side("inputs", plan.network.inputs, source),
            "m_axis": _side("outputs", plan.network.outputs, sink),
        }
    }
    if plan.has_registers:
        found = address_map(plan)
        facts |= {"registers": found.facts()}
        if found.regions:
            (folder / memory_image.FILE).write_bytes(memory_image.load_image(found, found.network_id))
    _ship_bench(plan, prediction, folder)
    if plan.has_registers:
        _ship_registers(plan, prediction, folder)
    write_manifest(folder, facts)
    return report


def _ship_bench(plan: Plan, prediction: Prediction, folder: Path) -> None:
    """Write the runnable cocotb example with a few random frames and what must come of them."""
    source, sink = ports(plan)
    random = np.random.default_rng(0)
    codes = [_random_codes(random, part.type, (BENCH_FRAMES, *part.shape)) for part in source.parts]
    golden = PackedNetwork(plan.network).golden_maps(*codes)
    patience = 1000 + PATIENCE * (prediction.ii + prediction.latency)
    image = memory_image.current_image(folder, plan)
    writes = None if image is None else memory_image.as_writes(image, folder)
    stimulus = Stimulus.of_frames(codes, source, sink, timeout_cycles=patience, writes=writes)
    last = np.arange(1, BENCH_FRAMES * sink.count + 1) % sink.count == 0
    ship(folder, plan.network.name, stimulus, sink.pack(golden), last, prediction.output_cycles(BENCH_FRAMES))


def _ship_registers(plan: Plan, prediction: Prediction, folder: Path) -> None:
    """Write the tests of the registers, with what they count over the frames of the bench."""
    found, taken = address_map(plan), prediction.transfers[0][: BENCH_FRAMES * ports(plan)[0].count]
    busy = {stage.name: BENCH_FRAMES * stage.timing().cycles for stage in stages(plan) if isinstance(stage, LayerStage)}
    facts = {
        "network_id": f"{found.network_id:016x}",
        "version": MAP_VERSION,
        **found.facts(),
        "busy": busy,
        "input_stalls": int(taken[-1]) + 1 - len(taken),
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
