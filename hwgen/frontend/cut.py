"""A model taken apart: what the accelerator computes, and what stays on the host in front of it and behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import onnx

from hwgen.errors import ModelError, NodesError, OptionError
from hwgen.frontend.dataflow import Dataflow
from hwgen.frontend.load import load_model

__all__ = ["AUTO", "Cut", "cut_at", "cut_where_needed", "taken_apart"]

Found = TypeVar("Found")

AUTO = "auto"
"""Asks for the cut that leaves to the host what cannot become hardware, and as little else as can be."""

ROUNDS = 16
"""How often a cut is moved until what is left becomes hardware."""


@dataclass(frozen=True, eq=False)
class Cut:
    """A model in up to three parts. Run one after another, each fed by names, they yield what the whole yields.

    Parameters
    ----------
    begins, ends : tuple of str
        Tensors of the model at which the accelerator begins and ends: inputs and outputs of its part.
    accelerated : ModelProto
    in_front, behind : ModelProto or None
        What stays on the host; None: nothing.
    nodes_in_front, nodes_behind : tuple of str
        The nodes of these, as ``'name' (operator)``.
    """

    begins: tuple[str, ...]
    ends: tuple[str, ...]
    accelerated: onnx.ModelProto
    in_front: onnx.ModelProto | None
    behind: onnx.ModelProto | None
    nodes_in_front: tuple[str, ...]
    nodes_behind: tuple[str, ...]

    @property
    def place(self) -> str:
        """The cut as `cut_at` takes it."""
        return f"{','.join(self.begins)}:{','.join(self.ends)}"

    def files(self) -> dict[str, bytes]:
        """Give the parts as files, by their names."""
        parts = {"in_front.onnx": self.in_front, "accelerated.onnx": self.accelerated, "behind.onnx": self.behind}
        return {name: part.SerializeToString() for name, part in parts.items() if part is not None}

    def notes(self) -> tuple[str, ...]:
        """Say in sentences what stays on the host."""
        said = []
        if self.nodes_in_front:
            said.append(f"In front of {_list(self.begins)} the host runs in_front.onnx: {_few(self.nodes_in_front)}")
        if self.nodes_behind:
            said.append(f"Behind {_list(self.ends)} the host runs behind.onnx: {_few(self.nodes_behind)}")
        return tuple(said)


@contextmanager
def taken_apart(
    path: str | Path, place: str, read: Callable[[Path], Found]
) -> Iterator[tuple[Path, Found, Cut | None]]:
    """Take a model apart at a place, or where it must be, and read the accelerator's part.

    Parameters
    ----------
    path : path to an ``.onnx`` file
    place : str
        `AUTO`, or as `cut_at` takes it.
    read : callable
        Reads a file.

    Yields
    ------
    Path, object, Cut or None
        A file of the accelerator's part, which is gone behind the block; what reading it gave; the cut, or None where the whole model becomes hardware.
    """
    with TemporaryDirectory() as folder:
        part = Path(folder) / Path(path).name

        def read_part(model: onnx.ModelProto) -> Found:
            part.write_bytes(model.SerializeToString())
            return read(part)

        if place == AUTO:
            found, cut = cut_where_needed(path, read_part)
        else:
            cut = cut_at(path, place)
            found = read_part(cut.accelerated)
        yield part, found, cut


def cut_at(path: str | Path, place: str) -> Cut:
    """Take a model apart at tensors that a user names.

    Parameters
    ----------
    path : path to an ``.onnx`` file
    place : str
        ``ENDS``, ``BEGINS:`` or ``BEGINS:ENDS``, each the names of tensors with commas between; what is not named are the graph's inputs and outputs.

    Raises
    ------
    OptionError
        If a name is no tensor that depends on an input, or tensors that are not named cross the cut.
    """
    graph = Dataflow(load_model(path))
    first, last = _named(place, graph.tensors)
    if not first and not last:
        raise OptionError(f"--cut {place} names no tensor; name those at which the accelerator ends, or 'auto'")
    front = graph.before(graph.maker[name] for name in first if name in graph.maker)
    reached = graph.before(graph.maker[name] for name in last if name in graph.maker) if last else set(graph.order)
    cut = _apart(graph, front, set(graph.order) - reached - front)
    for crossing, told, what, side in (
        (cut.begins, first, "in front of", "reads"),
        (cut.ends, last, "behind", "yields"),
    ):
        missing = [name for name in crossing if told and name not in told and name not in graph.ports]
        if missing:
            raise OptionError(
                f"--cut {place} leaves nodes {what} the accelerator to the host, but what remains also {side} {_list(missing)} "
                "across the cut; name these tensors as well"
            )
    return cut


def cut_where_needed(path: str | Path, read: Callable[[onnx.ModelProto], Found]) -> tuple[Found, Cut | None]:
    """Take a model apart so that what is left becomes hardware.

    A node that stands in the way stays on the host with all behind it, or with all in front of it, whichever is less.

    Parameters
    ----------
    path : path to an ``.onnx`` file
    read : callable
        Reads a part; raises NodesError where nodes cannot become hardware.

    Returns
    -------
    object, Cut or None
        What reading the accelerator's part gave; the cut, or None where nothing stands in the way.

    Raises
    ------
    NodesError
        If nothing would be left for the accelerator.
    """
    graph = Dataflow(load_model(path))
    front: set[int] = set()
    behind: set[int] = set()
    cut = None
    for _ in range(ROUNDS):
        try:
            return read(graph.model if cut is None else cut.accelerated), cut
        except NodesError as error:
            found = graph.find(obstacle.node for obstacle in error.obstacles) - front - behind
            if not found:
                raise
            for node in found:
                before, after = graph.before([node]), graph.after([node])
                if len(before) < len(after):
                    front |= before
                else:
                    behind |= after
            if front & behind or not set(graph.order) - front - behind:
                raise
            cut = _apart(graph, front, behind)
    raise ModelError(
        f"'{path}' was cut {ROUNDS} times, and nodes that cannot become hardware are left; name the tensors to cut at with --cut"
    )


def _apart(graph: Dataflow, front: Set[int], behind: Set[int]) -> Cut:
    """Take a model apart, in front of what is in neither set, and behind it."""
    inner = set(graph.order) - front - behind
    if not inner:
        raise OptionError(f"The cut leaves nothing for the accelerator; cut '{graph.model.graph.name}' elsewhere")
    given, computed = graph.made_by(front), graph.made_by(inner)
    begins = graph.across(inner, (*graph.inputs, *given))
    to_host = graph.across(behind, (*graph.inputs, *given, *computed))
    ends = tuple(name for name in computed if name in to_host or name in graph.outputs)
    from_front = tuple(name for name in given if name in begins or name in to_host or name in graph.outputs)
    last = tuple(name for name in graph.made_by(behind) if name in graph.outputs)
    return Cut(
        begins,
        ends,
        graph.part(inner, begins, ends),
        graph.part(front, graph.across(front, graph.inputs), from_front) if front else None,
        graph.part(behind, to_host, last) if behind else None,
        graph.titles(front),
        graph.titles(behind),
    )


def _named(place: str, tensors: Set[str]) -> tuple[list[str], list[str]]:
    """Read a place. Names may hold colons too: the one that parts is that on both sides of which there are tensors."""
    readings = [("", place), *((place[:at], place[at + 1 :]) for at, sign in enumerate(place) if sign == ":")]
    unknown = ""
    for sides in readings:
        begins, ends = ([name for part in side.split(",") if (name := part.strip())] for side in sides)
        strange = [name for name in (*begins, *ends) if name not in tensors]
        if not strange:
            return begins, ends
        unknown = strange[0]
    raise OptionError(
        f"--cut names '{unknown}', which is no tensor of the model that depends on an input; name an output of one of its nodes"
    )


def _list(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _few(nodes: Sequence[str], most: int = 6) -> str:
    return ", ".join(nodes[:most]) + (f" and {len(nodes) - most} more nodes" if len(nodes) > most else "")
