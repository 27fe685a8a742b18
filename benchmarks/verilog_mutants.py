"""Plant single mutants in the Verilog and the memories of small networks, and see whether ``hwgen simulate BUILD --stall`` kills them.

``python -m benchmarks.verilog_mutants --seed 22 --per-network 20`` adds that draw to ``verilog_mutants.json`` beside this file (5 minutes); what the record
has is not run again, unless with ``--again``. Each mutant is played as the command plays it, on the frames that it chooses; the compiled simulator has all mutants of
a network in it. What survives is played harder: thousands of frames and many runs of pauses and resets, which no user waits for. What then
still survives, a reader has to judge: ``equivalent`` and ``why`` of a record are written by hand, and kept.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import hwgen
from benchmarks import machine
from benchmarks.mutant_networks import NETWORKS
from benchmarks.mutant_sites import DIFFERS, SWITCH, Flip, Site, draw, planted
from hwgen.arrays.codec import input_frames
from hwgen.errors import ToolError
from hwgen.golden.sensitivity import Effort, choose_frames
from hwgen.progress import silent
from hwgen.sim.check import Engine, Simulation, effort, simulate

RECORD = Path(__file__).with_suffix(".json")
HARDER = Effort(least=2400, most=2400, changes=0, products=1 << 40)
ROUNDS = 4
"""Parts of the frames that are played harder, each with other pauses."""


@dataclass(frozen=True, eq=False)
class Case:
    """A network's build folder with all mutants in its Verilog, and the frames that it is played on."""

    accelerator: hwgen.Accelerator
    mutants: dict[int, Site | Flip]
    chosen: tuple[np.ndarray, ...]
    many: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, name: str, folder: Path, mutants: int, seed: str) -> Case:
        """Compile a network, and draw its mutants."""
        recipe = NETWORKS[name]
        recipe.write(folder / f"{name}.onnx")
        network = hwgen.read(folder / f"{name}.onnx", **recipe.options)
        accelerator = hwgen.build(hwgen.plan(network, **recipe.goal), folder / "build")
        rtl = accelerator.folder / "rtl"
        drawn = draw(rtl, network.name, mutants, seed)
        verilog = rtl / f"{network.name}.v"
        verilog.write_text(planted(verilog.read_text(encoding="ascii"), drawn), encoding="ascii")
        chosen = choose_frames(network, effort(None, accelerator.pipeline, Engine.VERILATOR)).codes
        return cls(accelerator, drawn, chosen, choose_frames(network, HARDER).codes)

    def outcome(self, number: int, frames: tuple[np.ndarray, ...], *, seed: int = 1) -> str:
        """Say by what one mutant is killed; nothing if it survives."""
        rtl, mutant = self.accelerator.folder / "rtl", self.mutants.get(number)
        (rtl / SWITCH).write_text(f"{number if isinstance(mutant, Site) else 0:x}\n", encoding="ascii")
        whole = mutant.apply() if isinstance(mutant, Flip) else ""
        try:
            # The run without pauses comes first anyway: what it kills need not be played on.
            return _verdict(self._simulated(frames, seed, stall=False)) or _verdict(
                self._simulated(frames, seed, stall=True)
            )
        except ToolError as error:
            return f"hang: {str(error).splitlines()[0][:100]}"
        finally:
            if isinstance(mutant, Flip):
                mutant.path.write_text(whole, encoding="ascii")

    def harder(self, number: int) -> dict[str, object]:
        """Say what kills one mutant at last, if anything does; if not, whether its line ever had another value."""
        differs, mark = not isinstance(self.mutants[number], Site), f"{DIFFERS} {number};"
        size = len(self.many[0]) // ROUNDS
        for part in range(ROUNDS):
            frames = tuple(one[part * size : (part + 1) * size] for one in self.many)
            for played, how in ((frames, "random frames"), (self.chosen, "other pauses")):
                if found := self.outcome(number, played, seed=part + 2):
                    return {"harder": f"{how}: {found}"}
                differs |= mark in (self.accelerator.folder / "logs" / "verilator.log").read_text(encoding="utf-8")
        return {"harder": "survived" if differs else "survived, and the line never had another value"}

    def _simulated(self, frames: tuple[np.ndarray, ...], seed: int, *, stall: bool) -> Simulation:
        network = self.accelerator.network
        names = [port.name for port in network.inputs]
        shaped = [input_frames(port, one) for port, one in zip(network.inputs, frames, strict=True)]
        return simulate(
            self.accelerator.pipeline,
            self.accelerator.folder,
            dict(zip(names, shaped, strict=True)) if len(names) > 1 else shaped[0],
            expected=None,
            frames=None,
            engine=Engine.VERILATOR,
            stall=stall,
            waves=None,
            progress=silent,
            compiler_flags=["-O1"],
            seed=seed,
        )


def _verdict(result: Simulation) -> str:
    if result.mismatches:
        return f"value: {result.mismatches} of {result.frames} frames"
    return f"cycle: {result.beats_off_schedule} beats" if result.beats_off_schedule else ""


def run(name: str, seed: int, count: int, known: list[dict[str, object]]) -> Iterator[dict[str, object]]:
    """Give a record of each mutant of a network, those that are known as they are."""
    if len(known) == count:
        yield from known
        return
    with tempfile.TemporaryDirectory() as folder:
        case = Case.of(name, Path(folder), count, f"{name}{seed}")
        assert not case.outcome(0, case.chosen), f"{name} itself differs"
        file = f"{case.accelerator.network.name}.v"
        for number, mutant in case.mutants.items():
            facts = {"network": name, **mutant.facts(file)}
            old = known[number - 1] if number <= len(known) else {}
            if all(old.get(field) == value for field, value in facts.items()):
                yield old
                continue
            outcome = case.outcome(number, case.chosen)
            facts |= {"outcome": outcome or "survived"}
            yield facts if outcome else {**facts, **case.harder(number)}


def summary(mutants: list[dict[str, object]]) -> dict[str, object]:
    """Count a draw's mutants; those that nothing kills and no reader has judged count as not equivalent."""
    survived = [one for one in mutants if one["outcome"] == "survived"]
    equivalent = sum(bool(one.get("equivalent")) for one in survived)
    killed = len(mutants) - len(survived)
    share = round(100 * killed / max(1, len(mutants) - equivalent), 1)
    return {"mutants": len(mutants), "equivalent": equivalent, "killed": killed, "killed_percent_of_others": share}


def written(draws: dict[str, dict[str, object]]) -> str:
    """Give the record's text: a line for each mutant."""
    parts = []
    for seed, facts in draws.items():
        mutants = facts["mutants"]
        assert isinstance(mutants, list)
        head = json.dumps(
            {"summary": summary(mutants)} | {k: v for k, v in facts.items() if k not in ("mutants", "summary")}
        )
        rows = ",\n".join("   " + json.dumps(one) for one in mutants)
        parts.append(f'"{seed}": {head[:-1]}, "mutants": [\n{rows}\n]}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--per-network", type=int, default=20)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--again", action="store_true", help="run what the record has, too")
    parser.add_argument("--record", type=Path, default=RECORD)
    choices = parser.parse_args()
    draws = json.loads(choices.record.read_text(encoding="ascii")) if choices.record.exists() else {}
    facts = draws.setdefault(str(choices.seed), {"machine": machine.facts(), "mutants": []})
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        for name in choices.networks:
            old = [] if choices.again else [one for one in facts["mutants"] if one["network"] == name]
            others = [one for one in facts["mutants"] if one["network"] != name]
            done: list[dict[str, object]] = []
            for one in run(name, choices.seed, choices.per_network, old):
                done.append(one)
                if one["outcome"] == "survived":
                    print(json.dumps(one), flush=True)
                facts["mutants"] = [*others, *done, *old[len(done) :]]
                choices.record.write_text(written(draws), encoding="ascii")
            print(name, summary(done), flush=True)
    print(summary(facts["mutants"]))


if __name__ == "__main__":
    main()
