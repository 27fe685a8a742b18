"""How one layer is folded in time: the choices that a plan makes for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hwgen.codes import CodeType
from hwgen.rtl_templates.memory import MemoryStyle

__all__ = ["Fold", "LaneStyle", "MemoryStyle", "WindowStyle"]


class LaneStyle(Enum):
    """How a matrix-vector unit multiplies and adds."""

    AUTO = "auto"
    """Shared sums where there can be, masked where many lanes of several rows can be, else planes; words where inputs have several bits and all weights are equal."""
    PLANES = "planes"
    """Count the ones in each pair of a bit of the inputs and a bit of the weights, and add the counts by significance."""
    WORDS = "words"
    """Multiply, negate or gate each input by its weight, and add the numbers."""
    MASKED = "masked"
    """As planes, for inputs of -1, 0 and +1 and weights of -1 and +1: all rows together count the inputs that are not 0."""
    SHARED = "shared"
    """Everything at once, with sums that rows share: for constant weights of -1 and +1 and inputs of one bit."""


class WindowStyle(Enum):
    """How a sliding window unit hands over a window."""

    SEQUENTIAL = "sequential"
    """SIMD channels of one tap a beat, read from one memory."""
    PARALLEL = "parallel"
    """All taps and channels of a window in one beat, from line buffers and window registers."""


@dataclass(frozen=True)
class Fold:
    """Folding of one layer.

    Parameters
    ----------
    pe : int
        Output channels (rows) computed at once; divides the row count.
    simd : int
        Inputs (columns) of each row taken at once; divides the column count of a dense layer, the input channels of a
        convolution with a sequential window. With a parallel window it is the whole window.
    memory : MemoryStyle
        Where weights and thresholds live; with weights in SPRAM the thresholds are where their size suits.
    window : WindowStyle
        Kind of sliding window unit; ignored by layers that have none.
    lanes : LaneStyle
        Kind of lanes; ignored by layers that have no weights.
    slots : int or None
        Depth of the layer's output FIFO in beats; None: the least that keeps the layer itself at full rate.
    buffer_beats : int or None
        Capacity of the layer's input buffer in beats (line buffer, vector buffer); None: the layer's default.
    writable : bool
        Whether weights, thresholds and tables can be written at run time.
    weights : CodeType or None
        What the weights of a writable layer may ever be; its sums are as wide as the worst of them needs. None if it has no weights.
    fetch_registers : int
        Registers between the memory of the weights and the lanes, beside the memory's own: each is a cycle more of latency and shortens the wires. With any,
        the memory of a sequential window has one, too, for a cycle more. Ignored by layers that have neither.
    """

    pe: int = 1
    simd: int = 1
    memory: MemoryStyle = MemoryStyle.AUTO
    window: WindowStyle = WindowStyle.SEQUENTIAL
    lanes: LaneStyle = LaneStyle.AUTO
    slots: int | None = None
    buffer_beats: int | None = None
    writable: bool = False
    weights: CodeType | None = None
    fetch_registers: int = 0
