"""ONNX Runtime's outputs as the network's codes, and the same graph in float64: what tells float32's rounding from a fault."""

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from hwgen.arrays import codec


def codes(network, outputs):
    """Bring a model's outputs to codes: the nearest to ``(output - offset) / scale``.

    Parameters
    ----------
    network : hwgen.Network
        Of one output, whose codes have a scale and an offset.
    outputs : ndarray, shape (frames, *output shape of the ONNX model)

    Returns
    -------
    codes : ndarray of int64, same shape
    distance : float
        Largest distance of an output from its code, in codes; half a code is doubt.
    """
    if outputs.dtype.kind == "i":
        return outputs.astype(np.int64), 0.0
    port = network.output
    shape = (1, *network.map_of(port.source)[0])
    scale, offset = (codec.unmap(port, np.broadcast_to(part, shape)) for part in (port.scale, port.offset))
    exact = (outputs.astype(np.float64) - offset) / scale
    nearest = np.rint(exact)
    return nearest.astype(np.int64), float(np.max(np.abs(exact - nearest)))


def differing(golden, reference):
    """Return the numbers of the frames in which two arrays of codes differ anywhere."""
    return np.flatnonzero(np.any((golden != reference).reshape(len(golden), -1), axis=1))


def in_float64(model):
    """Return `model` with float64 wherever it says float32: inputs, outputs, parameters, constants, casts."""
    single, double = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE
    promoted = onnx.ModelProto()
    promoted.CopyFrom(model)
    graph = promoted.graph
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type == single:
            value.type.tensor_type.elem_type = double

    def promote(tensor):
        if tensor.data_type == single:
            values = onnx.numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))

    for tensor in graph.initializer:
        promote(tensor)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                promote(attribute.t)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == single:
                attribute.i = double
    return promoted


def float64_outputs(model, frames):
    """Return what onnx's reference evaluator answers to `frames` with `model` in float64, one at a time.

    Parameters
    ----------
    model : onnx.ModelProto
    frames : ndarray
        Real numbers in float64 or integers, first axis counts them.
    """
    evaluator = ReferenceEvaluator(in_float64(model))
    (name,) = (value.name for value in model.graph.input)
    return np.concatenate([evaluator.run(None, {name: frame[None]})[0] for frame in frames])
