"""Figures of the pages, drawn from the records of the benchmarks while the pages are built: none is kept."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.bibench import robustness
from benchmarks.bibench.architectures import ARCHITECTURES
from benchmarks.bibench.measure import NETWORKS
from benchmarks.bibench.record import Record

FOLDER = Path(__file__).parent / "figures"

FAMILY = "ecp5"
BAR = 0.09
"""Width of a bar, of the room between two architectures."""


def draw() -> None:
    """Draw every figure."""
    FOLDER.mkdir(exist_ok=True)
    mpl.rcParams["svg.hashsalt"] = "hwgen"  # the same bytes each time
    mpl.rcParams["svg.fonttype"] = "none"
    record = Record()
    _keep(_bars(record, "frames_a_second", "frames a second, for each device that is taken"), "bibench_rates")
    _keep(_bars(record, "microjoules", "estimated energy of a frame, uJ"), "bibench_energy")
    _keep(_corruptions(), "bibench_robustness")


def _keep(figure: Figure, name: str) -> None:
    figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")


def _bars(record: Record, what: str, label: str) -> Figure:
    """Draw bars of all algorithms side by side for each architecture, on a logarithmic scale."""
    figure = Figure(figsize=(9, 4))
    axes = figure.subplots()
    for number, (name, algorithm) in enumerate(NETWORKS.items()):
        places, heights = [], []
        for place, architecture in enumerate(ARCHITECTURES):
            row = record.get(architecture, name, FAMILY)
            if row is not None and row.get(what):
                places.append(place + (number - (len(NETWORKS) - 1) / 2) * BAR)
                heights.append(row[what] / (row["devices"] if what == "frames_a_second" else 1))
        axes.bar(places, heights, BAR, label=algorithm.title)
    axes.set_yscale("log")
    axes.set_xticks(range(len(ARCHITECTURES)), [each.title for each in ARCHITECTURES.values()])
    axes.set_ylabel(label)
    axes.grid(axis="y", linewidth=0.3)
    axes.legend(ncols=5, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, 1.2))
    return figure


def _corruptions() -> Figure:
    """Draw the accuracies of each network by severity, a panel a corruption."""
    known = json.loads(robustness.RECORD.read_text(encoding="utf-8"))
    names = list(next(iter(known.values()))["corrupted"])
    figure = Figure(figsize=(9, 6.5))
    panels = figure.subplots(3, 4, sharex=True, sharey=True).ravel()
    for panel, name in zip(panels, names, strict=False):
        for network, found in known.items():
            levels = [found["clean"], *found["corrupted"][name]]
            panel.plot(range(len(levels)), [100 * each for each in levels], marker=".", label=network)
        panel.set_title(name, fontsize="small")
        panel.grid(linewidth=0.3)
    for panel in panels[len(names) :]:
        panel.set_axis_off()
    figure.supxlabel("severity; 0: the images as they are")
    figure.supylabel("accuracy, %")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="lower right")
    return figure
