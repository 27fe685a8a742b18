"""Time the bit-packed golden model against ONNX Runtime on the same network in float32, on one core.

Run as ``python -m benchmarks.packed_golden`` from the root with OMP_NUM_THREADS=1; the record is
``benchmarks/packed_golden.json``. Each side gets its input ready made: ONNX Runtime the float32 frames that the ONNX
model takes, the golden model the integer codes that the accelerator takes, which it checks. Both give the same scores.

``mnist_tfc`` and ``mnist_cnv`` are the trained examples on their test images. TFC's model makes bits of pixels itself:
ONNX Runtime does so in the time measured, and the host before it for the accelerator. ``tfc_chain`` is the stricter
comparison: TFC's layers with random weights alone, so that both sides begin with -1 and +1.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import hwgen
from benchmarks.machine import facts
from examples.data.load import load
from hwgen.activation import Positions, Thresholds
from hwgen.arrays import codec
from hwgen.arrays.expected import differing_frames
from hwgen.codes import BIPOLAR, CodeType
from hwgen.golden.network import PackedNetwork
from hwgen.layers.dense import Dense
from hwgen.network import InputPort, Network, OutputPort

EXAMPLES = Path(__file__).parent.parent / "examples"
RECORD = Path(__file__).with_suffix(".json")
WIDTHS = (784, 64, 64, 64, 10)


@dataclass(frozen=True)
class Contest:
    """One network on both sides.

    Parameters
    ----------
    name : str
    network : Network
    model : onnx.ModelProto
        In operators that ONNX Runtime knows.
    codes, floats : ndarray
        The same frames for either side.
    frames : tuple of int
        How many frames to run at once.
    repeats : int
    """

    name: str
    network: Network
    model: onnx.ModelProto
    codes: np.ndarray
    floats: np.ndarray
    frames: tuple[int, ...]
    repeats: int


def trained(name: str, frames: tuple[int, ...], repeats: int, *, declared: bool) -> Contest:
    """Take an example; its input is declared to be pixels where its graph does not say what the host sends."""
    meaning = json.loads((EXAMPLES / name / "expected.json").read_text())["input"]
    path = EXAMPLES / name / "model.onnx"
    options = {"input_type": meaning["type"], "input_scale": meaning["scale"]} if declared else {}
    network = hwgen.read(path, **options)
    pixels = load("mnist_test")[0].reshape(-1, *meaning["shape"][1:])
    floats = (pixels * meaning["scale"]).astype(np.float32)
    return Contest(
        name, network, plain(onnx.load(path)), codec.to_codes(network.input, floats), floats, frames, repeats
    )


def plain(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace BipolarQuant by what it means, x >= 0 ? scale : -scale, and make all parameters constants."""
    nodes = []
    for node in model.graph.node:
        if node.op_type == "BipolarQuant":
            (x, scale), y = node.input, node.output[0]
            model.graph.initializer.append(numpy_helper.from_array(np.float32(0), f"{y}_zero"))
            nodes.append(helper.make_node("GreaterOrEqual", [x, f"{y}_zero"], [f"{y}_positive"]))
            nodes.append(helper.make_node("Neg", [scale], [f"{y}_minus"]))
            nodes.append(helper.make_node("Where", [f"{y}_positive", scale, f"{y}_minus"], [y]))
        else:
            nodes.append(node)
    constants = {constant.name for constant in model.graph.initializer}
    inputs = [port for port in model.graph.input if port.name not in constants]
    graph = helper.make_graph(nodes, "plain", inputs, model.graph.output, model.graph.initializer)
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def chain(frames: tuple[int, ...], repeats: int) -> Contest:
    """Give dense layers with random weights and thresholds, and codes as narrow as they come."""
    random = np.random.default_rng(0)
    layers: list[Dense] = []
    for number, (columns, rows) in enumerate(pairwise(WIDTHS)):
        weights = random.choice(np.array([-1, 1]), (rows, columns))
        last = rows == WIDTHS[-1]
        levels = 2 * random.integers(-4, 5, (1, rows, 1))
        thresholds = None if last else Thresholds(levels, Positions.uniform(1, 1))
        out_type = CodeType(-columns, columns) if last else BIPOLAR
        source = layers[-1].name if layers else "x"
        layers.append(Dense(f"dense{number}", source, (1, 1, columns), BIPOLAR, weights, thresholds, out_type))
    port = InputPort("x", (WIDTHS[0],), (0,), (1, 1, WIDTHS[0]), BIPOLAR)
    ones = np.ones(WIDTHS[-1])
    output = OutputPort("y", layers[-1].name, (WIDTHS[-1],), (0,), "float32", ones, 0 * ones)
    network = Network("tfc", (port,), tuple(layers), (output,))
    codes = random.choice(np.array([-1, 1]), (max(frames), 1, 1, WIDTHS[0]))
    floats = codes.reshape(len(codes), -1).astype(np.float32)
    return Contest("tfc_chain", network, chain_model(network), codes, floats, frames, repeats)


def chain_model(network: Network) -> onnx.ModelProto:
    """Write MatMul, BatchNormalization and Sign; sums are even, so the mean lies halfway below the threshold."""
    nodes, constants, value = [], [], "x"

    def constant(name: str, values: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    for layer in network.layers:
        name = layer.name
        nodes.append(helper.make_node("MatMul", [value, constant(f"{name}_w", layer.weights.T)], [name]))
        value = name
        if layer.thresholds is not None:
            ones = np.ones(layer.rows)
            middle = layer.thresholds.levels[0, :, 0] - 1
            statistics = {"gamma": ones, "beta": 0 * ones, "mean": middle, "variance": 64 * ones}
            inputs = [value, *(constant(f"{name}_{key}", values) for key, values in statistics.items())]
            nodes.append(helper.make_node("BatchNormalization", inputs, [f"{name}_n"]))
            nodes.append(helper.make_node("Sign", [f"{name}_n"], [f"{name}_s"]))
            value = f"{name}_s"
    ports = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size])]
        for name, size in (("x", WIDTHS[0]), (value, WIDTHS[-1]))
    ]
    graph = helper.make_graph(nodes, "tfc", *ports, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def medians(repeats: int, *calls: Callable[[], object]) -> list[float]:
    """Give each call's median processor time in seconds; they run in turn, so that a busy moment meets all of them."""
    times = np.empty((repeats, len(calls)))
    for repeat in range(repeats):
        for number, call in enumerate(calls):
            start = time.process_time()
            call()
            times[repeat, number] = time.process_time() - start
    return np.median(times, axis=0).tolist()


def measure(contest: Contest) -> list[dict[str, object]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        contest.model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    name, packed = session.get_inputs()[0].name, PackedNetwork(contest.network)
    narrow_type = np.uint8 if contest.network.input.type.low >= 0 else np.int8
    rows = []
    for frames in contest.frames:
        wide, floats = contest.codes[:frames].astype(np.int64), contest.floats[:frames]
        narrow = wide.astype(narrow_type)
        scores = packed.golden(narrow)
        narrow_s, wide_s, runtime_s = medians(
            contest.repeats,
            lambda narrow=narrow: packed.golden(narrow),
            lambda wide=wide: packed.golden(wide),
            lambda floats=floats: session.run(None, {name: floats}),
        )
        rows.append(
            {
                "network": contest.name,
                "frames": frames,
                "frames_that_differ": int(
                    differing_frames(contest.network, scores, session.run(None, {name: floats})[0]).sum()
                ),
                "packed_8_bit_us_per_frame": round(narrow_s / frames * 1e6, 3),
                "packed_64_bit_us_per_frame": round(wide_s / frames * 1e6, 3),
                "onnxruntime_us_per_frame": round(runtime_s / frames * 1e6, 3),
                "ratio_8_bit": round(runtime_s / narrow_s, 2),
                "ratio_64_bit": round(runtime_s / wide_s, 2),
            }
        )
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    if os.environ.get("OMP_NUM_THREADS") != "1":
        raise SystemExit("Set OMP_NUM_THREADS=1: NumPy's matrix products would use every core")
    machine = facts()
    contests = (
        trained("mnist_tfc", (1024, 10_000), 31, declared=False),
        trained("mnist_cnv", (1024,), 7, declared=True),
        chain((1024, 10_000), 31),
    )
    results = [row for contest in contests for row in measure(contest)]
    RECORD.write_text(json.dumps({"machine": machine, "results": results}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
