"""The errors a user can cause, each one sentence that names the culprit and says what to do."""

from __future__ import annotations

from dataclasses import dataclass


class HwgenError(Exception):
    """Base of every error that the command line shows as one line, with exit code 2."""


class ModelError(HwgenError):
    """The ONNX file cannot be read, or holds something that cannot become hardware."""


@dataclass(frozen=True)
class Obstacle:
    """One node that stands in the way: its name, its operator, and why, with what would have to change; without a node it is the whole model."""

    node: str | None
    op: str | None
    reason: str

    def __str__(self) -> str:
        return self.reason if self.node is None else f"'{self.node}' ({self.op}): {self.reason}"


class NodesError(ModelError):
    """Several nodes cannot become hardware.

    Parameters
    ----------
    obstacles : tuple of Obstacle
        All of them, in the graph's order.
    sentence : str or None
        What to say; None: a list of all.
    """

    def __init__(self, obstacles: tuple[Obstacle, ...], sentence: str | None = None) -> None:
        count = f"{len(obstacles)} node{'s' if len(obstacles) > 1 else ''}"
        super().__init__(sentence or f"{count} of the model cannot become hardware: {'; '.join(map(str, obstacles))}")
        self.obstacles = obstacles


class OrderError(ModelError):
    """A node reads elements of a map in an order that no few layers give."""


class OptionError(HwgenError):
    """An option, a folding file or an argument has no legal meaning for this network."""


class DataError(HwgenError):
    """An input tensor does not have the shape, type or values that the network takes."""


class BuildError(HwgenError):
    """A build folder is missing, incomplete or was changed by hand."""


class ToolError(HwgenError):
    """An external program is missing, too old, or failed."""


class DifferenceError(HwgenError):
    """A network differs from the ONNX file that it was made of, and nothing announces it: a bug in hwgen, or in who ran the file.

    Its build folder was written all the same, and is marked unverified. The command line ends with exit code 1.
    """


class LinkError(HwgenError):
    """A board does not answer, or is not the one that was built."""
