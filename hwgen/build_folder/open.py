"""A build folder, open for use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hwgen.arrays import codec
from hwgen.build_folder import manifest, network_file
from hwgen.errors import BuildError, OptionError
from hwgen.folding.file import folding_from_json
from hwgen.folding.json_text import read_json
from hwgen.folding.target import read_text
from hwgen.golden.network import PackedNetwork
from hwgen.network import Network
from hwgen.pipeline.layout import Pipeline, lay_out
from hwgen.pipeline.memory_image import LOADED
from hwgen.plan import Plan
from hwgen.progress import Progress, silent
from hwgen.sim.check import Engine, Simulation, simulate

__all__ = ["Accelerator", "load"]


@dataclass(frozen=True, eq=False)
class Accelerator:
    """A build folder, open for use.

    Parameters
    ----------
    folder : Path
    plan : Plan
        The network, its folding and its clock.
    report : dict
        Contents of ``report.json``.
    """

    folder: Path
    plan: Plan
    report: dict[str, Any]

    @cached_property
    def pipeline(self) -> Pipeline:
        """The plan, laid out."""
        return lay_out(self.plan)

    @property
    def network(self) -> Network:
        """The layers of integers, with their golden model."""
        return self.plan.network

    @property
    def files(self) -> list[str]:
        """What the build wrote, as paths within the folder."""
        return manifest.written_files(self.folder)

    def golden(self, x: codec.Inputs, *, codes: bool = False) -> codec.Outputs:
        """Run the golden model, in its bit-packed form; ``network.golden_maps`` is the plain one, and gives the same.

        Parameters
        ----------
        x : ndarray, shape (frames, *input shape of the ONNX model) or one frame, or mapping of str to ndarray
            Floats are in the model's units; integers are codes; of several inputs each by its name.
        codes : bool
            Give raw integers instead of the model's own units.

        Returns
        -------
        ndarray, shape (frames, *output shape of the ONNX model), or dict of str to ndarray
            In the model's dtype, or int64 for codes; of several outputs each by its name.

        Raises
        ------
        DataError
            If the input does not suit the network.
        """
        maps = PackedNetwork(self.network).golden_maps(*codec.input_codes(self.network, x))
        return codec.outputs_of(self.network, maps, codes=codes)

    def simulate(
        self,
        x: codec.Inputs | None = None,
        *,
        expected: codec.Outputs | None = None,
        frames: int | None = None,
        engine: Engine | str = Engine.VERILATOR,
        stall: bool = False,
        waves: str | Path | None = None,
        progress: Progress = silent,
    ) -> Simulation:
        """Simulate the Verilog, and hold every value to the golden model and every beat to the predicted cycle.

        Parameters
        ----------
        x : ndarray, shape (frames, *input shape of the ONNX model) or one frame, or mapping of str to ndarray, or None
            Floats are in the model's units; integers are codes; of several inputs each by its name. None: frames that are chosen so that weights and
            thresholds matter; the result's ``seen`` tells how many.
        expected : ndarray, dict of str to ndarray, or None
            Labels (1-D integers) to count, or outputs that must be equal: floats in the model's units, or codes; of several outputs
            those to compare, each by its name.
        frames : int or None
            Only the first so many frames.
        engine : Engine or str
            Simulator.
        stall : bool
            Once more with resets, and with random stalls on both sides, of single cycles and of more than a frame.
        waves : path or None
            FST file to write.
        progress : callable
            Called with the name of each step.

        Returns
        -------
        Simulation

        Raises
        ------
        DataError
            If the input or the expectation does not suit the network.
        ToolError
            If the simulator is missing or fails.
        """
        return simulate(
            self.pipeline,
            self.folder,
            x,
            expected=expected,
            frames=frames,
            engine=_engine(engine),
            stall=stall,
            waves=None if waves is None else Path(waves),
            progress=progress,
        )


def load(folder: str | Path) -> Accelerator:
    """Open a build folder; the ONNX file is not needed.

    Raises
    ------
    BuildError
        If the folder is missing, incomplete, or a file in it was changed.
    """
    folder = Path(folder)
    manifest.check(folder)
    network = network_file.load_network(_network_folder(folder))
    try:
        plan = folding_from_json(network, read_text(folder / "folding.json"), source="its folding.json")
        report = read_json(read_text(folder / "report.json"), "its report.json", finite=False)
    except OptionError as error:
        raise BuildError(f"'{folder}' cannot be read ({error}); compile again") from None
    return Accelerator(folder, plan, report)


def _network_folder(folder: Path) -> Path:
    """Give the folder of the network that a build means: its own, or the one that was loaded last."""
    loaded = folder / LOADED
    if not loaded.is_dir():
        return folder
    manifest.check(loaded)
    return loaded


def _engine(name: Engine | str) -> Engine:
    try:
        return Engine(name)
    except ValueError:
        legal = ", ".join(engine.value for engine in Engine)
        raise OptionError(f"The engine must be one of {legal}, not {name!r}") from None
