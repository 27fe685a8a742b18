"""Functions of a model's own that call one another without end, or twice each."""

import time

import onnx
import pytest
from onnx import helper

from hwgen.errors import ModelError
from hwgen.frontend import functions
from hwgen.frontend.functions import inlined

OPSETS = [helper.make_opsetid("", 20), helper.make_opsetid("own", 1)]


def chain(length: int, calls: int, circle: bool = False) -> onnx.ModelProto:
    """Give a model whose function f0 calls f1 so many times, f1 f2, and so on; the last one negates, or calls the first."""
    found = []
    for number in range(length):
        last = number == length - 1
        op, domain = ("Neg", "") if last and not circle else (f"f{0 if last else number + 1}", "own")
        names = [f"v{place}" for place in range(calls)] + ["y"]
        nodes = [
            helper.make_node(op, [a], [b], domain=domain) for a, b in zip(["x", *names[1:-1]], names[1:], strict=True)
        ]
        found.append(helper.make_function("own", f"f{number}", ["x"], ["y"], nodes, OPSETS))
    model = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["" : 20, "own" : 1]> net (float[N,4] x) => (float[N,4] y) { y = own.f0 (x) }'
    )
    model.functions.extend(found)
    return model


def test_functions_are_put_in_place():
    assert [node.op_type for node in inlined(chain(3, 2)).graph.node] == ["Neg"] * 8


@pytest.mark.parametrize("length", [1, 2, 500])
def test_functions_that_call_one_another_in_a_circle(length):
    with pytest.raises(ModelError, match=r"The local function 'f\d+' of the model calls itself"):
        inlined(chain(length, 1, circle=True))


def test_functions_that_become_too_many_nodes_are_counted_not_made():
    start = time.perf_counter()
    with pytest.raises(ModelError, match=f"has {2**41:,} nodes once its local functions are in place"):
        inlined(chain(41, 2))
    assert time.perf_counter() - start < 5


def test_nodes_inside_of_nodes_are_counted(monkeypatch):
    monkeypatch.setattr(functions, "MOST_NODES", 8)
    model = chain(3, 2)
    inlined(model)
    call = helper.make_node("f0", ["x"], ["z"], domain="own")
    branch = helper.make_graph([call], "branch", [], [helper.make_tensor_value_info("z", 1, None)])
    model.graph.node.append(helper.make_node("If", ["x"], ["z"], then_branch=branch, else_branch=branch))
    with pytest.raises(ModelError, match="has 25 nodes"):
        inlined(model)
