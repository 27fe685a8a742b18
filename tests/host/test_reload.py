"""A retrained network in hardware that is there: what suits it, what is refused by name, and what the build folder means then."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.codes import CodeType
from hwgen.errors import BuildError, LinkError, OptionError
from hwgen.host import run as host
from hwgen.host.reload import keep, reload
from hwgen.host.virtual import virtual_link
from hwgen.network import Network
from hwgen.pipeline.memory_image import as_writes, writes_of
from tests.conftest import write_image
from tests.small_networks import mlp

X = np.random.default_rng(0).choice([-1, 1], size=(6, 24))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    plan = hwgen.plan(mlp(24, 8, 5), min_area=True, writable="all")
    return hwgen.build(plan, tmp_path_factory.mktemp("reload") / "build").folder


@pytest.fixture
def build(made: Path, tmp_path: Path) -> hwgen.Accelerator:
    return hwgen.load(shutil.copytree(made, tmp_path / "build"))


def test_a_build_folder_means_what_was_loaded_last(build: hwgen.Accelerator) -> None:
    network = mlp(24, 8, 5, seed=3)
    keep(build, reload(build, network))
    loaded = hwgen.load(build.folder)
    assert np.array_equal(loaded.golden(X), network.golden(X.reshape(6, 1, 1, 24)).reshape(6, 5))
    for engine in ("verilator", "cocotb"):
        result = loaded.simulate(X, engine=engine)
        assert (result.mismatches, result.beats_off_schedule) == (0, 0)
    keep(loaded, reload(loaded, mlp(24, 8, 5)))
    again = hwgen.load(build.folder)
    assert np.array_equal(again.golden(X), build.golden(X))
    assert not (build.folder / "loaded").exists()


def test_a_board_runs_what_was_written_and_a_folder_that_means_another_network_is_refused(
    build: hwgen.Accelerator,
) -> None:
    with virtual_link(build) as link:
        assert host.run(build, link, X, check=True).exact
        loaded = reload(build, mlp(24, 8, 5, seed=3))
        host.load(link, loaded.image)
        with pytest.raises(
            LinkError, match=r"memories hold network \w{16}, and '.*' means \w{16}; write it with 'hwgen reload'"
        ):
            host.run(build, link, X)
        other = keep(build, loaded)
        assert host.run(other, link, X, check=True).exact
        assert link.read(0x20) == link.read(0x24) == 12
        link.write(0x10, [0])
        shape = link.identify()
        with pytest.raises(LinkError, match="The board's memories hold no network"):
            link.infer(bytes(shape.frame_bytes), shape.beats_out * shape.bytes_out)
        for access in (lambda: link.read(0x3C), lambda: link.write(0, [1]), lambda: link.read(1 << 30)):
            with pytest.raises(LinkError, match="it holds another network"):
                access()


def conv_network(tmp_path: Path, seed: int = 2) -> Network:
    return hwgen.read(write_image(tmp_path / "image.onnx", seed), input_type="uint8", input_scale=1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda old: mlp(24, 8, 6, 5), r"has 2 layers \(dense0, dense1\), and the new model 3 \(dense0, dense1, dense2\)"),
        (lambda old: mlp(24, 9, 5), r"Layer 'dense0' has weights of shape \(8, 24\), and the new model \(9, 24\)"),
        (lambda old: mlp(20, 8, 5), r"The build's input 'x' has shape \(1, 1, 24\), and the new model's \(1, 1, 20\)"),
        (
            lambda old: replace(old, inputs=(replace(old.input, type=CodeType(0, 1)),)),
            "The build's input 'x' has type bipolar, and the new model's uint1",
        ),
        (
            lambda old: replace(old, layers=(old.layers[0], replace(old.layers[1], out_type=CodeType(-9, 8)))),
            r"Layer 'dense1' differs in 'high': 8 in the build, 8 in the new model|differs in 'low': -8 in the build, -9",
        ),
        (
            lambda old: replace(
                old, layers=(replace(old.layers[0], weights=2 * old.layers[0].weights), old.layers[1])
            ),
            "Layer 'dense0' is made for weights of type bipolar, but these are -2..2",
        ),
        (
            lambda old: replace(old, layers=(replace(old.layers[0], thresholds=None), old.layers[1])),
            "Layer 'dense0' differs in 'thresholds'",
        ),
    ],
)  # fmt: skip
def test_what_differs_is_named(build: hwgen.Accelerator, change: Callable[[Network], Network], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        reload(build, change(build.network))


def test_layers_of_another_kind_and_those_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    network = conv_network(tmp_path)
    conv, pool, dense = network.layers
    plan = hwgen.plan(network, min_area=True, writable=conv.name)
    build = hwgen.build(plan, tmp_path / "build")
    flipped = replace(dense, weights=-dense.weights)
    with pytest.raises(
        OptionError, match=f"Layer '{dense.name}' has other weights in the new model and is not writable"
    ):
        reload(build, replace(network, layers=(conv, pool, flipped)))
    least = replace(pool, minimum=tuple(not flag for flag in pool.minimum))
    with pytest.raises(OptionError, match=f"Layer '{pool.name}' differs in 'minimum'"):
        reload(build, replace(network, layers=(conv, least, dense)))
    with pytest.raises(
        OptionError, match=f"Layer '{conv.name}' is a Conv, and the new model has a MaxPool in its place"
    ):
        reload(build, replace(network, layers=(pool, pool, dense)))
    assert reload(build, network).is_original


def test_a_build_without_writable_layers_is_named(dense_build: Path) -> None:
    accelerator = hwgen.load(dense_build)
    with pytest.raises(OptionError, match="has no writable layers; compile it with --writable all"):
        reload(accelerator, accelerator.network)


def test_a_layer_without_memories_and_an_unknown_one_are_refused(tmp_path: Path) -> None:
    network = conv_network(tmp_path)
    pool = network.layers[1].name
    with pytest.raises(OptionError, match=f"Layer '{pool}' has no memory that could be written; leave it out"):
        hwgen.plan(network, writable=pool)
    with pytest.raises(OptionError, match="--writable has an unknown entry 'cnov'"):
        hwgen.plan(network, writable="cnov")


def test_a_damaged_image_is_no_image(build: hwgen.Accelerator) -> None:
    image = reload(build, mlp(24, 8, 5, seed=3)).image
    assert as_writes(image, "it")[0].tolist() == [0x10, 0]
    assert as_writes(image, "it")[-1].tolist() == [0x10, 1]
    for place in (20, len(image) - 1):
        damaged = image[:place] + bytes([image[place] ^ 4]) + image[place + 1 :]
        with pytest.raises(BuildError, match=r"'it' is damaged: its CRC-32 is wrong"):
            list(writes_of(damaged, "it"))
    for other in (b"", image[:-4], b"\0" + image[1:]):
        with pytest.raises(BuildError, match="'it' is no image of memories"):
            list(writes_of(other, "it"))


def test_what_was_loaded_is_checked_when_the_folder_is_opened(build: hwgen.Accelerator) -> None:
    keep(build, reload(build, mlp(24, 8, 5, seed=3)))
    (build.folder / "loaded" / "load.bin").write_bytes(b"")
    with pytest.raises(BuildError, match=r"load\.bin' was changed after it was compiled"):
        hwgen.load(build.folder)
