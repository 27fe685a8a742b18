"""Operators on every element by itself, against onnxruntime."""

import pytest

from tests.operators.onnx_cases import ONE, hold_close, hold_equal

EXACT = {
    "sign": "y = Sign (x)",
    "neg": "y = Neg (x)",
    "abs": "y = Abs (x)",
    "relu": "y = Relu (x)",
    "leaky": "y = LeakyRelu <alpha = 0.25> (x)",
    "prelu": "s = Constant <value_floats = [0.5, 0.25, 1.0, -1.0]> () a = Constant <value_ints = [1, "
    "2]> () t = Unsqueeze (s, a) y = PRelu (x, t)",
    "clip": f"l = Neg (h) h = {ONE} y = Clip (x, l, h)",
    "clip_low": f"l = {ONE} y = Clip (x, l)",
    "clip_high": f"h = {ONE} y = Clip (x, , h)",
    "floor": "y = Floor (x)",
    "ceil": "y = Ceil (x)",
    "round": "y = Round (x)",
    "where": f"o = {ONE} z = Sub (o, o) m = Neg (o) c = GreaterOrEqual (x, z) y = Where (c, o, m)",
    "logic": f"o = {ONE} a = Less (x, o) b = Greater (x, o) c = Or (a, b) d = Not (c) e = And (c, d) "
    f"f = Xor (e, c) g = Equal (x, o) h = Or (f, g) "
    "y = Cast <to = 1> (h)",
    "less_or_equal": f"o = {ONE} a = LessOrEqual (x, o) y = CastLike (a, x)",
    "cast_int": "a = Cast <to = 6> (x) y = Cast <to = 1> (a)",
    "div_int": "t = Constant <value_int = 3> () a = Cast <to = 7> (x) b = Div (a, t) y = Cast <to = 1> (b)",
    "min_max": f"o = {ONE} a = Max (x, o) b = Neg (x) y = Min (a, b, o)",
    "mod": "t = Constant <value_int = 3> () a = Cast <to = 7> (x) b = Mod (a, t) y = Cast <to = 1> (b)",
    "fmod": "t = Constant <value_float = 0.75> () y = Mod <fmod = 1> (x, t)",
    "prelu_zero_slope": "s = Constant <value_float = 0.0> () y = PRelu (x, s)",
    "shrink": "y = Shrink <bias = 0.5, lambd = 0.5> (x)",
    "hard_tanh": f"h = {ONE} l = Neg (h) y = Clip (x, l, h)",
}
CLOSE = {
    "sigmoid": "y = Sigmoid (x)",
    "tanh": "y = Tanh (x)",
    "hard_sigmoid": "y = HardSigmoid (x)",
    "hard_sigmoid_own": "y = HardSigmoid <alpha = 0.25, beta = 0.4> (x)",
    "celu": "y = Celu <alpha = 1.5> (x)",
    "mish": "y = Mish (x)",
    "hard_swish": "y = HardSwish (x)",
    "elu": "y = Elu (x)",
    "selu": "y = Selu (x)",
    "softplus": "y = Softplus (x)",
    "softsign": "y = Softsign (x)",
    "thresholded": "y = ThresholdedRelu (x)",
    "gelu": "y = Gelu (x)",
    "gelu_tanh": 'y = Gelu <approximate = "tanh"> (x)',
    "erf": "y = Erf (x)",
    "exp_log": f"o = {ONE} a = Exp (x) b = Add (a, o) y = Log (b)",
    "sqrt_pow": f"o = {ONE} t = Add (o, o) a = Pow (x, t) b = Sqrt (a) c = Add (b, o) y = Reciprocal (c)",
    "mean": "n = Abs (x) y = Mean (x, n)",
    "batch_norm": "s = Constant <value_floats = [0.5, -2.0, 1.0, 0.0]> () v = Abs (s) y = BatchNormalization "
    "<epsilon = 0.001> (x, s, s, s, v)",
}


@pytest.mark.parametrize("body", EXACT.values(), ids=EXACT)
def test_equals_onnxruntime(body, tmp_path):
    hold_equal(body, tmp_path)


@pytest.mark.parametrize("body", CLOSE.values(), ids=CLOSE)
def test_agrees_with_onnxruntime_to_float32(body, tmp_path):
    hold_close(body, tmp_path)
