"""Networks as graphs: what a legal one is, and its golden model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hwgen.codes import BIPOLAR, CodeType, signed, unsigned
from hwgen.errors import DataError
from hwgen.golden.network import PackedNetwork
from hwgen.layers.combine import Combine, Operation
from hwgen.layers.concat import Concat
from hwgen.layers.dense import Dense
from hwgen.layers.interleave import Interleave
from hwgen.network import InputPort, Network, OutputPort, check

SHAPE = (1, 1, 4)
PORT = InputPort("x", (4,), (0,), SHAPE, BIPOLAR)
WEIGHTS = np.random.default_rng(1).choice(np.array([-1, 1]), size=(4, 4))
SUM = CodeType(-4, 4)


def output(source: str, channels: int = 4) -> OutputPort:
    return OutputPort("y", source, (channels,), (0,), "float32", np.ones(channels), np.zeros(channels))


def dense(name: str = "dense", source: str = "x") -> Dense:
    return Dense(name, source, SHAPE, BIPOLAR, WEIGHTS, None, SUM)


RESIDUAL = Network(
    "residual",
    (PORT,),
    (
        dense(),
        Combine("sum", ("dense", "x"), SHAPE, (SUM, BIPOLAR), Operation.ADD, np.array([[1] * 4, [-2] * 4]), signed(4)),
        Concat("all", ("sum", "x", "dense"), (SHAPE,) * 3, (signed(4), BIPOLAR, SUM), signed(4)),
    ),
    (output("all", 12),),
)


TWO_INPUTS = replace(
    RESIDUAL,
    name="two_inputs",
    inputs=(PORT, replace(PORT, name="z")),
    layers=(*RESIDUAL.layers[:2], replace(RESIDUAL.layers[2], sources=("sum", "z", "dense"))),
)
"""The same, but what stands beside the sum is an input of its own."""


def test_a_map_may_have_several_readers():
    check(RESIDUAL)
    codes = np.random.default_rng(0).choice(np.array([-1, 1]), size=(50, *SHAPE))
    for frame, y in zip(codes.reshape(-1, 4), RESIDUAL.golden(codes).reshape(-1, 12), strict=True):
        sums = WEIGHTS @ frame
        assert y.tolist() == [*(sums - 2 * frame), *frame, *sums]


def test_the_packed_golden_model_is_the_same():
    codes = np.random.default_rng(0).choice(np.array([-1, 1]), size=(50, *SHAPE))
    assert np.array_equal(PackedNetwork(RESIDUAL).golden(codes), RESIDUAL.golden(codes))


def test_inputs_are_taken_in_their_order():
    check(TWO_INPUTS)
    x, z = np.random.default_rng(0).choice(np.array([-1, 1]), size=(2, 50, *SHAPE))
    y = TWO_INPUTS.golden(x, z)
    assert np.array_equal(y[..., 4:8], z)
    assert np.array_equal(np.delete(y, slice(4, 8), axis=-1), np.delete(RESIDUAL.golden(x), slice(4, 8), axis=-1))
    assert np.array_equal(PackedNetwork(TWO_INPUTS).golden(x, z), y)
    for model in (TWO_INPUTS, PackedNetwork(TWO_INPUTS)):
        with pytest.raises(DataError, match="Input 'x' has 50 frames and input 'z' 49; give as many of each"):
            model.golden(x, z[1:])
        with pytest.raises(DataError, match="Codes of input 'z' must be integers of type bipolar"):
            model.golden(x, 2 * z)
        with pytest.raises(
            DataError, match=r"Codes of input 'z' must have shape \(frames, 1, 1, 4\), not \(50, 1, 4\)"
        ):
            model.golden(x, z[:, 0])


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (replace(RESIDUAL, layers=(dense("x"),)), "Two layers are named 'x'"),
        (
            replace(RESIDUAL, layers=RESIDUAL.layers[::-1]),
            "Layer 'all' reads 'sum', which nothing before it yields",
        ),
        (
            replace(RESIDUAL, layers=(Interleave("woven", ("x", "x"), SHAPE, unsigned(1), (1, 2)),)),
            r"Layer 'woven' takes \(1, 1, 4\) uint1, but 'x' gives \(1, 1, 4\) bipolar",
        ),
        (
            replace(RESIDUAL, layers=(Interleave("woven", ("x",), SHAPE, BIPOLAR, (1, 2)),)),
            "Layer 'woven' needs 1 x 2 sources, not 1",
        ),
        (replace(RESIDUAL, outputs=(output("nobody"),)), "Output 'y' reads 'nobody', which no layer yields"),
        (replace(RESIDUAL, outputs=(output("sum"),)), "Nothing reads the map of 'all'"),
        (replace(RESIDUAL, outputs=(output("all", 12), output("sum"))), "each of another name, not 'y', 'y'"),
        (replace(RESIDUAL, inputs=(PORT, PORT)), "at least one input, each of another name, not 'x', 'x'"),
        (replace(RESIDUAL, inputs=()), "at least one input, each of another name, not none"),
        (replace(RESIDUAL, inputs=TWO_INPUTS.inputs), "Nothing reads the map of 'z'"),
        (replace(RESIDUAL, outputs=()), "at least one output, each of another name, not none"),
    ],
)
def test_an_illegal_network_is_refused(network: Network, message: str):
    with pytest.raises(ValueError, match=message):
        check(network)
