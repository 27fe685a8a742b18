"""How a model is to be read, as a user says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hwgen.arrays.files import Frames
from hwgen.conversion import Conversion
from hwgen.streamlining.declaration import InputNumber, InputType

__all__ = ["Calibration", "Options"]

Calibration = Frames | Mapping[str, Frames] | None
"""Frames of the only input, or of each by its name; or their files."""


@dataclass(frozen=True)
class Options:
    """What the host sends, and how real numbers become integers.

    Parameters
    ----------
    input_type : CodeType or str, mapping of str to these, or None
        What the host sends: for every input, or by their names (None: all others); where nothing is said, what the graph says (an integer input, a
        quantiser or sign behind the input).
    input_scale, input_offset : float, mapping of str to float, or None
        Meaning of an input code: the model's input is ``input_scale * code + input_offset``; 1 and 0 if not given.
    calibrate : ndarray, path to a .npy or .npz file, mapping of str to ndarray or to paths, or None
        Frames in the model's own units, which give the conversion its ranges.
    conversion : Conversion
    """

    input_type: InputType = None
    input_scale: InputNumber = None
    input_offset: InputNumber = None
    calibrate: Calibration = None
    conversion: Conversion = field(default_factory=Conversion)
