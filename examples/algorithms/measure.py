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
from examples.algorithms import oracle
from examples.data.boxes import drawing
from examples.data.load import load
from examples.training.record import hits, outputs
from hwgen.arrays import codec
from hwgen.devices.boards import find_device
from hwgen.errors import HwgenError
from hwgen.estimation.estimate import estimate_total
from hwgen.golden.network import PackedNetwork

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "algorithms" / "index.md"
PICTURE, SCENES = PAGE.with_name("ssd.svg"), 4
REAL = frozenset("binaryconnect bireal bireal20 fsmn horq horq_frame reactnet reactnet20 xnor_net_k".split())
"""Networks with real numbers on the way, which become fixed point; the others are integer between quantisers.

`staged_residual` adds integers of two scales without a common measure in front of a quantiser: rounded so finely that no code differs."""

CYCLES = {"mnist_coloured": 100_000, "mnist_cluttered": 50_000, "mnist_scenes": 50_000}
"""Cycles a frame for which networks on these data are folded, 20,000 on others: small, so that the compiler is done soon."""

DEVICE = "ecp5-85"
"""Device whose LUTs are estimated."""

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


def frames_of(expected, codes):
    """Return what `codes` of kept frames mean to the model, in float64."""
    return codes.astype(np.float64) * expected["input"]["scale"] + expected["input"]["offset"]


def floats(name, expected, codes):
    """Return ONNX Runtime's outputs for the kept frames of `name`."""
    model = onnx.load(FOLDER / name / "model.onnx")
    dtype = onnx.helper.tensor_dtype_to_np_dtype(model.graph.input[0].type.tensor_type.elem_type)
    return outputs(model, frames_of(expected, codes).astype(dtype))


def agreement(golden, reference):
    """Return the share of frames, or pixels, with the same class, and the largest distance of two outputs."""
    same = hits(golden, reference if reference.dtype.kind == "i" else reference.argmax(1))
    return same, float(np.max(np.abs(golden - reference)))


def compared(name, network, codes, golden, reference):
    """Return what the codes of a network that is integer between quantisers have in common with ONNX Runtime's outputs.

    Parameters
    ----------
    name : str
    network : hwgen.Network
    codes : ndarray
        Of the kept frames.
    golden : ndarray of int64
        The golden model's codes in the layout of the model's output.
    reference : ndarray
        ONNX Runtime's outputs.

    Returns
    -------
    dict
        ``codes_differ``: frames in which a code differs and float64 does not side with the golden model: 0 or a fault.
        ``float32_slips``: frames in which ONNX Runtime's float32 has another code, and the same graph in float64 the golden
        model's. ``code_distance``: how far an output of ONNX Runtime is from the nearest code at most, in codes.
    """
    answers, distance = oracle.codes(network, reference)
    differing = oracle.differing(golden, answers)
    faults = differing
    if len(differing):
        model, frames = onnx.load(FOLDER / name / "model.onnx"), frames_of(kept(name)[0], codes[differing])
        exact, _ = oracle.codes(network, oracle.float64_outputs(model, frames))
        faults = oracle.differing(golden[differing], exact)
    return {
        "codes_differ": len(faults),
        "float32_slips": len(differing) - len(faults),
        "code_distance": distance,
    }


def measure(name, frames=None):
    """Return what the golden model does with the kept frames of network `name`, and the Verilog with the first `frames`."""
    expected, codes, labels = kept(name)
    try:
        network = read(name, expected)
    except HwgenError as error:
        return {"refused": str(error)}
    maps = PackedNetwork(network).golden(codec.to_codes(network.input, codes))
    golden, reference = codec.from_codes(network, maps), floats(name, expected, codes)
    same, error = agreement(golden, reference)
    found = {"accuracy_golden": hits(golden, labels), "agreement": same, "largest_error": error}
    if name not in REAL:
        found |= compared(name, network, codes, codec.unmap(network.output, maps), reference)
    try:
        plan = small_plan(network, expected)
        with tempfile.TemporaryDirectory() as folder:
            result = hwgen.build(plan, Path(folder) / name).simulate(codes[:frames])
    except HwgenError as refusal:
        return {**found, "unbuilt": str(refusal)}
    return {
        **found,
        "verilog_frames": result.frames,
        "verilog_mismatches": result.mismatches,
        "beats_off_schedule": result.beats_off_schedule,
        "cycles_a_frame": result.ii_measured,
        "latency_cycles": result.latency_measured,
        "luts_estimated": estimate_total(plan, find_device(DEVICE)).luts,
    }


def picture():
    """Return an SVG of the first scenes that are kept for `ssd`, with the boxes that the golden model finds."""
    expected, codes, _ = kept("ssd")
    network, codes = read("ssd", expected), codes[:SCENES]
    golden = codec.from_codes(network, network.golden(codec.to_codes(network.input, codes)))
    return drawing(codes[:, 0], golden)


def row(name):
    """Return the line of network `name` in the table."""
    folder = FOLDER / name
    expected = json.loads((folder / "expected.json").read_text())
    head = f"| `{name}` | {expected['topology']} | {expected['parameters']:,} | {expected['accuracy_float']:.2%}"
    found = json.loads((folder / "measured.json").read_text())
    if "refused" in found:
        return f"{head} | refused: {found['refused']} | | | | | | |"
    head = f"{head} | {found['accuracy_golden']:.2%} | {found['agreement']:.2%} | {found['largest_error']:.2g}"
    if "codes_differ" in found:
        slipped = f", float32 slips in {found['float32_slips']}" if found["float32_slips"] else ""
        head = f"{head} | {found['codes_differ']}{slipped} ({found['code_distance']:.1g})"
    else:
        head = f"{head} | fixed point"
    if "unbuilt" in found:
        return f"{head} | not built: {found['unbuilt']} | | |"
    return f"{head} | {found['verilog_mismatches']} of {found['verilog_frames']} | {found['cycles_a_frame']:,} | {found['luts_estimated']:,} |"


def table():
    """Return the table of all networks."""
    head = (
        "| network | layers | parameters | float | golden | same class as float | largest error | codes differ | Verilog differs | cycles a frame | LUTs |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
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
        if name == "ssd":
            PICTURE.write_text(picture())
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
