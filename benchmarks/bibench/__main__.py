"""Measure what BiBench measures, on FPGAs: ``python -m benchmarks.bibench``; what the record holds already is left alone.

``--architectures``, ``--algorithms`` and ``--families`` take names with commas between; ``--again`` measures what they choose anew, ``--record`` names another file; ``--seconds`` bounds the time
of a network, which is kept as unfinished then. ``python -m benchmarks.bibench.robustness`` is the robustness track, ``python -m benchmarks.bibench.page`` writes the
tables of ``docs/bibench.md``.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.bibench.architectures import ARCHITECTURES
from benchmarks.bibench.measure import NETWORKS, measure
from benchmarks.bibench.record import RECORD, Record
from benchmarks.bibench.targets import TARGETS


def _send(pipe: Connection, architecture: str, algorithm: str, families: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for row in measure(architecture, algorithm, families, Path(folder)):
            pipe.send(row)
    pipe.send(None)


def one(record: Record, architecture: str, algorithm: str, families: list[str], seconds: float) -> None:
    """Measure a network in a process of its own, and keep its rows as they come."""
    here, there = multiprocessing.Pipe()
    worker = multiprocessing.Process(target=_send, args=(there, architecture, algorithm, families))
    worker.start()
    there.close()
    row = {"architecture": architecture, "algorithm": algorithm}
    try:
        while here.poll(seconds) and (found := here.recv()) is not None:
            record.keep(found)
            print(found, flush=True)
        if worker.is_alive() and not here.closed and record.get(architecture, algorithm) is None:
            record.keep({**row, "unfinished": seconds})
    except EOFError:
        print(f"{architecture} {algorithm}: its process ended", flush=True)
    finally:
        worker.kill()
        worker.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, known in (("architectures", ARCHITECTURES), ("algorithms", NETWORKS), ("families", TARGETS)):
        parser.add_argument(f"--{name}", default=",".join(known), type=lambda text: text.split(","))
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--seconds", type=float, default=900)
    chosen = parser.parse_args()
    record = Record(chosen.record)
    for architecture in chosen.architectures:
        for algorithm in chosen.algorithms:
            families = [
                family for family in chosen.families if chosen.again or not record.has(architecture, algorithm, family)
            ]
            if families and not (not chosen.again and "refused" in (record.get(architecture, algorithm) or {})):
                one(record, architecture, algorithm, families, chosen.seconds)


if __name__ == "__main__":
    main()
