"""Write the table of operators from what streamlining makes of a small graph for each: ``python -m docs.operator_page``."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import defs, numpy_helper

from hwgen.errors import ModelError
from hwgen.frontend import read_onnx
from hwgen.frontend.domains import CUSTOM_OPERATORS, defaults_of
from hwgen.layers.protocol import Layer
from hwgen.operators.evaluate import CHANNELWISE, OPERATORS
from hwgen.operators.integers import INTEGER_CURVES, INTEGERS
from hwgen.operators.normalisations import NORMALISATIONS
from hwgen.operators.recurrent import CELLS
from hwgen.passes import run
from hwgen.streamlining.options import Options
from hwgen.streamlining.streamline import streamline

PAGE = Path(__file__).parent / "operators.md"

HEAD = """# Operators

This page is written by `python -m docs.operator_page`, which streamlines a small graph for each operator: two binary convolutions of an
8-bit input, `a` and `b` (4 channels, 6x6), the operator, and, where it keeps the channels, a third convolution. *Becomes* names the layers beside these
convolutions; "thresholds or nothing" means that the convolutions' own thresholds, weights or the host's output scale take it up. A test holds this page to the code.

Types: tensors of float32, float64, float16, integers and booleans; quantisers of ONNX to INT2, UINT2, INT4, UINT4, INT8, UINT8, INT16, UINT16. Streams are
integers of any width: a function with up to 65,536 equally spaced values becomes codes, others fixed point (see [real numbers](cli.md)). Opsets from 7 to the newest that the
installed onnx package knows.
Of ONNX Runtime's domain, BiasGelu, FastGelu, Gelu, SkipLayerNormalization and SkipSimplifiedLayerNormalization are Gelu, LayerNormalization and RMSNormalization
behind sums; its SimplifiedLayerNormalization is RMSNormalization. A few bits behind a norm, or behind Softmax, are decided by comparison.
Of QONNX's domain for maps of channels last, Conv, MaxPool and BatchNormalization are what they are in ONNX between two transpositions.
Anything that is not on this page is refused by name; `hwgen info` lists all such nodes at once.

| operator | attributes | becomes | with two maps | refused |
|---|---|---|---|---|
"""

PARAMETERS = {
    "Add": "c", "And": "k", "BatchNormalization": "g, g, g, g", "CastLike": "c", "Clip": "l, h", "Div": "c", "Equal": "l", "Gemm": "m",
    "Greater": "c", "GreaterOrEqual": "c", "Less": "c", "LessOrEqual": "c", "Max": "c", "Mean": "c", "Min": "c", "Mod": "h", "Mul": "c", "Or": "k",
    "PRelu": "c", "Pow": "e", "Sub": "c", "Sum": "c", "Xor": "k", "Conv": "u", "ConvTranspose": "t", "MatMul": "m", "XnorPopcountMatMul": "n",
    "Einsum": "e5", "Expand": "s4", "Gather": "i", "Pad": "p", "Reshape": "s2", "Resize": ", f", "Slice": "o, q, r", "Split": "j", "Squeeze": "z", "Tile": "d",
    "Unsqueeze": "z", **{f"Reduce{kind}": "r23" for kind in ("L1", "L2", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare")}, "TopK": "z1", "QuantizeLinear": "h, z8", "DequantizeLinear": "h, z8",
    **dict.fromkeys(("QLinearAveragePool", "QLinearGlobalAveragePool", "QLinearLeakyRelu", "QLinearSigmoid"), "h, z8, h, z8"),
    **dict.fromkeys(("QLinearAdd", "QLinearMul"), "h, z8, k8, h, z8, h, z8"), "ConvInteger": "u8, z8, z8", "MatMulInteger": "m8, z8, z8",
    "QLinearConv": "h, z8, u8, h, z8, h, z8", "QLinearMatMul": "h, z8, m8, h, z8, h, z8", "QGemm": "h, z8, m8, h, z8, , h, z8",
    **dict.fromkeys(("GroupNormalization", "InstanceNormalization"), "g, g"), "LayerNormalization": "g6, g6", "RMSNormalization": "g6",
    "GRU": "w6, r6", "LSTM": "w8r, r8", "RNN": "w2, r2",
    "BipolarQuant": "h", "Quant": "h, zp, w4", "MultiThreshold": "mt", "Trunc": "h, zp, w8, w4",
}  # fmt: skip
"""Constant inputs of the examples, behind the map."""

ATTRIBUTES = {
    "AveragePool": "kernel_shape = [2, 2]", "MaxPool": "kernel_shape = [2, 2]", "Cast": "to = 1", "DepthToSpace": "blocksize = 2", "SpaceToDepth": "blocksize = 2",
    "Concat": "axis = 1", "Gather": "axis = 1", "Split": "axis = 1", "Transpose": "perm = [0, 2, 3, 1]", "TopK": "axis = 1", "ArgMax": "axis = 1", "ArgMin": "axis = 1",
    "Resize": 'mode = "nearest", coordinate_transformation_mode = "asymmetric", nearest_mode = "floor"', "Softmax": "axis = 1", "LogSoftmax": "axis = 1",
    "Conv": "pads = [1, 1, 1, 1]", "ConvTranspose": "strides = [2, 2]", "Quant": 'signed = 1, narrow = 0, rounding_mode = "ROUND"', "Trunc": 'rounding_mode = "FLOOR"',
    "QuantizeLinear": "axis = 1", "DequantizeLinear": "axis = 1", "MaxPoolNHWC": "kernel_shape = [2, 2]",
    "QLinearAveragePool": "kernel_shape = [2, 2]", "QLinearConcat": "axis = 1", "GroupNormalization": "num_groups = 2", "Einsum": 'equation = "bchw,oc->bohw"',
    **dict.fromkeys(CELLS, "hidden_size = 2, layout = 1"),
    "Im2Col": "kernel_size = [2, 2], stride = [1, 1]", "QuantAvgPool2d": "kernel = 2, stride = 2, ibits = 4, obits = 4",
}  # fmt: skip

CONDITIONS = frozenset({"And", "Or", "Xor", "Not", "Where"})
VECTORS = frozenset({"Gemm", "MatMul", "XnorPopcountMatMul"})
OF_CODES = frozenset(INTEGERS) | frozenset(INTEGER_CURVES)
CODE_VECTORS = frozenset({"MatMulInteger", "QGemm", "QLinearMatMul"})
WITHIN = frozenset({"Requantize"})
"""Operators that no file has: passes write them."""
TWO_OUTPUTS = {"TopK": "y0, y", "Split": "y, y1"}
POSITIVE = frozenset({"Exp", "Log", "Reciprocal", "Sqrt"})
FLAT = frozenset({"Flatten", "Reshape"})
OF_SIGNS = frozenset(NORMALISATIONS)
CHANNELS_LAST = frozenset({"Im2Col", "MaxPoolNHWC"})
OPSET = 24
SYNONYMS = frozenset({"IntQuant"})
"""Other names of an operator that has a row."""

DEMANDED = {
    "Im2Col": ("kernel_size", "stride"),
    "QLinearAveragePool": (
        "auto_pad",
        "ceil_mode",
        "channels_last",
        "count_include_pad",
        "kernel_shape",
        "pads",
        "strides",
    ),
    "QLinearConcat": ("axis",),
    "QLinearGlobalAveragePool": ("channels_last",),
    "MaxPoolNHWC": ("kernel_shape", "pads", "strides", "ceil_mode"),
    "QuantAvgPool2d": ("kernel", "stride", "ibits", "obits", "signed"),
}
"""Attributes without default of operators that are not ONNX's own."""
NOT_OF_DATA = frozenset({"ConstantOfShape", "Range", "Shape", "Size"})

REFUSED = {
    "Resize": ('mode = "linear"', ", f"),
    "QuantizeLinear": ("axis = 1, block_size = 2", "h, z8"),
    "Quant": ('signed = 1, narrow = 0, rounding_mode = "STOCHASTIC"', "h, zp, w4"),
    "TopK": ("axis = 2", "z1"),
    "Softmax": ("axis = 2", ""),
    "ArgMax": ("axis = 2", ""),
    "Einsum": ('equation = "bchh->bch"', ""),
}
"""Attributes that are refused, and the other inputs with which they are tried."""


def constants() -> dict[str, np.ndarray]:
    """Give the constants that the examples read."""
    signs = np.random.default_rng(1)

    def bipolar(*shape: int) -> np.ndarray:
        return signs.choice(np.array([-1, 1], dtype=np.float32), shape)

    column = np.array([1, 2, -1, 3], dtype=np.float32)
    ints = {"s4": [1, 4, 6, 6], "s3": [0, 4, 36], "i": [2, 0], "p": [0, 0, 1, 1, 0, 0, 1, 1], "s2": [0, 144], "o": [1], "q": [5], "r": [2], "j": [1, 3], "z": [2], "d": [1, 1, 2, 1], "r23": [2, 3], "z1": [2]}  # fmt: skip
    found = {name: np.array(values, dtype=np.int64) for name, values in ints.items()}
    floats = {"l": -1, "h": 2, "small": 1e-3, "zp": 0, "e": 2, "w4": 4, "w8": 8}
    found.update({name: np.array(value, dtype=np.float32) for name, value in floats.items()})
    found.update(
        c=column.reshape(4, 1, 1),
        g=np.abs(column),
        k=np.array(True),
        z8=np.array(0, dtype=np.int8),
        f=np.array([1, 1, 2, 2], dtype=np.float32),
    )
    found.update(
        w=bipolar(4, 2, 3, 3),
        v=bipolar(4, 2, 1, 1),
        u=bipolar(4, 4, 3, 3),
        last=bipolar(3, 4, 1, 1),
        t=bipolar(4, 4, 2, 2),
        m=bipolar(144, 5),
    )
    found.update(
        im=bipolar(16, 5),
        n=(bipolar(144, 5) + 1) / 2,
        k8=np.full((1, 4, 1, 1), 3, np.int8),
        mt=np.array([[-2, 0, 3]], dtype=np.float32),
    )
    found.update(
        g6=np.linspace(0.5, 1.5, 6, dtype=np.float32),
        e5=bipolar(5, 4),
        u8=found["u"].astype(np.int8),
        m8=found["m"].astype(np.int8),
    )
    for rows, name in ((2, "w2"), (6, "w6"), (8, "w8r")):
        found.update({name: bipolar(1, rows, 36), f"r{rows}": bipolar(1, rows, 2)})
    return found


def layers(op: str, inputs: str, attributes: str) -> tuple[Layer, ...]:
    """Streamline the example of an operator.

    Raises
    ------
    ModelError
        If it has no hardware.
    """
    outputs = TWO_OUTPUTS.get(op, "y")
    domain = "qonnx." if op in CUSTOM_OPERATORS else "microsoft." if op in OF_CODES and not defs.has(op, OPSET) else ""
    call = f"{outputs} = {domain}{op} {f'<{attributes}>' if attributes else ''} ({inputs})"
    before, behind, last = "", "", "y"
    if op in CONDITIONS:
        before = "zero = Constant <value_float = 0.0> () ca = Greater (a, zero) cb = Greater (b, zero) "
    if op in VECTORS:
        before = (
            "fa = Flatten (a) "
            if op != "XnorPopcountMatMul"
            else "zero = Constant <value_float = 0.0> () ga = Greater (a, zero) na = Cast <to = 1> (ga) fa = Flatten (na) "
        )
    if "ta" in inputs:
        before = "ta = Transpose <perm = [0, 2, 3, 1]> (a) tb = Transpose <perm = [0, 2, 1, 3]> (b) "
    if op in CHANNELWISE:
        behind, last = " numbers = Cast <to = 1> (y) scores = Conv (numbers, last)", "scores"
    if op in POSITIVE:
        before = "near = Mul (a, small) far = Abs (near) pa = Add (far, h) "
    if op == "Squeeze":
        before = "sq = Unsqueeze (a, z) "
    if op in OF_CODES:
        before = "qa = QuantizeLinear (a, h, z8) qb = QuantizeLinear (b, h, z8) fq = Flatten (qa) "
    if op in CELLS:
        before = "seq = Reshape (a, s3) "
    if op in OF_SIGNS:
        before, behind, last = "sa = Sign (a) ", " s = Sign (y) scores = Conv (s, last)", "scores"
    if op in CHANNELS_LAST:
        before = "la = Transpose <perm = [0, 2, 3, 1]> (a) "
    if op == "Im2Col":
        behind, last = " scores = MatMul (y, im)", "scores"
    if op in FLAT:
        behind, last = " scores = MatMul (y, m)", "scores"
    text = (
        f'<ir_version: 10, opset_import: ["" : {OPSET}, "qonnx" : 1, "microsoft" : 1]> net (float[N,2,6,6] x) => (float {last}) '
        f"{{ a = Conv <pads = [1, 1, 1, 1]> (x, w) b = Conv (x, v) {before}{call}{behind} }}"
    )
    model = onnx.parser.parse_model(text)
    whole = {"": "", "qonnx": "qonnx.custom_op.general", "microsoft": "com.microsoft"}
    for entry in (*model.graph.node, *model.opset_import):
        entry.domain = whole[entry.domain]
    used = {name for node in model.graph.node for name in node.input}
    model.graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in constants().items() if name in used
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        onnx.save(model, path)
        return streamline(run(read_onnx(path)), Options(input_type="uint8")).layers


def becomes(op: str, inputs: str, attributes: str) -> str:
    """Name the layers that an operator's example becomes, or why it has none."""
    try:
        found = layers(op, inputs, attributes)
    except ModelError as error:
        reason = re.sub(
            r"^(Node '.*?' \(.*?\)|1 node of the model cannot become hardware: '.*?' \(.*?\):) ", "", str(error)
        )
        return f"refused: {reason}".replace("|", "\\|")
    kinds = [type(layer).__name__ for layer in found]
    own = 1 + bool({"b", "cb", "qb", "tb"} & set(re.findall(r"\w+", inputs))) + (op in CHANNELWISE)
    for _ in range(own):
        if "Conv" in kinds:
            kinds.remove("Conv")
    return ", ".join(dict.fromkeys(kinds)) or "thresholds or nothing"


def row(op: str) -> str:
    """Give the line of an operator."""
    first = (
        "fa"
        if op in VECTORS
        else "ca"
        if op in CONDITIONS
        else "pa"
        if op in POSITIVE
        else "sq"
        if op == "Squeeze"
        else "la"
        if op in CHANNELS_LAST
        else "seq"
        if op in CELLS
        else "sa"
        if op in OF_SIGNS
        else "fq"
        if op in CODE_VECTORS
        else "qa"
        if op in OF_CODES
        else "a"
    )
    parameters, attributes = PARAMETERS.get(op, ""), ATTRIBUTES.get(op, "")
    one = ", ".join(part for part in (first, parameters) if part)
    two = "-"
    match op:
        case "Where":
            alone, two = becomes(op, "ca, l, h", ""), becomes(op, "ca, a, b", "")
        case "Concat":
            alone, two = becomes(op, "a, a", attributes), becomes(op, "a, b", attributes)
        case "QLinearConcat":
            codes = "h, z8, qa, h, z8, {}, h, z8"
            alone, two = (becomes(op, codes.format(other), attributes) for other in ("qa", "qb"))
        case "MatMul":
            alone, two = becomes(op, one, ""), becomes(op, "ta, tb", "")
        case "Einsum":
            alone, two = becomes(op, one, attributes), becomes(op, "a, b", 'equation = "bchw,bchk->bhwk"')
        case "QLinearAdd" | "QLinearMul":
            alone, two = becomes(op, one, ""), becomes(op, one.replace("k8", "qb"), "")
        case _ if op in NOT_OF_DATA:
            alone = "folded: it does not depend on data"
        case _:
            alone = becomes(op, one, attributes)
            if (
                op in CHANNELWISE
                and len(parameters.split(",")) == 1
                and parameters
                and op not in ("CastLike", "BipolarQuant", "MultiThreshold")
            ):
                two = becomes(op, f"{first}, {'cb' if op in CONDITIONS else 'b'}", attributes)
    refused = "-"
    if op in REFUSED:
        value, others = REFUSED[op]
        told = becomes(op, ", ".join(part for part in (first, others) if part), value)
        refused = f"`{value}`: {told.removeprefix('refused: ')}"
    known = (
        sorted(defs.get_schema(op, OPSET).attributes)
        if defs.has(op, OPSET) and op not in CUSTOM_OPERATORS
        else sorted({*defaults_of(op), *DEMANDED.get(op, ())})
    )
    return f"| {op} | {', '.join(known) or '-'} | {alone} | {two} | {refused} |"


def page() -> str:
    """Give the text of the page."""
    return HEAD + "\n".join(row(op) for op in sorted({*OPERATORS, *CUSTOM_OPERATORS} - SYNONYMS - WITHIN)) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
