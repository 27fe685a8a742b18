"""Write the tables of ``docs/bibench.md`` from the records: ``python -m benchmarks.bibench.page``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.bibench import counted, robustness
from benchmarks.bibench.algorithms import ALGORITHMS, BASELINE
from benchmarks.bibench.architectures import ARCHITECTURES
from benchmarks.bibench.measure import NETWORKS
from benchmarks.bibench.metrics import overall
from benchmarks.bibench.record import Record
from benchmarks.bibench.targets import TARGETS

__all__ = ["PAGE", "hardware_ratios", "tables", "written"]

PAGE = Path(__file__).parents[2] / "docs" / "bibench.md"
BEGIN, END = "<!-- {}: begin -->", "<!-- {}: end -->"

Row = dict[str, Any]

UNKNOWN = "not measured"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _matrix(entry: Callable[[str, str], str], algorithms: Iterable[str]) -> str:
    """Give a table of architectures by algorithms."""
    names = list(algorithms)
    return _table(
        ["", *(NETWORKS[name].title for name in names)],
        ([what.title, *(entry(what.name, name) for name in names)] for what in ARCHITECTURES.values()),
    )


def stands(row: Row | None) -> str:
    """Say how a network stands to its file."""
    if row is None:
        return UNKNOWN
    if "unfinished" in row:
        return f"not done in {row['unfinished']:.0f} s"
    match row.get("outcome"):
        case None:
            return "refused"
        case "equal":
            return "exact" if row["fixed_bits"] is None else f"equal, {row['fixed_bits']} bits"
        case "rounded":
            return "exact (float32 slips)"
        case "announced":
            return f"off {row['off']:.1g}, {row['fixed_bits']} bits"
        case "refused":
            share = row["sentence"].partition("off by ")[2].partition(" of")[0]
            return f"off {share} of its range, {row['fixed_bits']} bits"
        case outcome:
            return str(outcome)


def _summary(record: Record) -> str:
    """Say in a sentence how many of the pairs are measured, and what came of them."""
    rows = [
        row for what in ARCHITECTURES for name in ALGORITHMS if (row := record.get(what, name)) and "outcome" in row
    ]
    kinds = {
        "exact": sum(row["outcome"] in ("equal", "rounded") for row in rows),
        "within announced roundings": sum(row["outcome"] == "announced" for row in rows),
        "off by more than a tenth of their range": sum(row["outcome"] == "refused" for row in rows),
        "different": sum(row["outcome"] == "differs" for row in rows),
    }
    counted = ", ".join(f"{number} {kind}" for kind, number in kinds.items() if number)
    folded = len([row for row in record.foldings if "luts" in row])
    return (
        f"Measured so far: {len(rows)} of {len(ARCHITECTURES) * len(ALGORITHMS)} pairs of architecture and algorithm ({counted}), "
        f"in {folded} foldings for a family. A table's other entries are open; a run goes on where the last one ended."
    )


def _rate(row: Row | None) -> str:
    if row is None or "frames_a_second" not in row:
        return UNKNOWN if row is None else "refused"
    fits = "" if row["devices"] == 1 else f" ({row['devices']})"
    return (
        f"{row['frames_a_second']:,.0f}{fits}"
        if row["frames_a_second"] >= 10
        else f"{row['frames_a_second']:.1f}{fits}"
    )


def _common(record: Record, entry: str, names: Iterable[str], families: Iterable[str]) -> list[tuple[str, str]]:
    """Give the architectures, each with each family, of which networks of all these names have an entry: only they compare."""
    return [
        (what, family)
        for what in ARCHITECTURES
        for family in families
        if all((row := record.get(what, name, family)) and row.get(entry) for name in names)
    ]


def hardware_ratios(record: Record, algorithm: str) -> tuple[list[float], list[float]]:
    """Give by how much an algorithm's networks are faster for each device that they take, and smaller, than those of 8 bits."""
    speeds, sizes = [], {}
    for what, family in _common(record, "devices", NETWORKS, TARGETS):
        mine, its = (
            row["frames_a_second"] / row["devices"]
            for name in (algorithm, BASELINE.name)
            if (row := record.get(what, name, family))
        )
        speeds.append(mine / its)
        own, base = record.get(what, algorithm), record.get(what, BASELINE.name)
        if own and base:
            sizes[what] = 8 * base["real_weights"] / (own["binary_weights"] + 8 * own["real_weights"])
    return speeds, list(sizes.values())


def _overall(record: Record) -> str:
    known = [what for what, _ in _common(record, "compression", ALGORITHMS, [""])]
    rows = []
    for name, algorithm in ALGORITHMS.items():
        found = [row for what in known if (row := record.get(what, name))]
        theory = [row["compression"] for row in found], [row["speedup"] for row in found]
        hardware = hardware_ratios(record, name)
        figures = [
            figure
            for kinds in (theory, hardware)
            if kinds[0]
            for figure in (*(f"{sum(each) / len(each):.1f}" for each in kinds), f"{overall(*kinds):.1f}")
        ]
        rows.append([algorithm.title, *figures, *[UNKNOWN] * (6 - len(figures))])
    speeds, sizes = hardware_ratios(record, next(iter(ALGORITHMS)))
    head = ["algorithm", "r_c", "r_s", "OM theory", "faster", "smaller", "OM hardware"]
    titles = ", ".join(ARCHITECTURES[what].title for what in known)
    return (
        f"{_table(head, rows)}\n\nTheory over {titles}; hardware over the {len(speeds)} pairs of architecture and family in which "
        f"all nine networks are folded, of {len(sizes)} architectures."
    )


def _resources(record: Record, family: str) -> str:
    rows = []
    for what in ARCHITECTURES.values():
        for name, algorithm in NETWORKS.items():
            row = record.get(what.name, name, family)
            if row is None:
                continue
            if "refused" in row:
                rows.append([what.title, algorithm.title, f"refused: {row['refused']}", *[""] * 5])
                continue
            numbers = [f"{row[each]:,}" for each in ("luts", "ffs", "ram_kbit", "multipliers", "devices", "cycles")]
            rows.append([what.title, algorithm.title, *numbers, _rate(row).split(" ")[0], f"{row['microjoules']:,.1f}"])
    head = ["", "algorithm", "LUT", "FF", "RAM, kbit", "multipliers", "devices", "cycles", "frames/s", "uJ a frame"]
    return _table(head, rows)


def _robustness() -> str:
    known = json.loads(robustness.RECORD.read_text(encoding="utf-8"))
    rows = []
    for name in (each for each in (robustness.REFERENCE, *robustness.NETWORKS) if each in known):
        found = robustness.summary(known, name)
        figures = [f"{found[each]:.1%}" for each in ("clean", "corrupted")]
        rows.append([f"`{name}`", *figures, f"{found['relative_mce']:.2f}", f"{found['overall']:.2f}"])
    return _table(["network", "clean", "corrupted, mean", "relative mCE", "OM robustness"], rows)


def _counted() -> str:
    rows = []
    for row in json.loads(counted.RECORD.read_text(encoding="utf-8")) if counted.RECORD.exists() else []:
        luts, ffs, brams = (
            f"{row['estimated'][each]:,}, {row['counted'][each]:,}" for each in ("luts", "ffs", "brams")
        )
        off = f"{row['mismatches']}, {row['beats_off_schedule']}"
        names = [ARCHITECTURES[row["architecture"]].title, NETWORKS[row["algorithm"]].title]
        rows.append([*names, f"{row['cycles']:,}", luts, ffs, brams, off])
    head = ["", "algorithm", "cycles", "LUT: estimated, counted", "FF", "block RAM", "mismatches, beats off schedule"]
    return _table(head, rows)


def tables(record: Record | None = None) -> dict[str, str]:
    """Give every table by its name on the page."""
    record = Record() if record is None else record
    found = {
        "complexity": _matrix(
            lambda what, name: (
                f"{row['compression']:.1f} / {row['speedup']:.1f}"
                if (row := record.get(what, name)) and "compression" in row
                else UNKNOWN
            ),
            ALGORITHMS,
        ),
        "counted": _counted(),
        "exact": _matrix(lambda what, name: stands(record.get(what, name)), NETWORKS),
        "overall": _overall(record),
        "resources": _resources(record, "ecp5"),
        "robustness": _robustness(),
        "summary": _summary(record),
    }
    for family in TARGETS:

        def rate(what: str, name: str, family: str = family) -> str:
            return _rate(record.get(what, name, family))

        found[f"rates {family}"] = _matrix(rate, NETWORKS)
    return found


def written(text: str, parts: dict[str, str]) -> str:
    """Give a page with its tables in their places."""
    for name, table in parts.items():
        begin, end = BEGIN.format(name), END.format(name)
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}"
    return text


def main() -> None:
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), tables()), encoding="utf-8")


if __name__ == "__main__":
    main()
