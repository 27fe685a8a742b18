from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from hwgen.codes import BIPOLAR, CodeType
from hwgen.errors import OptionError
from hwgen.fold import Fold, LaneStyle, MemoryStyle
from hwgen.folding import goals
from hwgen.folding.file import folding_from_json, folding_to_json
from hwgen.network import Network
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.pipeline.layout import lay_out
from hwgen.plan import Plan
from tests.small_networks import mlp
from tests.test_network import RESIDUAL, TWO_INPUTS

NETWORK = mlp(12, 8, 6)


def test_a_folding_file_is_read_back_as_it_was_written() -> None:
    folds = {
        "dense0": Fold(4, 6, MemoryStyle.BLOCK, slots=3),
        "dense1": Fold(2, 8, lanes=LaneStyle.WORDS, buffer_beats=4),
    }
    plan = Plan(NETWORK, folds, clock_hz=12e6)
    again = folding_from_json(NETWORK, folding_to_json(plan))
    assert again.folds == plan.folds
    assert again.clock_hz == plan.clock_hz


def test_depths_of_branches_are_read_back_as_they_were_written() -> None:
    branches = {("x", "dense"): 3, ("dense", "all.2"): 70}
    plan = replace(goals.fold_for_area(RESIDUAL), depths=branches)
    assert folding_from_json(RESIDUAL, folding_to_json(plan)).depths == branches


@pytest.mark.parametrize(
    ("forks", "message"),
    [
        ({"y": {}}, "'forks' of file has an unknown entry 'y'"),
        ({"x": {"sum.2": 1}}, "fork 'x' of file has an unknown entry 'sum.2'; did you mean 'sum.1'?"),
        (
            {"x": {"sum.1": 0}},
            "Branch 'sum.1' of fork 'x' of file must be a positive whole number of beats, at most 1,048,576, not 0",
        ),
        (
            {"x": {"sum.1": "2"}},
            "Branch 'sum.1' of fork 'x' of file must be a positive whole number of beats, at most 1,048,576, not '2'",
        ),
    ],
)
def test_mistakes_in_the_forks_of_a_folding_file_are_named(forks: dict, message: str) -> None:
    content = json.loads(folding_to_json(goals.fold_for_area(RESIDUAL))) | {"forks": forks}
    with pytest.raises(OptionError, match=re.escape(message)):
        folding_from_json(RESIDUAL, json.dumps(content), source="file")


def test_depths_of_inputs_are_read_back_as_they_were_written() -> None:
    plan = replace(goals.fold_for_area(TWO_INPUTS), depths={("z", None): 7})
    assert json.loads(folding_to_json(plan))["inputs"] == {"x": None, "z": 7}
    assert folding_from_json(TWO_INPUTS, folding_to_json(plan)).depths == {("z", None): 7}
    assert "inputs" not in json.loads(folding_to_json(goals.fold_for_area(RESIDUAL)))


@pytest.mark.parametrize(
    ("network", "queues", "message"),
    [
        (TWO_INPUTS, {"y": 2}, "'inputs' of file has an unknown entry 'y'; known are x, z"),
        (TWO_INPUTS, {"z": 0}, "Input 'z' of file must be a positive whole number of beats, at most 1,048,576, not 0"),
        (
            TWO_INPUTS,
            {"z": True},
            "Input 'z' of file must be a positive whole number of beats, at most 1,048,576, not True",
        ),
        (RESIDUAL, {"x": 2}, "'inputs' of file has an unknown entry 'x'"),
    ],
)
def test_mistakes_in_the_inputs_of_a_folding_file_are_named(network: Network, queues: dict, message: str) -> None:
    content = json.loads(folding_to_json(goals.fold_for_area(network))) | {"inputs": queues}
    with pytest.raises(OptionError, match=re.escape(message)):
        folding_from_json(network, json.dumps(content), source="file")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: c["layers"].update(dense7={"pe": 1, "simd": 1}),
            "'layers' of file has an unknown entry 'dense7'; did you mean 'dense1'?",
        ),
        (lambda c: c["layers"]["dense0"].update(SIMD=2), "layer 'dense0' of file has an unknown entry 'SIMD'"),
        (lambda c: c["layers"]["dense0"].update(simmd=2), "unknown entry 'simmd'; did you mean 'simd'?"),
        (lambda c: c.update(layer={}), "file has an unknown entry 'layer'; did you mean 'layers'?"),
        (lambda c: c["layers"].pop("dense1"), "file says nothing of layer 'dense1'; add it with its pe and simd"),
        (lambda c: c["layers"]["dense0"].update(pe=3), "PE must divide 8 "),
        (lambda c: c["layers"]["dense0"].update(simd=5), "SIMD must divide 12 "),
        (
            lambda c: c["layers"]["dense0"].update(pe=0),
            "'pe' of layer 'dense0' of file must be a positive whole number, not 0",
        ),
        (
            lambda c: c["layers"]["dense0"].update(pe=True),
            "'pe' of layer 'dense0' of file must be a positive whole number, not True",
        ),
        (
            lambda c: c["layers"]["dense0"].update(memory="blok"),
            "'memory' of layer 'dense0' of file must be one of 'auto', 'block'",
        ),
        (
            lambda c: c["layers"]["dense0"].update(lanes="plane"),
            "'lanes' of layer 'dense0' of file must be one of 'auto', 'planes', 'words', 'masked', 'shared', not 'plane'",
        ),
        (
            lambda c: c.update(clock_mhz=0),
            "'clock_mhz' of file must be a positive number of MHz, from 0.001 to 2000, not 0",
        ),
        (lambda c: c.update(layers=[]), "'layers' of file must be an object with named entries, not []"),
    ],
)
def test_mistakes_in_a_folding_file_are_named(change, message: str) -> None:
    content = json.loads(folding_to_json(goals.fold_for_area(NETWORK)))
    change(content)
    with pytest.raises(OptionError, match=re.escape(message)):
        folding_from_json(NETWORK, json.dumps(content), source="file")


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(OptionError, match=r"file is not JSON: .* at line 1, column 2"):
        folding_from_json(NETWORK, "{pe: 1}", source="file")


def test_writable_layers_keep_the_type_of_their_weights():
    network = mlp(12, 8, 4)
    layers = {"dense0": {"pe": 2, "simd": 6, "writable": True}, "dense1": {"pe": 2, "simd": 4, "memory": "spram"}}
    plan = folding_from_json(network, json.dumps({"layers": layers}))
    assert all(fold.writable and fold.weights == BIPOLAR for fold in plan.folds.values())
    assert folding_from_json(network, folding_to_json(plan)).folds == plan.folds
    layers["dense0"]["weights"] = [-8, 7]
    plan = folding_from_json(network, json.dumps({"layers": layers}))
    assert plan.folds["dense0"].weights == CodeType(-8, 7)
    assert folding_from_json(network, folding_to_json(plan)).folds == plan.folds


def test_registers_in_front_of_the_lanes_are_kept_and_lengthen_nothing_but_the_latency():
    network = mlp(12, 8, 4)
    layers = {"dense0": {"pe": 2, "simd": 6}, "dense1": {"pe": 2, "simd": 4}}
    plain = folding_from_json(network, json.dumps({"layers": layers}))
    assert "fetch_registers" not in folding_to_json(plain)
    layers["dense0"]["fetch_registers"] = 2
    plan = folding_from_json(network, json.dumps({"layers": layers}))
    assert plan.folds["dense0"].fetch_registers == 2
    assert folding_from_json(network, folding_to_json(plan)).folds == plan.folds
    before, after = (lay_out(size_fifos(one)).predict(4) for one in (plain, plan))
    assert (after.ii, after.latency) == (before.ii, before.latency + 2)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"fetch_registers": 5}, "'fetch_registers' of layer 'dense0' of folding file must be a whole number from 0 to 4, not 5"),
        ({"writable": 1}, "'writable' of layer 'dense0' of folding file must be true or false, not 1"),
        ({"weights": [-8, 7]}, "'weights' of layer 'dense0' of folding file is for writable layers"),
        ({"writable": True, "weights": [1, 7]}, r"the least and the greatest weight with 0 between, such as \[-8, 7\], of at most 16 bits, not \[1, 7\]"),
        ({"writable": True, "weights": [0, 1]}, "Layer 'dense0' is made for weights of type uint1, but these are -1..1"),
        ({"writable": True, "memory": "constant"}, "Layer 'dense0' cannot be writable with its memory 'constant'"),
        ({"writable": False, "memory": "spram"}, "Layer 'dense0' must be writable to be in SPRAM"),
        ({"pe": 8, "simd": 12, "memory": "spram"}, "Layer 'dense0' computes all at once and has no memory for SPRAM"),
    ],
)  # fmt: skip
def test_impossible_memories_are_named(entry, message):
    layers = {"dense0": {"pe": 2, "simd": 6} | entry, "dense1": {"pe": 2, "simd": 4}}
    with pytest.raises(OptionError, match=message):
        folding_from_json(mlp(12, 8, 4), json.dumps({"layers": layers}))
