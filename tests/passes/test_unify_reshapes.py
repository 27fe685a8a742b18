import numpy as np
import pytest

from hwgen.passes.unify_reshapes import unify_reshapes


@pytest.mark.parametrize(
    ("node", "given", "shape"),
    [
        ("Flatten (x)", None, [-1, 24]),
        ("Flatten <axis = 3> (x)", None, [-1, 4]),
        ("Squeeze (x, s)", [1], [-1, 6, 4]),
        ("Unsqueeze (x, s)", [0, 5], [1, -1, 1, 6, 4, 1]),
        ("Reshape (x, s)", [0, -1, 3], [-1, 8, 3]),
        ("Reshape (x, s)", [0, 12, 2], [-1, 12, 2]),
        ("Reshape <allowzero = 1> (x, s)", [-1, 24], [-1, 24]),
    ],
)
def test_every_spelling_is_a_reshape_to_a_constant(node, given, shape, graph_of, applied):
    weights = {} if given is None else {"s": np.array(given)}
    graph = applied(unify_reshapes, graph_of(f"y = {node}", "N,1,6,4", **weights))
    (reshape,) = graph.nodes
    assert reshape.op == "Reshape"
    assert graph.constants[reshape.inputs[1]].tolist() == shape
    assert not reshape.attributes or reshape.attributes == {"allowzero": 1}
