import numpy as np
import pytest

from hwgen.errors import ModelError
from hwgen.graph import Graph, Node, Value, check, check_finite

FLOAT = np.dtype(np.float32)
VALUES = {name: Value(name, (None, 2), FLOAT) for name in "xaby"}


def graph(*nodes, constants=None, values=VALUES, outputs=("y",)):
    return Graph("g", nodes, constants or {}, values, ("x",), outputs)


def neg(source, target):
    return Node("Neg", f"{source}_to_{target}", (source,), (target,))


def test_a_legal_graph_passes():
    check(graph(neg("x", "a"), Node("Clip", "clip", ("a", "", ""), ("y",))))


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (
            graph(neg("a", "y"), neg("x", "a")),
            r"After pass: node 'a_to_y' \(Neg\) reads 'a', which nothing defines before it",
        ),
        (graph(neg("x", "y"), neg("x", "y")), "node 'x_to_y' .* defines 'y' a second time"),
        (graph(neg("x", "new"), neg("x", "y")), "output 'new' of node 'x_to_new' .* has no shape"),
        (graph(neg("x", "a")), "output 'y' is not defined by any node"),
    ],
)
def test_the_error_names_pass_node_and_tensor(broken, sentence):
    with pytest.raises(ModelError, match=sentence):
        check(broken, after="pass")


@pytest.mark.parametrize(
    ("op", "place", "value", "allowed"),
    [
        ("Mul", 1, np.inf, False),
        ("Mul", 1, np.nan, False),
        ("Clip", 1, -np.inf, True),
        ("Clip", 2, np.nan, False),
        ("MultiThreshold", 1, np.inf, True),
        ("Max", 1, -np.inf, True),
        ("Where", 2, -np.inf, True),
        ("Pad", 2, -np.inf, True),
    ],
)
def test_infinity_is_allowed_where_it_means_something_and_nan_nowhere(op, place, value, allowed):
    inputs = ["x", "", ""]
    inputs[place] = "w"
    broken = graph(Node(op, "node", tuple(inputs), ("y",)), constants={"w": np.array([1, value], np.float32)})
    if allowed:
        check_finite(broken)
    else:
        with pytest.raises(ModelError, match=rf"Node 'node' \({op}\) has (NaN|infinity) in its constant 'w'"):
            check_finite(broken)
