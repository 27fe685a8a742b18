"""Graph -> Graph: what is left after the passes, for whoever reads a graph next.

`run` applies `PASSES` in their visible order until none of them finds anything, and holds the law of a legal graph
after each. Every pass keeps the outputs of the graph as they are, and returns the very same object when nothing
matched.

After the passes a graph has this one form, in the terms of the newest ONNX opset:

* Every node depends on the graph's input and is needed for an output. Weights, scales, thresholds and structural
  parameters are in ``graph.constants``, in the file's own dtype (float32 as a rule), whatever sub-graph they were
  computed by.
* No Identity, Dropout, Flatten, Squeeze, Unsqueeze, Gemm, Constant, Shape, CastLike with a constant type, or Cast to
  the same type.
* ``MatMul(x, W)``: a constant operand is the second, shape (columns, rows), also for what was a Gemm: ``MatMul`` then
  ``Mul`` (alpha, when not 1) then ``Add`` (beta * bias, when given). A constant on the left becomes Transpose,
  MatMul, Transpose.
* ``Reshape(x, shape)``: constant int64 shape, -1 first (the batch) and every other size given. Neighbouring reshapes
  are one; a reshape to the same shape is gone; so are the pairs around a BatchNormalization or around a MatMul over
  the last axis (Keras' Tensordot).
* ``Transpose``: ``perm`` always given; neighbours are one; the identity is gone.
* ``Conv(x, W[, B])``, attributes ``strides``, ``dilations``, ``pads`` (all begins, then all ends), ``group``,
  ``kernel_shape``. ``MaxPool`` and ``AveragePool`` likewise (``ceil_mode`` 0 unless an average counts padding). No
  ``auto_pad``.
* ``Pad(x, pads, value)``: pads for every axis of x (all begins, then all ends), value always given; attribute
  ``mode``.
* ``BatchNormalization(x, scale, bias, mean, var)``, attribute ``epsilon``; channel axis 1, or ``channel_axis``; any rank from 2 up.
* No product of tensors side by side along what is summed up, where products of the same matrix follow one another (a recurrent cell): each has its own.
* No Im2Col in front of a product with constant weights: both are Transpose, Conv, Transpose.
* ``Clip(x, min, max)``: an absent bound is ``""``. ``Reduce*(x, axes)``, ``Slice(x, starts, ends, axes, steps)``,
  ``Split(x, split)``, ``TopK(x, k)``, with constant int64 parameters; ``axis``, ``axes`` and ``perm`` are never
  negative.
* ``BipolarQuant(x, scale)``, ``Quant(x, scale, zero_point, bit_width)`` (``signed``, ``narrow``, ``rounding_mode``),
  ``Trunc``, ``MultiThreshold(x, thresholds)`` (``out_scale``, ``out_bias``, ``channel_axis``),
  ``XnorPopcountMatMul(x, W)``: domain dropped.
* A sign stays as it was spelled (Sign, GreaterOrEqual + Where, Cast + Mul + Sub, ...); constants that fed it at full
  size (ones of the activation's shape) have a batch axis of 1 and broadcast.
* ``graph.values[name].shape`` is None where the batch is, which is axis 0 for everything but the inside of a
  transposed product.

What real exports look like then (input and weights left out):

* Brevitas: ``Conv BatchNormalization BipolarQuant MaxPool ... Reshape MatMul BatchNormalization``.
* PyTorch, BatchNormalization fused by the exporter: ``Reshape Mul Sub Sign MatMul Add Sign ... MatMul Add``.
* PyTorch, hand-written sign: ``MatMul BatchNormalization GreaterOrEqual Where ...``; with the detach trick
  ``Clip Sign Sub Add``: ``sign(v) - clip(v) + clip(v)``.
* Larq through tf2onnx: ``Transpose Conv Mul Add Sign Add Sign MaxPool ... Transpose Reshape MatMul Mul Add Softmax``.
* QKeras: as Larq, with ``Sign Abs Sub Add Neg Add Add`` for a sign.
* FINN: ``Conv MultiThreshold MaxPool ... Reshape MatMul Mul Add``, or ``XnorPopcountMatMul MultiThreshold``.
"""

from __future__ import annotations

from collections.abc import Callable

from hwgen.graph import Graph, check, check_finite
from hwgen.passes.fold_constants import fold_constants
from hwgen.passes.fold_shapes import fold_shapes
from hwgen.passes.fuse_im2col import fuse_im2col
from hwgen.passes.merge_reshapes import merge_reshapes
from hwgen.passes.merge_transposes import merge_transposes
from hwgen.passes.move_constant_right import move_constant_right
from hwgen.passes.remove_dead import remove_dead
from hwgen.passes.remove_identity import remove_identity
from hwgen.passes.settle_parameters import settle_parameters
from hwgen.passes.spell_out import spell_out
from hwgen.passes.split_gemm import split_gemm
from hwgen.passes.split_joined import split_joined
from hwgen.passes.unify_reshapes import unify_reshapes

__all__ = ["PASSES", "run"]

Pass = Callable[[Graph], Graph]

PASSES: tuple[Pass, ...] = (
    fold_constants,
    fold_shapes,
    remove_identity,
    spell_out,
    settle_parameters,
    unify_reshapes,
    split_gemm,
    move_constant_right,
    split_joined,
    fuse_im2col,
    merge_transposes,
    merge_reshapes,
    remove_dead,
)


def run(graph: Graph) -> Graph:
    """Apply all passes until none finds anything.

    Raises
    ------
    ModelError
        If a pass leaves a graph that breaks the law (its name is in the message), a node needs the batch size, or
        folding makes a constant NaN or infinite.
    """
    while True:
        before = graph
        for change in PASSES:
            changed = change(graph)
            if changed is not graph:
                check(changed, after=change.__name__)
            graph = changed
        if graph is before:
            check_finite(graph)
            return graph
