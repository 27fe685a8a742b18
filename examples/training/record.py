"""What an exported model does: reference outputs and accuracy by ONNX Runtime."""

import dataclasses
import json

import numpy as np
import onnx
import onnxruntime

from examples.data.boxes import mean_average_precision
from examples.data.load import load
from examples.training.bipolar_quant import without_bipolar_quant

REFERENCE_FRAMES = 200


@dataclasses.dataclass(frozen=True, kw_only=True)
class Input:
    """What the codes of a kept frame mean: the model's input is ``scale * code + offset``.

    Parameters
    ----------
    type : str
        "uint8", "int8" or "bipolar".
    scale, offset : float
        Applied in float64, then rounded to float32.
    frame_shape : tuple of int
        Of one frame, as the model takes it.
    dtype : str
        Of the model's input.
    """

    type: str
    scale: float
    offset: float
    frame_shape: tuple
    dtype: str = "float32"

    def frames(self, codes):
        """Return `codes` as frames, [n, *frame_shape]."""
        values = codes.astype(np.float64) * self.scale + self.offset
        return values.astype(self.dtype).reshape(-1, *self.frame_shape)


def outputs(model, frames):
    """Return what `model`, an ONNX model, answers to `frames`, one at a time."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # Brevitas lists initializers as inputs: a warning for each
    content = without_bipolar_quant(model).SerializeToString()
    session = onnxruntime.InferenceSession(content, options)
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: frame[None]})[0] for frame in frames])


def hits(y, labels):
    """Return how right outputs `y` are.

    That is the share of `labels` that they name, by the first highest score or as classes where `y` is integer, and for
    a detector's outputs and boxes, both of three axes, their mean average precision.
    """
    if y.dtype.kind == "f" and y.ndim == labels.ndim == 3:
        return mean_average_precision(y, labels)
    return float(np.mean((y if y.dtype.kind == "i" else y.argmax(1)) == labels))


def record(folder, meaning, kept, *, frames=None, tested=None, facts=None):
    """Write `reference.npz` and `expected.json` beside the `model.onnx` in `folder`.

    Parameters
    ----------
    folder : Path
        Of the example.
    meaning : Input
        Of the codes in the kept data.
    kept : str
        Name of the kept data set.
    frames : int, optional
        How many of its frames, from the first on, the tests go through; all of them by default.
    tested : int, optional
        How many of its frames a second accuracy is taken of; the same as `frames` by default.
    facts : dict, optional
        What else to write about the network.
    """
    model = onnx.load(folder / "model.onnx")
    axes = model.graph.input[0].type.tensor_type.shape.dim
    codes, labels = load(kept)
    frames = min(frames or len(codes), len(codes))
    codes, labels = codes[: max(frames, tested or 0)], labels[: max(frames, tested or 0)]
    y = outputs(model, meaning.frames(codes))
    np.savez_compressed(folder / "reference.npz", y=y[:REFERENCE_FRAMES])
    expected = {
        **(facts or {}),
        "accuracy_float": hits(y[:frames], labels[:frames]),
        "data": kept,
        "frames": frames,
        **({"accuracy_test": hits(y, labels), "test_frames": len(codes)} if frames < len(codes) else {}),
        "input": {
            "type": meaning.type,
            "scale": meaning.scale,
            "offset": meaning.offset,
            "shape": [axis.dim_param or axis.dim_value for axis in axes],
        },
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")
    print(f"{folder.name}: accuracy {hits(y, labels):.4f} on {len(codes)} kept frames")
