from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest

from hwgen.activation import Positions
from hwgen.build_folder import network_file
from hwgen.codes import signed
from hwgen.errors import BuildError
from hwgen.layers.combine import Operation
from hwgen.layers.crop import Crop
from hwgen.layers.global_reduce import GlobalReduce, Reduction
from hwgen.layers.segments import Segments
from hwgen.layers.select import Select
from hwgen.layers.topk import TopK
from hwgen.layers.upsample import Upsample
from hwgen.network import InputPort, Network, OutputPort, check
from tests.small_networks import mlp
from tests.test_network import RESIDUAL


def test_a_network_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    network = mlp(12, 8, 6)
    network_file.save_network(network, tmp_path)
    again = network_file.load_network(tmp_path)
    codes = np.random.default_rng(0).choice(np.array([-1, 1]), size=(20, 1, 1, 12))
    assert np.array_equal(network.golden(codes), again.golden(codes))
    assert [layer.name for layer in again.layers] == [layer.name for layer in network.layers]
    assert again.layers[0].weights.dtype == network.layers[0].weights.dtype
    assert again.output.onnx_shape == network.output.onnx_shape


def test_a_closed_choice_comes_back(tmp_path: Path) -> None:
    network_file.save_network(RESIDUAL, tmp_path)
    again = network_file.load_network(tmp_path)
    codes = np.random.default_rng(0).choice(np.array([-1, 1]), size=(20, 1, 1, 4))
    assert np.array_equal(RESIDUAL.golden(codes), again.golden(codes))
    assert again.layers[1].operation is Operation.ADD


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        files = network_file.save_network(mlp(12, 8, 6), tmp_path / name)
        contents.append([file.read_bytes() for file in files])
    assert contents[0] == contents[1]


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"not a complete build folder: .*network\.json is missing"):
        network_file.load_network(tmp_path)
    text, archive = network_file.save_network(mlp(4, 2), tmp_path)
    archive.write_bytes(b"PK nothing")
    with pytest.raises(BuildError, match="cannot be read"):
        network_file.load_network(tmp_path)
    text.write_text('{"record": "Popen", "fields": {}}')
    network_file.save_network(mlp(4, 2), tmp_path)
    text.write_text('{"record": "Popen", "fields": {}}')
    with pytest.raises(BuildError, match="unknown record 'Popen'"):
        network_file.load_network(tmp_path)


def test_only_records_are_stored(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="network holds a set"):
        network_file.save_network(cast(Network, {1, 2}), tmp_path)


def test_every_choice_of_a_record_comes_back(tmp_path: Path) -> None:
    crop = Crop("crop", "x", (3, 3, 2), signed(4), (1, 0, 3, 2))
    grow = Upsample("grow", "crop", (2, 2, 2), signed(4), (2, 1))
    tables = (np.arange(4).reshape(2, 2, 1), np.arange(8).reshape(2, 2, 2), np.arange(8, 16).reshape(2, 2, 2))
    bend = Segments("bend", "grow", (4, 2, 2), signed(4), *tables, 1, signed(6), Positions((0, 1, 1, 0), (0, 0)))
    swap = Select("swap", "bend", (4, 2, 2), signed(6), (1, 0, 1))
    pool = GlobalReduce("pool", "swap", (4, 2, 3), signed(6), Reduction.SUM, signed(9))
    best = TopK("best", "pool", (1, 1, 3), signed(9), 2, largest=False)
    port = InputPort("x", (3, 3, 2), (0, 1, 2), (3, 3, 2), signed(4))
    output = OutputPort("y", "best", (2,), (0,), "int64", np.ones(2), np.zeros(2))
    turned = OutputPort("z", "pool", (3,), (), "int64", np.ones(3), np.zeros(3), order=np.array([2, 0, 1]))
    network = Network("all", (port,), (crop, grow, bend, swap, pool, best), (output, turned))
    check(network)
    network_file.save_network(network, tmp_path)
    again = network_file.load_network(tmp_path)
    assert again.layers[4] == pool
    assert again.layers[2].positions == bend.positions
    assert again.outputs[1].order.tolist() == [2, 0, 1]
    assert again.outputs[0].order is None
    codes = np.random.default_rng(0).integers(-8, 8, size=(20, 3, 3, 2))
    for one, other in zip(network.golden_maps(codes), again.golden_maps(codes), strict=True):
        assert np.array_equal(one, other)
