"""What float32's rounding excuses, and what it must not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.layers.conv import Conv
from hwgen.layers.maxpool import MaxPool
from hwgen.network import Network
from hwgen.verification.executor import executor_of
from hwgen.verification.frames import made_frames
from hwgen.verification.inquiry import Inquiry
from hwgen.verification.record import Outcome
from hwgen.verification.verify import verify
from tests.streamlining.conftest import bipolar

TENTHS = np.float32([0.1, 0.2, -0.3, 0.3, -0.1, 0.7, -0.7, -0.2])
"""Weights of sums that float32 leaves beside the zero that they are."""

QONNX = "qonnx.custom_op.general"


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(5)


def turned(model):
    """Give signs of sums of tenths that float32 decides otherwise in many frames, two rows of three, as a map."""
    return model(1, 5, 8).add("Conv", TENTHS.reshape(1, 1, 2, 4)).sign()


def changed(network: Network, name: str, **fields) -> Network:
    """Give the network with one layer changed."""
    layers = [replace(layer, **fields) if layer.name == name else layer for layer in network.layers]
    return replace(network, layers=tuple(layers))


def last_but(network: Network, kind: type, place: int = -1):
    return [layer for layer in network.layers if isinstance(layer, kind)][place]


def inquired(path: Path, network: Network) -> Inquiry:
    """Look into the frames that the network is held to, one by one."""
    executor = executor_of(path)
    inquiry, tried = Inquiry(path, network, executor), made_frames(network, executor.executable.inputs, 64)
    for number in range(64):
        inquiry.look_into(tried.pick(np.array([number])), number)
    return inquiry


def behind(model, random):
    """Give what may be wrong behind decisions that float32 turns over in nearly every frame: a border, a pool, and more signs."""
    built = turned(model).add("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]), np.float32(-1))
    built.add("Conv", bipolar(random, 3, 1, 2, 3)).add("Add", np.float32(0.5)).add(
        "MaxPool", kernel_shape=[2, 2]
    ).sign()
    return built.add("Conv", bipolar(random, 2, 3, 2, 2))


def test_what_lies_behind_a_decision_is_held_to_the_file_from_there(model, random) -> None:
    path = behind(model, random).save()
    network = hwgen.read(path, input_type="bipolar")
    found = verify(path, network)
    assert found.outcome is Outcome.ROUNDED
    assert all("otherwise than exact arithmetic" in note for note in found.notes)
    assert len(found.notes) == 1


@pytest.mark.parametrize("fault", ["threshold", "weights", "border", "pool", "rows"])
def test_a_fault_behind_a_decision_is_not_excused(model, random, fault: str) -> None:
    path = behind(model, random).save()
    network = hwgen.read(path, input_type="bipolar")
    middle, last, pool = last_but(network, Conv, -2), last_but(network, Conv), last_but(network, MaxPool)
    match fault:
        case "threshold":
            levels = middle.thresholds.levels.copy()
            levels[:, 1] += 2
            wrong = changed(network, middle.name, thresholds=replace(middle.thresholds, levels=levels))
        case "weights":
            wrong = changed(network, last.name, weights=last.weights[..., [1, 0, 2]])
        case "border":
            wrong = changed(network, middle.name, pad_value=-middle.pad_value)
        case "pool":
            wrong = changed(network, pool.name, minimum=(False, True, False))
        case _:
            wrong = changed(network, last.name, weights=last.weights[::-1])
    right, wronged = inquired(path, network), inquired(path, wrong)
    assert len(right.turned_frames) > 8
    assert {one.frame for one in wronged.unexplained} & right.turned_frames


def test_a_tie_that_falls_the_wrong_way_is_no_rounding(model, random) -> None:
    """Sums of halves are exact: a threshold that takes a tie as less than it is is wrong, in front of tenths too."""
    built = model(8).add("MatMul", np.float32(bipolar(random, 8, 4)) / 2).sign().add("MatMul", TENTHS[:4, None]).sign()
    path = built.save()
    network = hwgen.read(path, input_type="bipolar")
    assert verify(path, network).agrees
    first = network.layers[0]
    levels = first.thresholds.levels + 1
    assert (
        verify(path, changed(network, first.name, thresholds=replace(first.thresholds, levels=levels))).outcome
        is Outcome.DIFFERS
    )


def test_a_decision_that_is_on_no_stream_is_followed_at_both_ends(model) -> None:
    """Codes of a quantiser hold what the signs become; the product of them is what differs."""
    weights = np.int8([[1, -3], [2, 5]])
    built = model(8).add("MatMul", np.stack([TENTHS, TENTHS[::-1]], axis=1)).add("Sign")
    built.add("QuantizeLinear", np.float32(1 / 256), np.uint8(128)).add("MatMulInteger", weights, np.uint8(128))
    built.add("Cast", to=1).add("Mul", np.float32(1e-3))
    path = built.save()
    assert verify(path, hwgen.read(path, input_type="bipolar")).outcome is Outcome.ROUNDED


def test_several_quantisers_in_a_row_on_a_rounded_tie(model) -> None:
    built = model(8).add("MatMul", TENTHS[:, None] / 2).add("Quant", np.float32(0.1), np.float32(0), np.float32(4),
        domain=QONNX, signed=1, narrow=0, rounding_mode="ROUND")  # fmt: skip
    built.add(
        "Quant", np.float32(0.2), np.float32(0), np.float32(3), domain=QONNX, signed=1, narrow=0, rounding_mode="ROUND"
    )
    built.add("MatMul", np.float32([[3, -1]]))
    path = built.save()
    assert verify(path, hwgen.read(path, input_type="bipolar")).agrees


def test_residues_of_large_terms_are_no_other_operator(model) -> None:
    """Where every number of a tensor is what rounding left of zero, two executors agree on none of its digits."""
    built = model(8).add("MatMul", np.float32([[0.1], [0.2], [-0.3], [0.3], [-0.1], [0.7], [-0.7], [-0.2]])).add("Sign")
    path = built.save()
    x = np.ones((1, 8), dtype=np.float32)
    assert verify(path, hwgen.read(path, input_type="bipolar"), frames=x).agrees


def test_a_table_on_the_host_goes_on_beyond_the_codes(model, random) -> None:
    """An announced error at the end of a stream is one of what the host makes of it, too."""
    weights = np.float32([[318.84, -244.16], [830.6, 766.73]])
    built = model(2).add("MatMul", weights).add("Quant", np.float32(0.0625), np.float32(0), np.float32(16),
        domain=QONNX, signed=1, narrow=1, rounding_mode="FLOOR")  # fmt: skip
    path = built.save()
    assert verify(path, hwgen.read(path, input_type="uint4", input_scale=0.1)).outcome is Outcome.ANNOUNCED
