"""Networks of the field: golden == ONNX Runtime, and the Verilog == golden in both simulators, every beat at its predicted cycle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.arrays.codec import input_codes, outputs_of
from hwgen.network import Network
from tests.hostile.verilog import differs_in_icarus, differs_in_verilator
from tests.random_networks import seeded_plan
from tests.streamlining.field_networks import NETWORKS, Field

networks = pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.__name__)
Maker = Callable[[np.random.Generator], Field]


def read(network: Maker, folder: Path) -> tuple[Field, Network]:
    field = network(np.random.default_rng(1))
    return field, hwgen.read(field.save(folder / "net.onnx"), **field.options)


@networks
def test_golden_is_onnx_runtime(network: Maker, tmp_path: Path) -> None:
    field, read_network = read(network, tmp_path)
    maps = read_network.golden_maps(*input_codes(read_network, field.frames))
    found, wanted = outputs_of(read_network, list(maps)), field.reference()
    found = found if isinstance(found, dict) else {read_network.outputs[0].name: found}
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.slow
@pytest.mark.icarus
@networks
def test_the_verilog_is_golden_on_schedule(network: Maker, tmp_path: Path) -> None:
    field, read_network = read(network, tmp_path)
    codes = input_codes(read_network, {name: x[:4] for name, x in field.frames.items()})
    accelerator = hwgen.build(seeded_plan(read_network, 1), tmp_path / "build")
    assert not differs_in_icarus(accelerator, codes)
    assert not differs_in_verilator(accelerator, codes)
