"""Operators that move elements, against onnxruntime."""

import numpy as np
import pytest

from tests.operators.onnx_cases import both, hold_equal, parse, sample

EXACT = {
    "flatten": "y = Flatten (x)",
    "flatten_2": "y = Flatten <axis = -2> (x)",
    "reshape": "s = Constant <value_ints = [0, -1, 3]> () y = Reshape (x, s)",
    "transpose": "y = Transpose <perm = [0, 2, 3, 1]> (x)",
    "pad": "p = Constant <value_ints = [1, 0, 0, 2]> () a = Constant <value_ints = [3, -2]> () v = "
    "Constant <value_float = -1.0> () y = Pad (x, p, v, a)",
    "pad_cut": "p = Constant <value_ints = [0, 0, -1, 1, 0, 0, 2, -2]> () y = Pad (x, p)",
    "pad_reflect": 'p = Constant <value_ints = [0, 0, 1, 1, 0, 0, 2, 2]> () y = Pad <mode = "reflect"> (x, p)',
    "pad_wrap": 'p = Constant <value_ints = [0, 0, 1, 1, 0, 0, 2, 2]> () y = Pad <mode = "wrap"> (x, p)',
    "pad_edge": 'p = Constant <value_ints = [0, 0, 1, 1, 0, 0, 2, 2]> () y = Pad <mode = "edge"> (x, p)',
    "expand": "s = Constant <value_ints = [2, 1, 1, 1, 6]> () y = Expand (x, s)",
    "unsqueeze": "a = Constant <value_ints = [1, -1]> () b = Unsqueeze (x, a) c = Constant <value_ints = [-1]> () y = Squeeze (b, c)",
    "range": "o = Constant <value_int = 1> () l = Constant <value_int = 15> () d = Constant <value_int = 3> () "
    "r = Range (o, l, d) t = Cast <to = 1> (r) s = Constant <value_ints = [5, 1, 1, 1, 1]> () u = Reshape (t, s) y = Add (x, u)",
    "slice_far": "s = Constant <value_ints = [-3, -1]> () e = Constant <value_ints = [100, -5]> () a = Constant <value_ints = [3, 2]> () "
    "t = Constant <value_ints = [1, -2]> () y = Slice (x, s, e, a, t)",
    "concat": "n = Neg (x) y = Concat <axis = -3> (x, n)",
    "split": "a, b = Split <axis = 1, num_outputs = 2> (x) y = Concat <axis = 2> (b, a)",
    "slice": "s = Constant <value_ints = [5, 1]> () e = Constant <value_ints = [-100, 3]> () "
    "a = Constant <value_ints = [3, 1]> () "
    "t = Constant <value_ints = [-2, 1]> () y = Slice (x, s, e, a, t)",
    "gather": "i = Constant <value_ints = [2, -1]> () y = Gather <axis = 1> (x, i)",
    "tile": "r = Constant <value_ints = [1, 2, 1, 3]> () y = Tile (x, r)",
    "depth": "d = DepthToSpace <blocksize = 2> (x) y = SpaceToDepth <blocksize = 2> (d)",
    "depth_crd": 'y = DepthToSpace <blocksize = 2, mode = "CRD"> (x)',
    "resize": 's = Constant <value_floats = [1.0, 1.0, 2.0, 1.5]> () y = Resize <mode = "nearest", '
    'coordinate_transformation_mode = "asymmetric", '
    'nearest_mode = "floor"> (x, , s)',
    "resize_half": 's = Constant <value_floats = [1.0, 1.0, 2.0, 0.5]> () y = Resize <mode = "nearest"> (x, , s)',
    "resize_axes": 's = Constant <value_floats = [2.0, 3.0]> () y = Resize <mode = "nearest", axes = [2, 3], '
    'coordinate_transformation_mode = "asymmetric", nearest_mode = "floor"> (x, , s)',
    "resize_sizes": "s = Constant <value_ints = [9, 13]> () y = Resize <axes = [2, 3], "
    'coordinate_transformation_mode = "align_corners", nearest_mode = "round_prefer_ceil"> (x, , , s)',
    "resize_ceil": 's = Constant <value_floats = [1.0, 1.0, 1.7, 0.6]> () y = Resize <nearest_mode = "ceil", '
    'coordinate_transformation_mode = "pytorch_half_pixel"> (x, , s)',
    "resize_shape": "t = Shape (x) a = Constant <value_ints = [0]> () b = Constant <value_ints = [2]> () "
    "f = Slice (t, a, b) e = Constant <value_ints = [12, 18]> () s = Concat <axis = 0> (f, e) y = Resize (x, , , s)",
    "gather_matrix": "i = Constant <value = int64[2,2] {0, 1, 2, 3}> () y = Gather <axis = 2> (x, i)",
    "split_uneven": "a, b, c = Split <axis = 3, num_outputs = 3> (x) y = Concat <axis = 3> (c, a, b)",
    "split_sizes": "s = Constant <value_ints = [1, 5]> () a, b = Split <axis = 2> (x, s) y = Concat <axis = 2> (b, a)",
}


@pytest.mark.parametrize("body", EXACT.values(), ids=EXACT)
def test_equals_onnxruntime(body, tmp_path):
    hold_equal(body, tmp_path)


SIZES = [(1, 1), (1, 4), (2, 1), (2, 3), (3, 1), (3, 2), (5, 1), (5, 4), (5, 8), (6, 1), (6, 4), (7, 1)]
"""Length of an axis, and what it is resized to."""

COORDINATES = ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "asymmetric", "align_corners"]
ROUNDINGS = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]


def resized(sizes, tail):
    """Give a graph that resizes the beginnings of x, as ``tail`` says, and joins the results."""
    body = "o = Constant <value_ints = [0]> () a = Constant <value_ints = [2]> ()"
    for number, (length, wanted) in enumerate(sizes):
        body += f" e{number} = Constant <value_ints = [{length}]> () p{number} = Slice (x, o, e{number}, a)"
        body += f" s{number} = {wanted} y{number} = Resize <{tail[0]}> (p{number}, {tail[1]}s{number})"
    return parse(
        f"{body} y = Concat <axis = 2> ({', '.join(f'y{number}' for number in range(len(sizes)))})", "float[N,1,8] x"
    )


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("coordinates", COORDINATES)
def test_resize_to_a_size_equals_onnxruntime(coordinates, rounding, tmp_path):
    """To a size of one each way of counting takes another element."""
    flags = f'coordinate_transformation_mode = "{coordinates}", nearest_mode = "{rounding}", axes = [2]'
    wanted = [(length, f"Constant <value_ints = [{size}]> ()") for length, size in SIZES]
    x = np.arange(8, dtype=np.float32).reshape(1, 1, 8)
    (y,), (reference,) = both(resized(wanted, (flags, ", , ")), x, tmp_path)
    assert y.tolist() == reference.tolist()


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("coordinates", COORDINATES)
def test_resize_by_a_scale_decides_ties_as_onnxruntime(coordinates, rounding, tmp_path):
    """1.4 and 0.7 are no float32 numbers: their products with a length, and places divided by them, are what float32 makes of them."""
    flags = f'coordinate_transformation_mode = "{coordinates}", nearest_mode = "{rounding}", axes = [2]'
    wanted = [
        (length, f"Constant <value_floats = [{scale}]> ()")
        for length, scale in ((4, 1.4), (5, 1.4), (8, 1.4), (4, 0.6), (5, 0.2), (7, 1.7), (8, 0.5), (3, 0.4))
    ]
    x = np.arange(8, dtype=np.float32).reshape(1, 1, 8)
    (y,), (reference,) = both(resized(wanted, (flags, ", ")), x, tmp_path)
    assert y.tolist() == reference.tolist()


@pytest.mark.parametrize("opset", [7, 9, 10])
@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0, 2.3, 0.3, 0.5, 0.7])
def test_resize_of_older_opsets(opset, scale, tmp_path):
    """Opset 10 rounds up where a map shrinks, which Upsample cannot do."""
    if opset < 10 and scale < 1:
        return
    scales = f"1.0, 1.0, {scale}, {scale}"
    given = f"s = Constant <value = float[4] {{{scales}}}> () y = {'Resize' if opset == 10 else 'Upsample'} (x, s)"
    body = f"y = Upsample <scales = [{scales}]> (x)" if opset == 7 else given
    (y,), (reference,) = both(parse(body, opset=opset), sample((3, 4, 6, 6)), tmp_path)
    assert np.array_equal(y, reference)


@pytest.mark.parametrize("policy", ["not_larger", "not_smaller"])
@pytest.mark.parametrize("axes", [(2, 3), (3, 2), (3,)])
def test_resize_that_keeps_the_aspect_ratio(policy, axes, tmp_path):
    """The scale is that of the tightest axis, of the other the size follows, rounded; places are counted with that scale."""
    for sizes in [(3, 5), (5, 3), (9, 4), (4, 9), (7, 7), (8, 14), (1, 2)]:
        for nearest in ROUNDINGS:
            flags = f'axes = [{", ".join(map(str, axes))}], keep_aspect_ratio_policy = "{policy}", nearest_mode = "{nearest}"'
            body = f"s = Constant <value_ints = [{', '.join(map(str, sizes[: len(axes)]))}]> () y = Resize <{flags}> (x, , , s)"
            (y,), (reference,) = both(parse(body, "float[N,2,5,8] x"), sample((2, 2, 5, 8)), tmp_path)
            assert y.shape == reference.shape
            assert np.array_equal(y, reference)
