"""Compile and simulate every network of this folder and write the table of docs/algorithms/index.md.

``python -m examples.algorithms.measure NAME ...`` measures the networks of those names, without names all; what is
known of the others stays. ``--frames N`` passes no more than the first N kept frames through the Verilog. Needs no torch.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import onnx

import hwgen
from examples.data.load import load
from examples.training.record import hits, outputs
from hwgen import host
from hwgen.errors import HwgenError
from hwgen.packed import PackedNetwork

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "algorithms" / "index.md"
REAL = frozenset(
    "binaryconnect bireal bireal20 dorefa_2w4a fsmn horq horq_frame reactnet reactnet20 staged_residual xnor_net_k".split()
)
"""Networks with real numbers on the way, which become fixed point; the others are integer between quantisers.

The last weights of `dorefa_2w4a` are odd multiples of 1/255 only up to float32's rounding, so hwgen takes them as real."""

CYCLES = {"mnist_coloured": 100_000, "mnist_cluttered": 50_000}
"""Cycles a frame for which networks on these data are folded, 20,000 on others: small, so that the compiler is done soon."""

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def names(kind="measured.json"):
    """Return the names of all networks that have a file of this name."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{kind}"))


def kept(name):
    """Return what is known of network `name`: its record, the codes of its kept frames, their labels."""
    expected = json.loads((FOLDER / name / "expected.json").read_text())
    codes, labels = load(expected["data"])
    meaning, count = expected["input"], expected["frames"]
    return expected, codes[:count].reshape(count, *meaning["shape"][1:]), labels[:count]


def read(name, expected):
    """Return the network that hwgen makes of `name`."""
    meaning = expected["input"]
    return hwgen.read(
        FOLDER / name / "model.onnx",
        input_type=meaning["type"],
        input_scale=meaning["scale"],
        input_offset=meaning["offset"],
        name=name,
    )


def small_plan(network, expected):
    """Return a plan of few lanes."""
    return hwgen.plan(network, target_fps=1e8 / CYCLES.get(expected["data"], 20_000), clock_mhz=100)


def floats(name, expected, codes):
    """Return ONNX Runtime's outputs for the kept frames of `name`."""
    model, meaning = onnx.load(FOLDER / name / "model.onnx"), expected["input"]
    dtype = onnx.helper.tensor_dtype_to_np_dtype(model.graph.input[0].type.tensor_type.elem_type)
    return outputs(model, (codes.astype(np.float64) * meaning["scale"] + meaning["offset"]).astype(dtype))


def agreement(golden, reference):
    """Return the share of frames, or pixels, with the same class, and the largest distance of two outputs."""
    same = hits(golden, reference if reference.dtype.kind == "i" else reference.argmax(1))
    return same, float(np.max(np.abs(golden - reference)))


def slips(golden, reference):
    """Return the number of frames in which ONNX Runtime's float32 fell on the other side of a rounding or threshold."""
    return int(np.sum(np.any((np.abs(golden - reference) > 1e-4).reshape(len(golden), -1), axis=1)))


def measure(name, frames=None):
    """Return what the golden model does with the kept frames of network `name`, and the Verilog with the first `frames`."""
    expected, codes, labels = kept(name)
    try:
        network = read(name, expected)
    except HwgenError as error:
        return {"refused": str(error)}
    golden = host.from_codes(network, PackedNetwork(network).golden(host.to_codes(network.input, codes)))
    reference = floats(name, expected, codes)
    same, error = agreement(golden, reference)
    found = {"accuracy_golden": hits(golden, labels), "agreement": same, "largest_error": error}
    if name not in REAL:
        found["float32_slips"] = slips(golden, reference)
    try:
        with tempfile.TemporaryDirectory() as folder:
            result = hwgen.build(small_plan(network, expected), Path(folder) / name).simulate(codes[:frames])
    except HwgenError as refusal:
        return {**found, "unbuilt": str(refusal)}
    return {
        **found,
        "verilog_frames": result.frames,
        "verilog_mismatches": result.mismatches,
        "beats_off_schedule": result.beats_off_schedule,
        "cycles_a_frame": result.ii_measured,
        "latency_cycles": result.latency_measured,
    }


def row(name):
    """Return the line of network `name` in the table."""
    folder = FOLDER / name
    expected = json.loads((folder / "expected.json").read_text())
    head = f"| `{name}` | {expected['topology']} | {expected['parameters']:,} | {expected['accuracy_float']:.2%}"
    found = json.loads((folder / "measured.json").read_text())
    if "refused" in found:
        return f"{head} | refused: {found['refused']} | | | | |"
    head = f"{head} | {found['accuracy_golden']:.2%} | {found['agreement']:.2%} | {found['largest_error']:.2g}"
    if "unbuilt" in found:
        return f"{head} | not built: {found['unbuilt']} | |"
    return f"{head} | {found['verilog_mismatches']} of {found['verilog_frames']} | {found['cycles_a_frame']:,} |"


def table():
    """Return the table of all networks."""
    head = (
        "| network | layers | parameters | float | golden | same class as float | largest error | Verilog differs | cycles a frame |",
        "|---|---|---|---|---|---|---|---|---|",
    )
    return "\n".join([*head, *(row(name) for name in names())])


def main():
    """Measure the networks that the command line names, or all, and write the page's table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--frames", type=int)
    chosen = parser.parse_args()
    for name in chosen.names or names("model.onnx"):
        found = measure(name, chosen.frames)
        (FOLDER / name / "measured.json").write_text(json.dumps(found, indent=2) + "\n")
        print(f"{name}: {found}", flush=True)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
