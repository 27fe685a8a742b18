"""Time the bit-packed golden model against ONNX Runtime on the same network in float32, on one core.

Run as ``python -m benchmarks.packed_golden`` from the root with OMP_NUM_THREADS=1; the record is
``benchmarks/packed_golden.json``. The network is FINN's TFC, 784-64-64-64-10, with
random +-1 weights, and batch normalization and sign behind each hidden layer; both sides must give the same scores.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from hwgen.activation import Positions, Thresholds
from hwgen.codes import BIPOLAR, CodeType
from hwgen.layers.dense import Dense
from hwgen.network import InputPort, Network, OutputPort
from hwgen.packed import PackedNetwork

WIDTHS = (784, 64, 64, 64, 10)
FRAMES = (1024, 10_000)
REPEATS = 31


def integer_network(random: np.random.Generator) -> Network:
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
    return Network("tfc", port, tuple(layers), output)


def float_model(network: Network) -> bytes:
    """Write the same network as MatMul, BatchNormalization and Sign; sums are even, so the mean lies halfway below the threshold."""
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
            statistics = {
                "gamma": ones,
                "beta": 0 * ones,
                "mean": layer.thresholds.levels[0, :, 0] - 1,
                "variance": 64 * ones,
            }
            inputs = [value, *(constant(f"{name}_{key}", values) for key, values in statistics.items())]
            nodes.append(helper.make_node("BatchNormalization", inputs, [f"{name}_n"]))
            nodes.append(helper.make_node("Sign", [f"{name}_n"], [f"{name}_s"]))
            value = f"{name}_s"
    ports = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size])]
        for name, size in (("x", WIDTHS[0]), (value, WIDTHS[-1]))
    ]
    graph = helper.make_graph(nodes, "tfc", *ports, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def medians(*calls: Callable[[], object]) -> list[float]:
    """Give the median processor time of each call in seconds; they run in turn, so that a busy moment meets all of them."""
    times = np.empty((REPEATS, len(calls)))
    for repeat in range(REPEATS):
        for number, call in enumerate(calls):
            start = time.process_time()
            call()
            times[repeat, number] = time.process_time() - start
    return np.median(times, axis=0).tolist()


def main() -> None:
    if os.environ.get("OMP_NUM_THREADS") != "1":
        raise SystemExit("Set OMP_NUM_THREADS=1: NumPy's matrix products would use every core")
    random = np.random.default_rng(0)
    network = integer_network(random)
    packed = PackedNetwork(network)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(float_model(network), options, providers=["CPUExecutionProvider"])
    record: dict[str, object] = {
        "network": "-".join(map(str, WIDTHS)),
        "machine": platform.machine(),
        "numpy": np.__version__,
        "onnxruntime": onnxruntime.__version__,
    }
    for frames in FRAMES:
        codes = random.choice(np.array([-1, 1], dtype=np.int8), (frames, 1, 1, WIDTHS[0]))
        wide, floats = codes.astype(np.int64), codes.reshape(frames, -1).astype(np.float32)
        scores = packed.golden(codes)
        assert np.array_equal(scores, network.golden(codes))
        assert np.array_equal(scores.reshape(frames, -1), session.run(None, {"x": floats})[0])
        narrow_s, wide_s, runtime_s = medians(
            lambda codes=codes: packed.golden(codes),
            lambda wide=wide: packed.golden(wide),
            lambda floats=floats: session.run(None, {"x": floats}),
        )
        record[f"{frames}_frames"] = {
            "packed_int8_us_per_frame": round(narrow_s / frames * 1e6, 3),
            "packed_int64_us_per_frame": round(wide_s / frames * 1e6, 3),
            "onnxruntime_us_per_frame": round(runtime_s / frames * 1e6, 3),
            "ratio_int8": round(runtime_s / narrow_s, 2),
            "ratio_int64": round(runtime_s / wide_s, 2),
        }
    text = json.dumps(record, indent=2)
    Path(__file__).with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
