from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import hwgen
from hwgen.errors import DifferenceError, ModelError
from hwgen.streamlining import writing
from hwgen.verification.record import Outcome
from hwgen.verification.verify import frame_count, verify
from tests.streamlining.conftest import bipolar

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(5)


def held(path: Path, **options):
    return verify(path, hwgen.read(path, **options))


def two_layers(model, random):
    """Give 6 numbers -> 5 signs of sums with a bias -> 3 sums."""
    built = model(6).sign().add("MatMul", bipolar(random, 6, 5)).add("Add", np.float32([0.5, 1.5, -0.5, -1.5, 2.5]))
    return built.sign().add("MatMul", bipolar(random, 5, 3))


@pytest.mark.parametrize("name", ["mnist_tfc", "mnist_cnv", "watch_motion"])
def test_the_examples_are_equal(name: str) -> None:
    meaning = json.loads((EXAMPLES / name / "expected.json").read_text())["input"]
    options = {"input_type": meaning["type"], "input_scale": meaning["scale"], "input_offset": meaning["offset"]}
    found = held(EXAMPLES / name / "model.onnx", **options)
    assert found.outcome is Outcome.EQUAL
    assert found.independent
    assert found.sentence == f"Held to {'QONNX' if name == 'mnist_tfc' else 'ONNX Runtime'} on 64 frames: equal"


def test_a_broken_rule_is_found_and_the_first_tensor_named(model, random, monkeypatch) -> None:
    built = two_layers(model, random)
    path, first = built.save(), built.nodes[5].output[0]
    right = writing.thresholds

    def shifted(points, domain):
        found = right(points, domain)
        found.levels[0, 1] += 2
        return found

    assert held(path).outcome is Outcome.EQUAL
    monkeypatch.setattr(writing, "thresholds", shifted)
    found = held(path)
    assert found.outcome is Outcome.DIFFERS
    assert not found.agrees
    assert found.differing > 0
    assert found.first.tensor == first
    assert found.first.place == (1,)
    assert (found.first.file, found.first.golden) == (1.0, -1.0)
    assert f"tensor '{first}' (layer '{found.first.source}') at [1] of frame" in found.sentence


def test_compile_keeps_what_differs_and_marks_it(model, random, monkeypatch, tmp_path: Path) -> None:
    path = two_layers(model, random).save()
    assert hwgen.compile(path, tmp_path / "good").report["verification"]["outcome"] == "equal"
    assert json.loads((tmp_path / "good" / "manifest.json").read_text())["verified"] is True
    right = writing.thresholds
    monkeypatch.setattr(writing, "thresholds", lambda points, domain: right(points + 1, domain))
    with pytest.raises(
        DifferenceError, match=r"is built, but marked unverified, .*first, tensor 'v\d' .* in the golden model\. Please"
    ):
        hwgen.compile(path, tmp_path / "bad")
    assert json.loads((tmp_path / "bad" / "manifest.json").read_text())["verified"] is False
    assert hwgen.load(tmp_path / "bad").report["verification"]["outcome"] == "differs"
    unseen = hwgen.compile(path, tmp_path / "unseen", verify=False)
    assert unseen.report["verification"] is None
    assert json.loads((tmp_path / "unseen" / "manifest.json").read_text())["verified"] is None


def test_the_report_is_the_same_twice(model, random, tmp_path: Path) -> None:
    path = two_layers(model, random).save()
    reports = [hwgen.compile(path, tmp_path / name) and (tmp_path / name / "report.json").read_bytes() for name in "ab"]
    assert reports[0] == reports[1]


def test_real_weights_stay_within_what_is_announced(model, random) -> None:
    built = model(8).sign().add("MatMul", random.standard_normal((8, 3)).astype(np.float32))
    path = built.save()
    found = held(path)
    assert found.outcome is Outcome.ANNOUNCED
    (bound,) = found.announced.values()
    assert 0 < found.off[built.value] <= bound < 0.2
    assert found.sentence.endswith(f"within the announced {bound:.2g}, off by at most {found.off[built.value]:.2g}")


def test_a_rounding_is_followed_to_the_tensor_that_is_beyond_it(model, random, monkeypatch) -> None:
    """Behind a sign the worst case allows every code; the sums in front of it are held all the same."""
    built = model(8).sign().add("MatMul", random.standard_normal((8, 6)).astype(np.float32))
    built.sign().add("MatMul", bipolar(random, 6, 2))
    path = built.save()
    assert held(path).agrees
    right = writing.thresholds

    def shifted(points, domain):
        found = right(points, domain)
        found.levels[0, 1] += 200
        return found

    monkeypatch.setattr(writing, "thresholds", shifted)
    found = held(path)
    assert found.outcome is Outcome.DIFFERS
    assert found.first.place == (1,)


def test_an_error_of_more_than_a_tenth_is_refused(model, random) -> None:
    """Real numbers in four bits, of which most of a difference of two large ones is lost."""
    built = model(8).add("MatMul", random.standard_normal((8, 6)).astype(np.float32)).add("Tanh")
    built.add("MatMul", random.standard_normal((6, 2)).astype(np.float32))
    path = built.save()
    message = rf"Output '{built.value}' would be off by \d+% of how far it goes, .*--calibrate.*--no-verify"
    with pytest.raises(ModelError, match=message):
        held(path, input_type="int8", input_scale=1 / 16, fixed_bits=4, weight_bits=2)
    assert held(path, input_type="int8", input_scale=1 / 16).agrees


def test_a_sign_at_zero_that_no_stream_holds_is_as_the_note_says(model, random) -> None:
    """A border that a convolution takes over stands between the sign of the input and what can be compared."""
    built = model(2, 4, 4).add("Sign").add("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]))
    built.add("Conv", bipolar(random, 3, 2, 3, 3))
    assert verify(built.save(), hwgen.read(built.path)).outcome is Outcome.EQUAL
    plus = hwgen.read(built.path, sign_at_zero="plus")
    assert verify(built.path, plus).outcome is Outcome.SIGN_AT_ZERO


def test_a_sign_at_zero_that_a_table_swallows_is_replayed_as_told(model, random) -> None:
    built = model(6).add("Sign").add("Mul", np.float32(3)).add("MatMul", bipolar(random, 6, 3))
    built.save()
    plus = hwgen.read(built.path, sign_at_zero="plus")
    assert verify(built.path, plus).outcome is Outcome.SIGN_AT_ZERO
    other = replace(plus, conversion=replace(plus.conversion, sign_at_zero=-1))
    assert verify(built.path, other).outcome is Outcome.DIFFERS


def test_even_sums_behind_a_border_are_as_the_note_says(model, random) -> None:
    built = model(4, 4, 4).sign().add("Conv", bipolar(random, 4, 4, 1, 1))
    built.add("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1])).add("Sign").add("Conv", bipolar(random, 3, 4, 3, 3))
    assert verify(built.save(), hwgen.read(built.path)).outcome is Outcome.EQUAL
    assert verify(built.path, hwgen.read(built.path, sign_at_zero="minus")).outcome is Outcome.SIGN_AT_ZERO


def test_a_sign_at_zero_is_as_the_note_says(model, random) -> None:
    built = model(4).sign().add("MatMul", bipolar(random, 4, 3)).add("Sign").add("MatMul", bipolar(random, 3, 2))
    network = hwgen.read(built.save())
    assert (network.ties, verify(built.path, network).outcome) == ((("the_matmul_2", 3),), Outcome.EQUAL)
    for sign in ("plus", "minus"):
        network = hwgen.read(built.path, sign_at_zero=sign)
        assert verify(built.path, network).outcome is Outcome.SIGN_AT_ZERO
        other = replace(network, conversion=replace(network.conversion, sign_at_zero=-network.conversion.sign_at_zero))
        assert verify(built.path, other).outcome is Outcome.DIFFERS


TENTHS = np.float32([0.1, 0.2, -0.3, 0.3, -0.1, 0.7, -0.7, -0.2])
"""Weights of sums that float32 leaves beside the zero that they are; those of halves and ones are exact."""


@pytest.mark.parametrize("channels", [(1,), (0, 2)])
def test_decisions_of_float32_are_told_by_channel(model, channels: tuple[int, ...]) -> None:
    weights = np.where(np.arange(32).reshape(4, 8) % 3, 0.5, -0.5).astype(np.float32)
    weights[list(channels)] = TENTHS
    shown = ", ".join(map(str, channels))
    rows = model(1, 5, 8).add("Conv", weights.reshape(4, 1, 2, 4)).sign()
    columns = model(6, 8).add("MatMul", weights.T).sign()
    for built in (rows, columns):
        found = held(built.save(), input_type="bipolar")
        assert found.outcome is Outcome.ROUNDED
        assert f"otherwise than exact arithmetic in {len(channels)} channel(s) ({shown}) on some" in found.notes[0]


def test_several_inputs_and_outputs(tmp_path: Path, random) -> None:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size]) for name, size in (("x", 4), ("y", 6)))
    weights = [
        onnx.numpy_helper.from_array(bipolar(random, *shape), name) for name, shape in (("a", (4, 3)), ("b", (6, 3)))
    ]
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["p"], name="first"),
        helper.make_node("MatMul", ["y", "b"], ["q"], name="second"),
        helper.make_node("Add", ["p", "q"], ["sum"], name="both"),
    ]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 3]) for name in ("sum", "q")]
    graph = helper.make_graph(nodes, "g", [x, y], outputs, weights)
    path = tmp_path / "net.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)
    found = held(path, input_type={"x": "uint4", "y": "bipolar"}, input_scale={"x": 0.5})
    assert found.outcome is Outcome.EQUAL
    assert set(found.off) == {"sum", "q"}


@pytest.mark.parametrize("kind", ["uint16", "int16", "int3", "ternary"])
def test_every_type_of_input(model, random, kind: str) -> None:
    path = model(5).add("MatMul", bipolar(random, 5, 2)).save()
    assert held(path, input_type=kind, input_scale=2.0**-8).outcome is Outcome.EQUAL


def test_an_input_of_integers(model, random) -> None:
    built = model(5, dtype=TensorProto.UINT8).add("Cast", to=TensorProto.FLOAT).add("MatMul", bipolar(random, 5, 2))
    assert held(built.save()).outcome is Outcome.EQUAL


def test_a_softmax_that_is_left_to_the_reader_is_done_for_the_comparison(model, random) -> None:
    built = model(6).sign().add("MatMul", bipolar(random, 6, 4)).add("Softmax", axis=1)
    found = held(built.save())
    assert found.outcome is Outcome.EQUAL
    assert max(found.off.values()) < 1e-6


def test_an_index_is_compared_as_it_is(model, random) -> None:
    built = model(6).sign().add("MatMul", bipolar(random, 6, 4)).add("ArgMax", axis=1, keepdims=0)
    assert held(built.save()).outcome is Outcome.EQUAL


def test_the_users_frames_come_first(model, random) -> None:
    path = two_layers(model, random).save()
    x = random.standard_normal((5, 6)).astype(np.float32)
    network = hwgen.read(path)
    assert verify(path, network, frames=x).frames == frame_count(network) == 64


def test_larger_networks_get_fewer_frames(model, random) -> None:
    small = hwgen.read(two_layers(model, random).save())
    large = hwgen.read(model(4096).sign().add("MatMul", bipolar(random, 4096, 4096)).save())
    assert frame_count(small) == 64
    assert frame_count(large) == 64
    wide = model(64, 56, 56).sign().add("Conv", bipolar(random, 128, 64, 3, 3), pads=[1, 1, 1, 1])
    assert 2 < frame_count(hwgen.read(wide.save())) < 64


def rounded_sums(model):
    """Give signs of sums of tenths, some of which float32 leaves beside the zero that they are."""
    weights = np.float32([0.1, 0.2, -0.3, 0.3, -0.1, 0.7, -0.7, -0.2]).reshape(1, 1, 2, 4)
    return model(1, 5, 8).add("Conv", weights).sign()


def test_what_follows_from_a_decision_of_float32_is_explained(model, random) -> None:
    """The decision goes out behind a border, so that only what follows from it is held to the file's tensors."""
    built = rounded_sums(model)
    built.add("Pad", np.array([0, 0, 0, 1, 0, 0, 1, 0]), np.float32(-1)).add("Conv", bipolar(random, 3, 1, 2, 3))
    found = held(built.save(), input_type="bipolar")
    assert found.outcome is Outcome.ROUNDED
    assert "float32 rounding in the file decides" in found.notes[0]


@pytest.mark.parametrize("pool", ["MaxPool", "AveragePool"])
def test_a_sum_of_rounded_weights_is_explained_behind_a_pool(model, pool: str) -> None:
    weights = np.float32([0.1, 0.2, -0.3, 0.3, -0.1, 0.7, -0.7, -0.2]).reshape(1, 1, 2, 4)
    built = model(1, 5, 8).add("Conv", weights).add(pool, kernel_shape=[2, 1]).sign()
    assert held(built.save(), input_type="bipolar").outcome is Outcome.ROUNDED


@pytest.mark.parametrize("ranking", ["ArgMax", "ArgMin", "TopK"])
def test_scores_that_only_float32_tells_apart_are_explained(model, ranking: str) -> None:
    random = np.random.default_rng(0)
    built = model(9).add("MatMul", random.permuted(np.tile(np.float32(0.1 * np.arange(1, 10)), (8, 1)), axis=1).T)
    if ranking == "TopK":
        built.add("TopK", np.array([3]), outputs=2, axis=1)
        built.value = built.nodes[-1].output[1]
    else:
        built.add(ranking, axis=1, keepdims=0, name="rank")
    assert held(built.save(), input_type="bipolar").outcome is Outcome.ROUNDED


def test_an_input_that_no_output_reads_is_zero(tmp_path: Path) -> None:
    """Its tensors are followed like the others'."""
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 3]) for name in "xz"]
    weights = helper.make_tensor("w", TensorProto.FLOAT, [3, 1], [0.1, 0.2, -0.3])
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("BipolarQuant", ["m", "one"], ["y"], domain="qonnx.custom_op.general"),
        helper.make_node("Neg", ["z"], ["unread"]),
    ]
    one = helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])
    graph = helper.make_graph(nodes, "g", inputs, [onnx.ValueInfoProto(name="y")], [weights, one])
    domains = [helper.make_opsetid("", 17), helper.make_opsetid("qonnx.custom_op.general", 1)]
    path = tmp_path / "two.onnx"
    onnx.save(helper.make_model(graph, opset_imports=domains, ir_version=10), path)
    assert held(path, input_type="bipolar").agrees


def test_a_decision_that_the_network_holds_in_another_unit_is_explained(model) -> None:
    """Codes of a later quantiser are not what the Sign yields, and the sum of tenths is zero that float32 misses."""
    built = model(8).add("MatMul", np.float32([0.1, 0.2, -0.3, 0.3, -0.1, 0.7, -0.7, -0.2]).reshape(8, 1))
    built.add("Sign").add("QuantizeLinear", np.float32(1 / 128), np.int8(0))
    built.add("DequantizeLinear", np.float32(1 / 128), np.int8(0)).add("MatMul", np.float32([[1, -3]]))
    found = held(built.save(), input_type="bipolar")
    assert found.outcome is Outcome.ROUNDED


def test_an_announced_network_may_decide_otherwise_than_float32_too(model) -> None:
    built = rounded_sums(model).add("Flatten").add("MatMul", np.float32(np.sin(np.arange(40.0))).reshape(20, 2))
    found = held(built.save(), input_type="bipolar")
    assert found.outcome is Outcome.ANNOUNCED
    assert any("float32 rounding in the file decides" in note for note in found.notes)


def test_rounded_weights_are_off_for_what_code_0_stands_for_too(model, random) -> None:
    built = model(8).add("MatMul", random.standard_normal((8, 3)).astype(np.float32))
    found = held(built.save(), input_type="uint4", input_scale=1.0, input_offset=-15.0)
    assert found.outcome is Outcome.ANNOUNCED


def test_rounded_weights_of_a_transposed_convolution_are_announced(model, random) -> None:
    built = model(2, 3).sign().add("ConvTranspose", random.standard_normal((2, 1, 4)).astype(np.float32), strides=[2])
    assert held(built.save()).outcome is Outcome.ANNOUNCED


def test_what_could_come_out_excuses_nothing(model, random) -> None:
    """Ranges of products multiply: 16 bits of the last one are steps of more than all that ever comes out."""
    built = model(16)
    for _ in range(5):
        built.add("MatMul", bipolar(random, 16, 16) / 4)
        branch = built.value
        scale = built.add("Abs").add("ReduceMean", axes=[1], keepdims=1).value
        built.add("Mul", scale, reads=branch)
    with pytest.raises(ModelError, match=r"would be off by [0-9]+% of how far it goes"):
        held(built.save(), input_type="int8", input_scale=1 / 64)


def test_ids_stay_integers_where_a_network_that_rounds_is_followed(model, random) -> None:
    built = model(4, dtype=TensorProto.INT64)
    built.add("Gather", "x", reads=built.constant(random.standard_normal((16, 3)).astype(np.float32)))
    built.add("Mul", built.value).add("ReduceMean", axes=[1], keepdims=0)
    assert held(built.save(), input_type="uint4").outcome is Outcome.ANNOUNCED


def test_ids_stay_integers_where_ranges_come_from_frames(model, random) -> None:
    built = model(4, dtype=TensorProto.INT64)
    built.add("Gather", "x", reads=built.constant(random.standard_normal((16, 3)).astype(np.float32)))
    path = built.add("Mul", built.value).add("ReduceMean", axes=[1], keepdims=0).save()
    network = hwgen.read(path, input_type="uint4", calibrate=np.arange(16).reshape(4, 4))
    assert any(note.startswith("Calibrated on 4 frames") for note in network.notes)
