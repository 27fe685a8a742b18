"""Simulate an accelerator as it was synthesised, and hold it to what was predicted for its Verilog."""

from __future__ import annotations

from pathlib import Path

from hwgen.arrays.codec import Inputs, Outputs
from hwgen.build_folder.open import load
from hwgen.progress import Progress, silent
from hwgen.sim.check import Engine, Simulation, simulate
from hwgen.synthesis.gates import Netlist, gate_verilog
from hwgen.synthesis.keep import scratch_folder

__all__ = ["simulate_netlist"]

COMPILER_FLAGS = ("-O0",)
"""Thousands of cells take the compiler longer than some frames take the simulator."""


def simulate_netlist(
    folder: str | Path,
    x: Inputs | None = None,
    *,
    target: str,
    netlist: Netlist | str = Netlist.ROUTED,
    expected: Outputs | None = None,
    frames: int | None = None,
    engine: Engine | str = Engine.VERILATOR,
    stall: bool = False,
    waves: str | Path | None = None,
    progress: Progress = silent,
) -> Simulation:
    """Simulate the cells that synthesis made of a build folder's Verilog, without their delays.

    Parameters
    ----------
    folder : str or Path
        Build folder, synthesised for the target.
    x : ndarray, mapping of str to ndarray, or None
        As for `hwgen.Accelerator.simulate`, like all that follow.
    target : str
        Device; for the mapped netlist a board as well.
    netlist : Netlist or str
        "mapped": what Yosys mapped the Verilog to; "routed": what nextpnr packed, placed and routed.
    expected, frames, engine, stall, waves, progress
        See `hwgen.Accelerator.simulate`.

    Raises
    ------
    OptionError
        If there is no such netlist.
    ToolError
        If a cell has no model, or a tool is missing or fails.
    """
    accelerator = load(folder)
    text = gate_verilog(Path(folder), target, Netlist(netlist))
    with scratch_folder() as scratch:
        (scratch / "rtl").mkdir()
        (scratch / "rtl" / f"{accelerator.network.name}.v").write_text(text, encoding="utf-8")
        return simulate(
            accelerator.pipeline,
            scratch,
            x,
            expected=expected,
            frames=frames,
            engine=Engine(engine),
            stall=stall,
            waves=None if waves is None else Path(waves),
            progress=progress,
            compiler_flags=COMPILER_FLAGS,
        )
