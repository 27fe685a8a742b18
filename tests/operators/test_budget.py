"""Files of a few bytes that ask for terabytes are refused before anything is calculated."""

import time

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from hwgen.errors import ModelError
from hwgen.frontend import read_onnx
from hwgen.graph import Node
from hwgen.operators.budget import LEAST_NUMBERS, MOST_PRODUCTS, Budget
from hwgen.passes import run

CONSTANTS = {
    "huge": np.int64([1 << 20, 1 << 20]),
    "one": np.float32([1]),
    "zero": np.float32(0),
    "far": np.float32(1e12),
    "step": np.float32(1),
    "rows": np.ones((1 << 14, 1), np.float32),
    "columns": np.ones((1, 1 << 14), np.float32),
    "square": np.ones((64, 64), np.float32),
    "scales": np.float32([1e6, 1e6]),
    "pads": np.int64([0, 0, 1 << 40, 0]),
    "depth": np.int64(1 << 40),
    "pair": np.float32([0, 1]),
    "index": np.int64([[0]]),
}

BOMBS = {
    "Expand": "c = Expand (one, huge) y = Mul (x, c)",
    "Tile": "c = Tile (square, huge) y = Mul (x, c)",
    "ConstantOfShape": "c = ConstantOfShape (huge) y = Mul (x, c)",
    "Range": "c = Range (zero, far, step) y = Mul (x, c)",
    "Mul": "c = Mul (rows, columns) d = Mul (c, c) y = Mul (x, c)",
    "MatMul": "c = MatMul (rows, columns) y = Mul (x, c)",
    "Resize": 'c = Resize <mode = "nearest"> (square, , scales) y = Mul (x, c)',
    "Pad": "c = Pad (square, pads) y = Mul (x, c)",
    "OneHot": "c = OneHot (index, depth, pair) y = Mul (x, c)",
    "HannWindow": "c = HannWindow (depth) y = Mul (x, c)",
    "Concat": "a0 = Identity (square)"
    + "".join(f" a{n + 1} = Concat <axis = 0> (a{n}, a{n})" for n in range(20))
    + " y = MatMul (x, a20)",
}
MAPS = {
    "Expand": "y = Expand (x, huge)",
    "Tile": "y = Tile (x, wide)",
    "Pad": "y = Pad (x, pads)",
    "Resize": 'y = Resize <mode = "nearest"> (x, , scales)',
    "Concat": "a0 = Identity (x)"
    + "".join(f" a{n + 1} = Concat <axis = 1> (a{n}, a{n})" for n in range(30))
    + " y = Neg (a30)",
}


def write(path, body, **more):
    text = f'<ir_version: 10, opset_import: ["" : 20]> net (float[N,4] x) => (float y) {{ {body} }}'
    model = onnx.parser.parse_model(text)
    read = {name for node in model.graph.node for name in node.input}
    constants = {**CONSTANTS, **more}
    model.graph.initializer.extend(numpy_helper.from_array(constants[name], name) for name in constants if name in read)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_of_constants_is_refused_at_once(tmp_path, name):
    path, start = write(tmp_path / "net.onnx", BOMBS[name]), time.process_time()
    with pytest.raises(
        ModelError, match=rf"\({name}\) asks for a constant of [\d,]+ numbers, more than this model may"
    ):
        run(read_onnx(path))
    assert time.process_time() - start < 5


@pytest.mark.parametrize("name", MAPS)
def test_a_map_that_nothing_can_hold_is_refused_at_once(tmp_path, name):
    path, start = write(tmp_path / "net.onnx", MAPS[name], wide=np.int64([1, 1 << 40])), time.process_time()
    with pytest.raises(
        ModelError, match=rf"\({name}\) yields a map of [\d,]+ numbers a frame, but the largest that is handled"
    ):
        run(read_onnx(path))
    assert time.process_time() - start < 5


def test_products_of_constants_are_counted():
    big, node = np.broadcast_to(np.float32(1), (4096, 4096)), Node("MatMul", "m", ("a", "b"), ("c",))
    budget = Budget([])
    budget.spend(node, [big, big])
    assert budget.products == 0
    with pytest.raises(ModelError, match=r"'m' \(MatMul\) asks for a constant of 68,719,476,736 products"):
        budget.spend(node, [big, big])
    with pytest.raises(ModelError, match=r"asks for a constant of 1,099,511,627,776 products"):
        Budget([]).spend(node, [big.astype(np.int8), big.astype(np.int8)])
    with pytest.raises(ModelError, match=r"'e' \(Einsum\) asks for a constant of 17,592,186,044,416 products"):
        Budget([]).spend(
            Node("Einsum", "e", ("a",), ("b",), {"equation": "ab,bc,cd->ad"}), [big[:, :256], big[:256], big]
        )


def test_what_a_file_holds_may_be_calculated_with():
    weights = np.broadcast_to(np.float32(1), (LEAST_NUMBERS, 2))
    Budget([weights]).spend(Node("Sign", "s", ("a",), ("b",)), [weights])
    with pytest.raises(ModelError, match=r"'s' \(Sign\) asks for"):
        Budget([]).spend(Node("Sign", "s", ("a",), ("b",)), [weights])


def test_a_budget_is_spent_bit_by_bit():
    budget, node = Budget([]), Node("Sign", "s", ("a",), ("b",))
    half = np.broadcast_to(np.float32(1), (LEAST_NUMBERS // 2,))
    budget.spend(node, [half])
    budget.spend(node, [half])
    assert (budget.numbers, budget.products) == (0, MOST_PRODUCTS)
    with pytest.raises(ModelError):
        budget.spend(node, [half[:1]])


def test_what_does_not_fit_its_inputs_is_left_to_whoever_calculates_it():
    Budget([]).spend(Node("Gather", "g", ("a", "b"), ("c",), {"axis": 7}), [np.ones(3), np.int64([0])])
