"""What NumPy would calculate with and ONNX would not."""

import numpy as np
import pytest

from hwgen.errors import ModelError
from hwgen.graph import Graph, Node, Value
from hwgen.operators.shapes import with_values


def graph_of(op, *constants, shape=(4, 6, 6), dtype=np.float32, more=(), **attributes):
    names = tuple(f"c{place}" if constant is not None else "" for place, constant in enumerate(constants))
    known = {name: np.asarray(constant) for name, constant in zip(names, constants, strict=True) if name}
    node = Node(op, "n", ("x", *more, *names), ("y",), attributes)
    return Graph("net", (node,), known, {"x": Value("x", (None, *shape), np.dtype(dtype))}, ("x",), ("y",))


FOUR, U8 = np.ones(4, np.float32), np.uint8(0)
ONE = np.float32(0.5)

BAD = {
    "truth values": (
        graph_of("Mul", np.bool_(True)),
        r"'n' \(Mul\) calculates with true and false; put a Cast in front",
    ),
    "parameters of another number of channels": (
        graph_of("BatchNormalization", *[np.ones(3, np.float32)] * 4, epsilon=1e-5),
        r"\(BatchNormalization\) does not accept inputs of shapes \(2, 4, 6, 6\), \(3,\)",
    ),
    "parameters of pixels": (
        graph_of("BatchNormalization", *[np.ones(6, np.float32)] * 4, epsilon=0.001),
        r"\(BatchNormalization\) does not accept .* with epsilon 0\.001$",
    ),
    "scales of another axis": (
        graph_of("QuantizeLinear", np.ones(6, np.float32), U8, axis=1),
        r"\(QuantizeLinear\) does not accept .* with axis 1",
    ),
    "a scale of each row where one is meant": (
        graph_of("QLinearConv", ONE, U8, np.ones((4, 4, 1, 1), np.int8), ONE, U8, FOUR, U8, dtype=np.uint8),
        r"\(QLinearConv\) has an input 6 of shape \(4,\), which must be one number$",
    ),
    "a scale of each weight": (
        graph_of("ConvInteger", np.ones((4, 4, 1, 1), np.int8), U8, np.ones((4, 4), np.int8), dtype=np.uint8),
        r"\(ConvInteger\) has an input 3 of shape \(4, 4\), which must be one number, or one for each channel",
    ),
    "a bias of another length": (
        graph_of("Conv", np.ones((3, 4, 1, 1), np.float32), np.ones(2, np.float32)),
        r"\(Conv\) has a bias of shape \(2,\), but 3 rows of weights",
    ),
    "a bias of a transposed convolution": (
        graph_of("ConvTranspose", np.ones((4, 2, 1, 1), np.float32), np.ones(3, np.float32), group=2),
        r"\(ConvTranspose\) has a bias of shape \(3,\), but 4 rows of weights",
    ),
    "too few strides": (
        graph_of("Conv", np.ones((3, 4, 1, 1), np.float32), strides=(1,)),
        r"\(Conv\) has strides \(1,\), but a window over 2 axes has 2 of them, none below 1",
    ),
    "a stride of nothing": (
        graph_of("ConvTranspose", np.ones((4, 3, 1, 1), np.float32), strides=(0, 1)),
        r"\(ConvTranspose\) has strides \(0, 1\), but",
    ),
    "a pad below nothing": (
        graph_of("AveragePool", kernel_shape=(1, 1), pads=(0, -1, 0, 0)),
        r"\(AveragePool\) has pads \(0, -1, 0, 0\), but a window over 2 axes has 4 of them, none below 0",
    ),
    "frames behind one another": (
        graph_of("Concat", axis=0, more=("x",)),
        r"'n' \(Concat\) mixes the frames of a batch in its output 'y'; frames must be independent",
    ),
    "frames again and again": (graph_of("Tile", np.int64([2, 1, 1, 1])), r"\(Tile\) mixes the frames of a batch"),
    "a frame of zeros": (
        graph_of("Pad", np.int64([1, 0, 0, 0, 0, 0, 0, 0]), mode="constant"),
        r"\(Pad\) mixes the frames of a batch",
    ),
    "all frames but one": (
        graph_of("Slice", np.int64([1]), np.int64([9]), np.int64([0])),
        r"\(Slice\) mixes the frames of a batch",
    ),
    "an empty map": (
        graph_of("Slice", np.int64([3]), np.int64([3]), np.int64([2])),
        r"\(Slice\) yields nothing: its output 'y' has shape \(2, 4, 0, 6\); leave the node out",
    ),
}


@pytest.mark.parametrize(("graph", "sentence"), BAD.values(), ids=BAD)
def test_operands_that_make_no_sense_are_refused(graph, sentence):
    with pytest.raises(ModelError, match=sentence):
        with_values(graph)


GOOD = {
    "one for all": graph_of("QuantizeLinear", ONE, U8, axis=1),
    "one for each channel": graph_of("BatchNormalization", *[FOUR] * 4, epsilon=1e-5),
    "one for each number": graph_of("BatchNormalization", *[np.ones((4, 6, 6), np.float32)] * 4, epsilon=1e-5),
    "truth where it is meant": graph_of("Where", ONE, ONE, dtype=np.bool_),
}


@pytest.mark.parametrize("graph", GOOD.values(), ids=GOOD)
def test_operands_that_make_sense_are_taken(graph):
    assert with_values(graph).values["y"].shape == (None, 4, 6, 6)
