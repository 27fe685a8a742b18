"""Integers of many bits in front of a curve, of which frames have shown few."""

from __future__ import annotations

import numpy as np

import hwgen
from hwgen.arrays import codec


def test_a_norm_divides_by_the_variances_that_occur(model, random):
    """A variance could be 256 times what the frames show: 17 bits over all of that are too few for it."""
    net = model(4, 64).add("MatMul", random.standard_normal((64, 64)).round(1).astype(np.float32))
    net.add("LayerNormalization", np.ones(64, np.float32), np.zeros(64, np.float32), axis=-1)
    x = random.integers(-8, 9, size=(16, 4, 64)).astype(np.float32)
    network = hwgen.read(net.save(), input_type="int8", input_scale=1.0, fixed_bits=20, calibrate=x)
    golden = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
    off = np.abs(golden - net.reference(x))
    assert np.max(off) < 2e-4


def test_a_curve_that_turns_keeps_all_integers(model, random):
    net = model(2, 64).add("Mul", "x").add("ReduceSum", np.array([2]), keepdims=1)
    net.add("Sub", np.float32(300_000)).add("Abs").add("Sqrt").add("Mul", "x")
    x = random.integers(-100, 101, size=(8, 2, 64)).astype(np.float32)
    network = hwgen.read(net.save(), input_type="int8", input_scale=1.0, calibrate=x)
    golden = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
    reference = net.reference(x)
    assert np.max(np.abs(golden - reference)) < 5e-3 * np.max(np.abs(reference))
