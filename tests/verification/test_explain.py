from __future__ import annotations

import numpy as np

from hwgen.verification.executor import executor_of
from hwgen.verification.explain import Brackets

TENTH = float(np.float32(0.1))


def bracketed(built, x: np.ndarray, **options: int) -> dict[str, tuple[float, float]]:
    """Give the bracket of each tensor's first number."""
    path = built.save()
    brackets, executor = Brackets(path), executor_of(path)
    names = [name for name in brackets.tensors if name in executor.executable.makers]
    found = executor.run({"x": x}, names)
    ends = brackets.of(found | {"x": x}, {"x": x}, {}, **options)
    return {name: (low.flat[0].item(), high.flat[0].item()) for name, (low, high) in ends.items()}


def test_an_exact_sum_is_one_number(model) -> None:
    ends = bracketed(model(3).add("MatMul", np.float32([[1], [1], [-2]])).sign(), np.float32([[1, 1, 1]]))
    assert ends["v0"] == (0, 0)
    assert ends["v2"] == (1, 1)


def test_a_rounded_sum_reaches_to_both_sides_of_the_exact_one(model) -> None:
    x = np.float32([[1] * 9 + [-1] * 7])
    weights = np.full((16, 1), 0.1, dtype=np.float32)
    built = model(16).add("MatMul", weights).add("Sub", np.float32(0.2)).sign()
    low, high = bracketed(built, x)["v0"]
    assert low <= 2 * TENTH <= high
    assert high - low < 1e-6


def test_a_decision_on_a_rounded_sum_may_go_either_way(model) -> None:
    built = model(1).add("MatMul", np.float32([[1]])).sign()
    path = built.save()
    brackets = Brackets(path)
    found = {"x": np.float32([[0]]), "v0": np.float32([[-1e-9]]), "v1": np.array([[False]]), "v2": np.float32([[-1]])}
    low, high = brackets.of(found, {"x": found["x"]}, {})["v2"]
    assert (low.item(), high.item()) == (-1, 1)


def test_another_operator_explains_nothing(model) -> None:
    """What the file's executor calls by that name is something else: no number lies among NaN."""
    brackets = Brackets(model(1).add("MatMul", np.float32([[1]])).add("Mul", np.float32(2)).save())
    found = {"x": np.float32([[3]]), "v0": np.float32([[3]]), "v1": np.float32([[-6]])}
    low, high = brackets.of(found, {"x": found["x"]}, {})["v1"]
    assert np.isnan(low)
    assert np.isnan(high)


def test_a_sign_of_zero_is_also_taken_as_told(model) -> None:
    built, x = model(2).add("MatMul", np.float32([[1], [-1]])).add("Sign"), np.float32([[1, 1]])
    assert bracketed(built, x)["v1"] == (0, 0)
    assert bracketed(built, x, sign_at_zero=1)["v1"] == (0, 1)
    assert bracketed(built, x, sign_at_zero=-1)["v1"] == (-1, 0)


def test_what_nodes_make_of_constants_has_no_frames(model) -> None:
    """Weights that a node of the file calculates are followed in the file's precision, and not as maps of a frame."""
    built = model(3)
    weights = built.add("Mul", np.float32([[1], [1], [-2]]), np.float32(0.1), reads="").value
    built.add("MatMul", weights, reads="x").sign()
    path = built.save()
    brackets = Brackets(path)
    x = np.float32([[1, 1, 1], [1, 2, 3]])
    found = executor_of(path).run({"x": x}, brackets.tensors)
    low, high = brackets.of(found | {"x": x}, {"x": x}, {})["v1"]
    assert weights not in brackets.tensors
    assert low.shape == (2, 1)
    assert np.all((low <= found["v1"]) & (found["v1"] <= high))


def test_a_factor_of_a_bias_is_rounded_before_or_after_the_sum(model) -> None:
    """Seven tenths of five are 3.5 as float32 has it, and a little less exactly."""
    factor = float(np.float32(0.7))
    built = model(1).add("Gemm", np.float32([[1]]), np.float32([5]), beta=0.7)
    low, high = bracketed(built, np.float32([[0.25]]))["v0"]
    assert low == 0.25 + 5 * factor
    assert high == 3.75


def test_what_a_node_that_is_written_out_sums_up_is_bracketed_too(model) -> None:
    """An Einsum is a product of its own making: tenths in it are multiples of a tenth all the same."""
    weights = np.float32([[0.1], [0.2], [-0.3]])
    built = model(3).add("Einsum", weights, equation="na,ab->nb").sign()
    ends = bracketed(built, np.float32([[1, 1, 1]]))
    assert ends["v0"][0] <= 0 <= ends["v0"][1]
    assert ends["v0"][0] < ends["v0"][1]
