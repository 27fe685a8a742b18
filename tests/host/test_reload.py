"""A retrained network in hardware that is there: what suits it, what is refused by name, and what the build folder means then."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import hwgen
from hwgen.cli import reload as command
from hwgen.codes import CodeType
from hwgen.errors import BuildError, LinkError, ModelError, OptionError
from hwgen.host import run as host
from hwgen.host.reload import keep, reload
from hwgen.host.virtual import virtual_link
from hwgen.network import Network
from hwgen.pipeline.memory_image import as_writes, writes_of
from hwgen.rtl_templates.link.load_format import LoadState
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


class Registers:
    """A board whose memories hold no network, and whose CONTROL never changes."""

    def __init__(self, control: int) -> None:
        self.control = control

    def read(self, address: int) -> int:
        return self.control if address == 0x10 else 0


def test_memories_that_were_never_written_are_told_apart(build: hwgen.Accelerator) -> None:
    with pytest.raises(LinkError, match=r"nothing has written them since the board was switched on; .*'hwgen reload'"):
        host.check_loaded(build, Registers(0))


def test_a_boot_loader_that_does_not_end_is_told(build: hwgen.Accelerator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "LOADING_SECONDS", 0.0)
    with pytest.raises(LinkError, match="loading its memories from its flash for more than 0 seconds"):
        host.check_loaded(build, Registers(LoadState.LOADING << 8))


def test_what_was_loaded_is_checked_when_the_folder_is_opened(build: hwgen.Accelerator) -> None:
    keep(build, reload(build, mlp(24, 8, 5, seed=3)))
    (build.folder / "loaded" / "load.bin").write_bytes(b"")
    with pytest.raises(BuildError, match=r"load\.bin' was changed after it was compiled"):
        hwgen.load(build.folder)


def run(*arguments: object) -> object:
    return command.reload.main([str(argument) for argument in arguments], standalone_mode=False)


def test_the_command_reads_the_model_as_the_build_was_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = hwgen.plan(conv_network(tmp_path), max_throughput=True, writable="all")
    folder = hwgen.build(plan, tmp_path / "build").folder
    x = np.random.default_rng(0).integers(0, 256, (4, 2, 6, 6))
    before = hwgen.load(folder).golden(x)
    other = write_image(tmp_path / "other.onnx", 7)
    run(folder, other, "--virtual", "-o", tmp_path / "image.bin", "--json")
    facts = json.loads(capsys.readouterr().out)
    assert facts["written"]
    assert not facts["original"]
    assert facts["words"] == len(as_writes((tmp_path / "image.bin").read_bytes(), "it")) - 2
    loaded = hwgen.load(folder)
    expected = hwgen.read(other, input_type="uint8", input_scale=1.0)
    assert not np.array_equal(loaded.golden(x), before)
    assert np.array_equal(loaded.golden(x, codes=True).ravel(), expected.golden(x.transpose(0, 2, 3, 1)).ravel())
    assert loaded.simulate(x).exact
    run(folder, "-q")
    assert np.array_equal(hwgen.load(folder).golden(x), loaded.golden(x))
    with pytest.raises(OptionError, match="not both"):
        run(folder, "--virtual", "--port", "/dev/null")
    with pytest.raises(OptionError, match="give its --port"):
        run(folder, "--baud", "9600")
    with pytest.raises(ModelError):
        run(folder, tmp_path / "image.bin")


def write_real(path: Path, seed: int) -> Path:
    """Write a network that reads real numbers, whose signs are its own."""
    random = np.random.default_rng(seed)
    weights = {f"w{k}": random.choice(np.float32([-1, 1]), size=shape) for k, shape in enumerate([(6, 8), (8, 3)])}
    constants = {**weights, "zero": np.float32(0), "one": np.float32(1), "minus_one": np.float32(-1)}
    nodes = [
        helper.make_node("MatMul", ["x", "w0"], ["sums"], name="first"),
        helper.make_node("GreaterOrEqual", ["sums", "zero"], ["positive"], name="positive"),
        helper.make_node("Where", ["positive", "one", "minus_one"], ["signs"], name="signs"),
        helper.make_node("MatMul", ["signs", "w1"], ["y"], name="second"),
    ]
    graph = helper.make_graph(
        nodes,
        "real",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)
    return path


def test_the_command_converts_the_model_as_the_build_was_converted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    options = {"calibrate": x, "fixed_bits": 9, "weight_bits": 5, "strict": True, "min_area": True, "writable": "all"}
    build = hwgen.compile(write_real(tmp_path / "real.onnx", 1), tmp_path / "build", **options)
    before = build.network.conversion
    assert before is not None
    assert (before.fixed_bits, before.weight_bits, before.strict, before.exact) == (9, 5, True, False)
    run(build.folder, tmp_path / "real.onnx", "--json")
    facts = json.loads(capsys.readouterr().out)
    run(build.folder, write_real(tmp_path / "other.onnx", 2), "--json")
    assert facts["words"] == json.loads(capsys.readouterr().out)["words"]
    loaded = hwgen.load(build.folder).network
    assert loaded.conversion == before
    assert loaded.input.rounds
    assert (loaded.input.type, loaded.input.scale) == (build.network.input.type, build.network.input.scale)
    run(build.folder, tmp_path / "other.onnx", "--weight-bits", "6", "-q")
    other = hwgen.load(build.folder).network.conversion
    assert other == replace(before, weight_bits=6)
