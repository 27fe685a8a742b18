"""What came of holding a network to its file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

__all__ = ["Difference", "Outcome", "Verification"]


@dataclass(frozen=True)
class Difference:
    """One number that differs.

    Parameters
    ----------
    tensor : str
        Of the ONNX file.
    source : str
        The layer or input whose map holds it.
    frame : int
    place : tuple of int
        In the tensor, without batch.
    file, golden : float
    """

    tensor: str
    source: str
    frame: int
    place: tuple[int, ...]
    file: float
    golden: float

    def __str__(self) -> str:
        where = ", ".join(map(str, self.place))
        return (
            f"tensor '{self.tensor}' (layer '{self.source}') at [{where}] of frame {self.frame} is "
            f"{self.file:.9g} in the file, {self.golden:.9g} in the golden model"
        )


class Outcome(Enum):
    """How a network stands to its file."""

    EQUAL = "equal"
    """Every output of every frame is the file's, up to float32's rounding of it."""
    ROUNDED = "equal but for float32 rounding in the file"
    """But where rounding in the file decides otherwise than exact arithmetic, as a note says."""
    SIGN_AT_ZERO = "equal but where a Sign sees exactly 0, which is taken as the notes say"
    """Outputs differ for a reason that a note tells."""
    ANNOUNCED = "within what the notes announce"
    """No further off than announced roundings allow on these frames."""
    DIFFERS = "differs"
    """Nothing explains a difference."""


@dataclass(frozen=True)
class Verification:
    """What came of holding a network to its file.

    Parameters
    ----------
    executor : str
        Who ran the file.
    independent : bool
        Whether none of hwgen's own operators took part in that.
    frames : int
    outcome : Outcome
    announced : dict of str to float
        How far off each output may be on these frames by what the notes announce, in the model's units.
    off : dict of str to float
        How far off each output is at most.
    differing : int
        Frames that nothing explains.
    first : Difference or None
        Where the first of them goes apart.
    notes : tuple of str
        What the report must say: decisions that float32 rounding turned over in the file.
    """

    executor: str
    independent: bool
    frames: int
    outcome: Outcome
    announced: dict[str, float]
    off: dict[str, float]
    differing: int = 0
    first: Difference | None = None
    notes: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether no output differs but as the notes say."""
        return self.outcome is not Outcome.DIFFERS

    @property
    def sentence(self) -> str:
        """Say it in a line."""
        who = self.executor + ("" if self.independent else " (not independent)")
        held = f"Held to {who} on {self.frames} frame{'s' if self.frames > 1 else ''}: "
        if self.outcome is Outcome.DIFFERS:
            return f"{held}{self.differing} differ; first, {self.first}"
        if self.outcome is Outcome.ANNOUNCED:
            several = len(self.announced) > 1
            each = (
                f"{error:.2g}, off by at most {self.off[name]:.2g}" + (f" ('{name}')" if several else "")
                for name, error in self.announced.items()
            )
            return f"{held}within the announced {'; '.join(each)}"
        return held + self.outcome.value

    def facts(self) -> dict[str, Any]:
        """Give everything in JSON types, the same bytes for the same network on any machine as long as nothing differs."""
        return {
            "executor": self.executor,
            "independent": self.independent,
            "frames": self.frames,
            "outcome": self.outcome.name.lower(),
            "announced": {name: float(f"{error:.2g}") for name, error in self.announced.items()},
            "differing": self.differing,
            "first": None if self.first is None else asdict(self.first),
            "sentence": self.sentence,
        }
