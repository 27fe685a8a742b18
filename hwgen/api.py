"""The Python interface: read, verify, plan, build, simulate. The command line is a thin skin over it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from hwgen.arrays.codec import Inputs
from hwgen.arrays.files import load_frames
from hwgen.build_folder import manifest
from hwgen.build_folder.build import build
from hwgen.build_folder.open import Accelerator, load
from hwgen.conversion import Conversion, sign_named
from hwgen.devices.boards import find_board, find_device
from hwgen.errors import DifferenceError
from hwgen.folding.sign_price import with_price_of_zero
from hwgen.folding.target import Target
from hwgen.network import Network
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.plan import Plan
from hwgen.progress import Progress, phase, silent
from hwgen.streamlining.declaration import InputNumber, InputType
from hwgen.streamlining.options import Calibration, Options
from hwgen.verification.record import Verification
from hwgen.verilog.write import check_name

__all__ = [
    "Accelerator",
    "Calibration",
    "build",
    "compile",
    "compile_with",
    "load",
    "plan",
    "read",
    "read_with",
    "verify",
]


def read(
    path: str | Path,
    *,
    input_type: InputType = None,
    input_scale: InputNumber = None,
    input_offset: InputNumber = None,
    strict: bool = False,
    sign_at_zero: str | None = None,
    exact: bool = False,
    fixed_bits: int = 16,
    weight_bits: int = 8,
    calibrate: Calibration = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    name: str | None = None,
    progress: Progress = silent,
) -> Network:
    """Read an ONNX file and turn it into layers of integers.

    Parameters
    ----------
    path : str or Path
        The model; external data files are found beside it.
    input_type : str, CodeType, mapping of str to these, or None
        What the host sends: "bipolar", "ternary", "uint8", "int4", ... None: what the graph says. A mapping says it of inputs by their names (under None of
        all others), else it is said of every input.
    input_scale, input_offset : float, mapping of str to float, or None
        Meaning of an input code: the model's input is ``input_scale * code + input_offset``.
    strict : bool
        Refuse a Sign that can see exactly 0, which needs three values.
    sign_at_zero : {"plus", "minus"} or None
        Take such a Sign as +1 or -1 at 0, in one bit, and note it. None: three values, as ONNX has it.
    exact : bool
        Refuse, rather than round and note, whatever integers cannot calculate exactly: real-valued paths, real weights.
    fixed_bits, weight_bits : int
        Bits of real streams and of real weights.
    calibrate : ndarray, path to a .npy or .npz file, mapping of str to ndarray or to paths, or None
        Frames in the model's own units, of several inputs by their names, which give real streams their ranges; notes tell saturation, and agreement before and after.
    ranges : mapping of str to tuple of float, or None
        Ranges of tensors that an earlier calibration found, see `hwgen.conversion.Conversion`, instead of frames.
    name : str or None
        Name of the Verilog module; None: the graph's own name, or the file's where the exporter calls every graph the same.
    progress : callable
        Called with the name of each step.

    Returns
    -------
    Network

    Raises
    ------
    ModelError
        If the file cannot be read, or holds something that cannot become hardware.
    OptionError
        If the declared input does not suit the model, or the name is no Verilog identifier.
    """
    told = tuple((tensor, low, high) for tensor, (low, high) in (ranges or {}).items())
    how = Conversion(strict, exact, fixed_bits, weight_bits, told, sign_named(sign_at_zero))
    return read_with(path, Options(input_type, input_scale, input_offset, calibrate, how), name=name, progress=progress)


def read_with(path: str | Path, options: Options, *, name: str | None = None, progress: Progress = silent) -> Network:
    """Do `read`, with its options as a record."""
    if name is not None:
        check_name(name)
    # Here and not above: loading onnx takes longer than most of what needs no ONNX file.
    from hwgen.frontend import all_at_once, read_on
    from hwgen.passes import run
    from hwgen.streamlining.calibration import calibrated
    from hwgen.streamlining.streamline import streamline

    progress("reading")
    reading = read_on(Path(path))
    graph = run(reading.graph)

    def convert(conversion: Conversion) -> Network:
        with all_at_once(reading.obstacles, reading.order):
            return streamline(graph, replace(options, conversion=conversion))

    with phase(progress, "streamlining" if options.calibrate is None else "calibrating"):
        if options.calibrate is None:
            network = convert(options.conversion)
        else:
            network = calibrated(graph, load_frames(options.calibrate), options.conversion, convert)
        network = with_price_of_zero(network, convert)
    return network if name is None else replace(network, name=name)


def verify(
    model: str | Path, network: Network, *, frames: Inputs | None = None, progress: Progress = silent
) -> Verification:
    """Run an ONNX file by an executor that is not hwgen's, and hold a network that was read from it to what it yields.

    Parameters
    ----------
    model : str or Path
    network : Network
        As `read` gives it.
    frames : ndarray, mapping of str to ndarray, or None
        Frames to try before random ones and the corners: floats in the model's units, or codes; of several inputs each by its name.
    progress : callable
        Called with the name of each step.

    Returns
    -------
    Verification
        For `build`, which keeps it in the report. Whether a network agrees is in ``agrees``; nothing is raised where it does not.

    Raises
    ------
    ModelError
        If what the notes announce puts an output off by more than a tenth of how far it goes.
    ToolError
        If nobody can run the file.
    """
    # Here and not above: loading ONNX Runtime takes longer than most of what needs no ONNX file.
    from hwgen.verification.verify import verify as held

    return held(model, network, frames=frames, progress=progress)


def plan(
    network: Network,
    *,
    target_fps: float | None = None,
    clock_mhz: float | None = None,
    max_throughput: bool = False,
    min_area: bool = False,
    folding_file: str | Path | None = None,
    board: str | None = None,
    device: str | None = None,
    writable: str | None = None,
    axi_lite: bool = False,
) -> Plan:
    """Choose how each layer is folded in time, and size every FIFO.

    Without a target the plan is the fastest that is estimated to fit the device, or if none does the one that exceeds it least.

    Parameters
    ----------
    network : Network
    target_fps : float or None
        Frames a second to reach at the clock.
    clock_mhz : float or None
        Clock; 100 MHz where nothing says otherwise.
    max_throughput, min_area : bool
        As fast, or as small, as the network allows.
    folding_file : str or Path or None
        A folding in JSON, such as ``folding.json`` of a build folder, edited or not.
    board : str or None
        Board (or the path of its TOML file) whose room beside the host link the plan fills, at a clock that the board can make; with
        ``target_fps`` the cheapest plan that reaches the rate there.
    device : str or None
        Device whose resources every other target counts, with nothing but the accelerator on it; None: "up5k", a small one.
    writable : str or None
        Layers whose weights and thresholds can be written at run time: "all", or names with commas between.
    axi_lite : bool
        A port for registers and counters; writable layers bring it in any case.

    Returns
    -------
    Plan

    Raises
    ------
    OptionError
        If two targets are given, the target is out of reach, or the folding file is wrong; if nothing fits the board.
    """
    target = Target(target_fps, clock_mhz, max_throughput, min_area, folding_file, board, device)
    return size_fifos(target.fold(network, writable=writable, axi_lite=axi_lite))


def compile(
    model: str | Path,
    folder: str | Path,
    *,
    input_type: InputType = None,
    input_scale: InputNumber = None,
    input_offset: InputNumber = None,
    strict: bool = False,
    sign_at_zero: str | None = None,
    exact: bool = False,
    fixed_bits: int = 16,
    weight_bits: int = 8,
    calibrate: Calibration = None,
    name: str | None = None,
    target_fps: float | None = None,
    clock_mhz: float | None = None,
    max_throughput: bool = False,
    min_area: bool = False,
    folding_file: str | Path | None = None,
    board: str | None = None,
    device: str | None = None,
    writable: str | None = None,
    axi_lite: bool = False,
    verify: bool = True,
    cut: str | None = None,
    progress: Progress = silent,
) -> Accelerator:
    """Do `read`, `verify`, `plan` and `build` in one, once the options and the folder are found right.

    Parameters and errors are those of the four functions; without ``verify`` the network is not held to its file. ``cut`` leaves nodes to the host:
    "auto" those that cannot become hardware, "ENDS" or "BEGINS:ENDS" those behind and in front of tensors, with commas between their names.

    Returns
    -------
    Accelerator

    Raises
    ------
    DifferenceError
        If the network differs from its file and no note announces it; the build folder is written all the same, and marked unverified.
    """
    how = Conversion(strict, exact, fixed_bits, weight_bits, sign_at_zero=sign_named(sign_at_zero))
    options = Options(input_type, input_scale, input_offset, calibrate, how)
    target = Target(target_fps, clock_mhz, max_throughput, min_area, folding_file, board, device)
    return compile_with(
        model,
        folder,
        options,
        target,
        writable=writable,
        axi_lite=axi_lite,
        name=name,
        verified=verify,
        cut=cut,
        progress=progress,
    )


def compile_with(
    model: str | Path,
    folder: str | Path,
    options: Options,
    target: Target,
    *,
    writable: str | None = None,
    axi_lite: bool = False,
    name: str | None = None,
    verified: bool = True,
    cut: str | None = None,
    progress: Progress = silent,
) -> Accelerator:
    """Do `compile`, with its options as records."""
    if target.board is not None:
        find_board(target.board)
    if target.device is not None:
        find_device(target.device)
    manifest.check_replaceable(Path(folder))
    with ExitStack() as stack:
        read_part = partial(read_with, options=options, name=name, progress=progress)
        part, parts = Path(model), None
        if cut is None:
            network = read_part(part)
        else:
            # Here and not above: as in `read_with`.
            from hwgen.frontend import taken_apart

            part, network, parts = stack.enter_context(taken_apart(model, cut, read_part))
        verification = None
        if verified:
            frames = None if options.calibrate is None else load_frames(options.calibrate)
            verification = verify(part, network, frames=frames, progress=progress)
    companions = {} if parts is None else parts.files()
    if parts is not None:
        network = replace(network, notes=(*parts.notes(), *network.notes))
    with phase(progress, "folding"):
        folded = target.fold(network, writable=writable, axi_lite=axi_lite)
    accelerator = build(folded, folder, verification=verification, companions=companions, progress=progress)
    if verification is not None and not verification.agrees:
        raise DifferenceError(
            f"'{folder}' is built, but marked unverified, because it is not what '{model}' says. {verification.sentence}. Please report this; "
            "--no-verify does not look"
        )
    return accelerator
