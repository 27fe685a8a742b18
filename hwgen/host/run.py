"""Inference on a board, real or virtual, through its serial port."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hwgen.arrays import codec
from hwgen.board.write import link_shape
from hwgen.build_folder.identity import identity
from hwgen.build_folder.open import Accelerator
from hwgen.errors import LinkError
from hwgen.golden.network import PackedNetwork
from hwgen.host.link import Counters, HostLink
from hwgen.pipeline.memory_image import writes_of
from hwgen.progress import Progress, silent
from hwgen.rtl_templates.link.link_protocol import LinkShape
from hwgen.rtl_templates.link.load_format import LoadState
from hwgen.rtl_templates.registers.register_bus import STROBES
from hwgen.rtl_templates.registers.registers import STATUS_BUSY, Register

__all__ = ["DEFAULT_BAUD", "BoardRun", "check_hardware", "check_loaded", "load", "run"]

DEFAULT_BAUD = 1_000_000

BOOT_FAILURES = {
    LoadState.NO_FLASH: "no flash answered, or an erased one",
    LoadState.NO_IMAGE: "its flash has no image of memories",
    LoadState.OTHER_NETWORK: "its flash has the image of another build",
    LoadState.DAMAGED: "the image in its flash is damaged",
}

LOADING_SECONDS = 60.0
"""What a boot loader may take: the largest images are through in a second."""


@dataclass(frozen=True, eq=False)
class BoardRun:
    """What a board answered, and how that compares.

    Parameters
    ----------
    outputs : ndarray, shape (frames, *output shape of the ONNX model), or dict of str to ndarray
        In the model's own units; of several outputs each by its name.
    codes : ndarray of int64, same shape, or dict of str to ndarray
        Raw integers.
    frames : int
    mismatches : int or None
        Frames whose output differs from the golden model; None if that was not asked for.
    seconds : float
        From the first request to the last answer.
    retries : int
        Requests that had to be sent again.
    counters : Counters
        The board's own, since its reset.
    network_id : int
    clock_hz : int
        Clock of the board.
    """

    outputs: codec.Outputs
    codes: codec.Outputs
    frames: int
    mismatches: int | None
    seconds: float
    retries: int
    counters: Counters
    network_id: int
    clock_hz: int

    @property
    def exact(self) -> bool:
        """Whether nothing was found to differ, and the accelerator never lost count of a frame's beats."""
        return not (self.mismatches or self.counters.frame_error)

    @property
    def frames_per_second(self) -> float:
        """Frames a second through the serial port, answer awaited for each."""
        return self.frames / self.seconds

    def facts(self) -> dict[str, Any]:
        """Give everything but the arrays, as JSON types."""
        return {
            "frames": self.frames,
            "mismatches": self.mismatches,
            "seconds": round(self.seconds, 3),
            "frames_per_second": round(self.frames_per_second, 2),
            "retries": self.retries,
            "network_id": f"{self.network_id:016x}",
            "clock_hz": self.clock_hz,
            "counters": asdict(self.counters),
        }


def run(
    accelerator: Accelerator,
    link: HostLink,
    x: codec.Inputs,
    *,
    frames: int | None = None,
    check: bool = False,
    progress: Progress = silent,
) -> BoardRun:
    """Have a board infer frames, after it has proved to hold this very build.

    Parameters
    ----------
    accelerator : hwgen.Accelerator
        An open build folder.
    link : HostLink
        To the board.
    x : ndarray, shape (frames, *input shape of the ONNX model) or one frame, or mapping of str to ndarray
        Floats are in the model's units; integers are codes; of several inputs each by its name.
    frames : int or None
        Only the first so many frames.
    check : bool
        Compare every output with the golden model's.
    progress : callable
        Called with the name of each step.

    Returns
    -------
    BoardRun

    Raises
    ------
    DataError
        If the input does not suit the network.
    LinkError
        If the board does not answer, or holds another build.
    """
    network = accelerator.network
    codes = codec.input_codes(network, x, frames)
    count = len(codes[0])
    source, sink = accelerator.pipeline.source, accelerator.pipeline.sink
    progress("asking the board what it holds")
    found = check_hardware(accelerator, link)
    if found.registers:
        check_loaded(accelerator, link)
    beats = source.pack(codes).reshape(count, -1)
    answers, began = [], time.perf_counter()
    for number, frame in enumerate(beats, 1):
        progress(f"inferring frame {number} of {len(beats)}")
        answers.append(link.infer(frame.tobytes(), sink.count * sink.bytes))
    seconds = time.perf_counter() - began
    got = sink.unpack(np.frombuffer(b"".join(answers), np.uint8).reshape(-1, sink.bytes))
    mismatches = None
    if check:
        progress("running the golden model")
        golden = PackedNetwork(network).golden_maps(*codes)
        wrong = [np.any((a != b).reshape(count, -1), axis=1) for a, b in zip(got, golden, strict=True)]
        mismatches = int(np.any(wrong, axis=0).sum())
    return BoardRun(
        outputs=codec.outputs_of(network, got),
        codes=codec.outputs_of(network, got, codes=True),
        frames=count,
        mismatches=mismatches,
        seconds=seconds,
        retries=link.retries,
        counters=link.counters(),
        network_id=found.network_id,
        clock_hz=found.clock_hz,
    )


def check_hardware(accelerator: Accelerator, link: HostLink) -> LinkShape:
    """Make sure that a board's hardware is that of the build folder, and give what it says of itself.

    Raises
    ------
    LinkError
        If it is another one.
    """
    found = link.identify()
    wanted = link_shape(accelerator, found.clock_hz)
    if found != wanted:
        raise LinkError(
            f"The board holds network {found.network_id:016x}, and '{accelerator.folder}' is {wanted.network_id:016x}; "
            "load this build's bitstream, or name the build folder that the board was made of"
        )
    return found


def check_loaded(accelerator: Accelerator, link: HostLink) -> None:
    """Make sure that a board's memories hold the network that the build folder means.

    Raises
    ------
    LinkError
        If they hold another one, or none.
    """
    deadline = time.monotonic() + LOADING_SECONDS
    while (state := link.read(Register.CONTROL * STROBES) >> 8 & 0xFF) == LoadState.LOADING:
        if time.monotonic() > deadline:
            raise LinkError(
                f"The board has been loading its memories from its flash for more than {LOADING_SECONDS:g} seconds; "
                "program the board again with 'hwgen program', or write them with 'hwgen reload'"
            )
    if state in BOOT_FAILURES:
        raise LinkError(
            f"The board's memories hold no network: {BOOT_FAILURES[state]}; program the board again with 'hwgen program', "
            "or write them with 'hwgen reload'"
        )
    low, high = (link.read((Register.LOADED_ID + half) * STROBES) for half in (0, 1))
    wanted = identity(accelerator.plan)
    if not low | high << 32:
        raise LinkError(
            "The board's memories hold no network: nothing has written them since the board was switched on; "
            "write them with 'hwgen reload'"
        )
    if low | high << 32 != wanted:
        raise LinkError(
            f"The board's memories hold network {low | high << 32:016x}, and '{accelerator.folder}' means {wanted:016x}; "
            "write it with 'hwgen reload'"
        )


def load(link: HostLink, image: bytes, *, progress: Progress = silent) -> None:
    """Write an image into the memories of a board, with its input closed meanwhile.

    Parameters
    ----------
    link : HostLink
    image : bytes
        As `hwgen.pipeline.memory_image.load_image` gives it.
    progress : callable
        Called with the name of each step.

    Raises
    ------
    LinkError
        If the board does not answer, or cannot be written.
    """
    control, most = Register.CONTROL * STROBES, link.identify().write_words
    link.write(control, [0])
    while link.read(Register.STATUS * STROBES) & STATUS_BUSY:
        pass
    segments = list(writes_of(image, "the image"))
    total, done = sum(len(words) for _, words in segments), 0
    for address, words in segments:
        for first in range(0, len(words), most):
            progress(f"writing word {done} of {total}")
            part = words[first : first + most].tolist()
            link.write(address + STROBES * first, part)
            done += len(part)
    link.write(control, [1])
