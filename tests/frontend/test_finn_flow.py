"""Files on their way through FINN's flow: its fully connected network streamlined, and exports after each of QONNX's transformations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation
from qonnx.transformation.batchnorm_to_affine import BatchNormToAffine
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.transformation.extract_quant_scale_zeropt import ExtractQuantScaleZeroPt
from qonnx.transformation.fold_constants import FoldConstants
from qonnx.transformation.gemm_to_matmul import GemmToMatMul
from qonnx.transformation.general import (
    ConvertDivToMul,
    ConvertSubToAdd,
    GiveRandomTensorNames,
    GiveReadableTensorNames,
    GiveUniqueNodeNames,
)
from qonnx.transformation.infer_data_layouts import InferDataLayouts
from qonnx.transformation.infer_datatypes import InferDataTypes
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.transformation.insert_topk import InsertTopK
from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul
from qonnx.transformation.quant_constant_folding import FoldTransposeIntoQuantInit
from qonnx.transformation.remove import RemoveIdentityOps
from qonnx.util.cleanup import cleanup_model

import hwgen
from hwgen.arrays.codec import input_codes, outputs_of
from hwgen.verification.record import Outcome

QONNX = "qonnx.custom_op.general"

TRANSFORMATIONS = (
    BatchNormToAffine, ConvertDivToMul, ConvertSubToAdd, ConvertToChannelsLastAndClean, ExtractQuantScaleZeroPt, FoldConstants,
    FoldTransposeIntoQuantInit, GemmToMatMul, GiveRandomTensorNames, GiveReadableTensorNames, GiveUniqueNodeNames, InferDataLayouts,
    InferDataTypes, InferShapes, InsertTopK, LowerConvsToMatMul, RemoveIdentityOps,
)  # fmt: skip


class File:
    """A model of batch 1 that is written node by node."""

    def __init__(self, *shape: int) -> None:
        self.shape, self.nodes, self.constants, self.value = shape, [], [], "global_in"

    def add(self, op: str, *constants: object, outputs: int = 1, **attributes: object) -> File:
        names = []
        for constant in constants:
            array = np.asarray(constant)
            array = array.astype(np.float32) if array.dtype == np.float64 else array
            names.append(f"{op}_{len(self.nodes)}_param{len(names)}")
            self.constants.append(numpy_helper.from_array(array, names[-1]))
        results = [f"{op}_{len(self.nodes)}_out{number}" for number in range(outputs)]
        self.nodes.append(
            helper.make_node(op, [self.value, *names], results, name=f"{op}_{len(self.nodes)}", **attributes)
        )
        self.value = results[-1]
        return self

    def save(self, path: Path, output: int, *size: int) -> Path:
        source = helper.make_tensor_value_info("global_in", onnx.TensorProto.FLOAT, [1, *self.shape])
        graph = helper.make_graph(
            self.nodes, "g", [source], [helper.make_tensor_value_info(self.value, output, [1, *size])], self.constants
        )
        kind = graph.quantization_annotation.add(tensor_name="global_in")
        kind.quant_parameter_tensor_names.add(key="finn_datatype", value="UINT8")
        domains = [helper.make_opsetid("", 13), helper.make_opsetid(QONNX, 1)]
        onnx.save(helper.make_model(graph, opset_imports=domains, ir_version=9), path)
        return path


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.mark.parametrize("ranked", [False, True])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("binary", [False, True])
def test_a_streamlined_network_of_finn(
    tmp_path: Path, random: np.random.Generator, binary: bool, shared: bool, ranked: bool
) -> None:
    """TFC-w1a1: pixels are normalised and thresholded, products are of signs or of XNOR and popcount, the greatest score is ranked."""
    kind = {"out_dtype": "BINARY"} if binary else {"out_dtype": "BIPOLAR", "out_scale": 2.0, "out_bias": -1.0}
    file = File(1, 5, 5).add("Div", 255.0).add("Mul", 2.0).add("Sub", 1.0).add("Reshape", np.array([1, -1]))
    file.add("MultiThreshold", np.zeros((1 if shared else 25, 1)), domain=QONNX, **kind)
    for columns, rows in ((25, 16), (16, 12)):
        weights = random.choice([0.0, 1.0], (columns, rows))
        if binary:
            file.add("XnorPopcountMatMul", weights, domain=QONNX)
        else:
            file.add("MatMul", 2 * weights - 1)
        levels = random.integers(-3, 4, (1 if shared else rows, 1)) + (columns / 2 if binary else 0)
        file.add("MultiThreshold", levels, domain=QONNX, **kind)
    weights = random.choice([0.0, 1.0], (12, 10))
    file = file.add("XnorPopcountMatMul", weights, domain=QONNX) if binary else file.add("MatMul", 2 * weights - 1)
    file.add("Mul", 0.0625).add("Add", -0.3)
    if ranked:
        file.add("TopK", np.array([1]), outputs=2, axis=-1, largest=1, sorted=1)
    path = file.save(tmp_path / "tfc.onnx", 7 if ranked else 1, 1 if ranked else 10)
    found = hwgen.verify(path, hwgen.read(path))
    assert (found.executor, found.outcome) == ("QONNX", Outcome.EQUAL)


def exported(path: Path, random: np.random.Generator, *, quantised: bool) -> Path:
    """Give a small convolutional network as Brevitas exports it, or with the signs of its kernels."""
    file = File(1, 6, 6).add("Div", 256.0).add("Mul", 2.0).add("Sub", 1.0)
    file.add("Quant", 2.0**-7, 0.0, 8.0, domain=QONNX, signed=1, narrow=0, rounding_mode="ROUND")
    for number, (columns, rows) in enumerate(((1, 4), (4, 6))):
        latent = random.standard_normal((rows, columns, 3, 3)).astype(np.float32)
        names = [f"latent{number}", f"one{number}", f"kernel{number}", f"conv{number}"]
        if quantised:
            file.constants += map(numpy_helper.from_array, (latent, np.array(1, dtype=np.float32)), names)
            file.nodes.append(helper.make_node("BipolarQuant", names[:2], names[2:3], name=names[2], domain=QONNX))
        else:
            file.constants.append(
                numpy_helper.from_array(np.where(latent >= 0, np.float32(1), np.float32(-1)), names[2])
            )
        window = {"kernel_shape": [3, 3], "strides": [1, 1], "pads": [0] * 4, "dilations": [1, 1], "group": 1}
        file.nodes.append(helper.make_node("Conv", [file.value, names[2]], names[3:], name=names[3], **window))
        file.value = names[3]
        parts = (random.choice([-1.0, 0.5, 1.0], rows), *random.uniform(-1, 1, (2, rows)), random.uniform(0.5, 2, rows))
        file.add("BatchNormalization", *parts).add("BipolarQuant", 1.0, domain=QONNX)
    file.add("Reshape", np.array([1, -1])).add("MatMul", random.choice([-1.0, 1.0], (24, 5))).add("Sub", 0.25)
    return file.save(path, 1, 5)


@pytest.mark.filterwarnings("ignore:Assuming 4D input is NCHW")
@pytest.mark.parametrize("transformation", TRANSFORMATIONS, ids=lambda each: each.__name__)
def test_an_export_after_a_transformation(
    tmp_path: Path, random: np.random.Generator, transformation: type[Transformation]
) -> None:
    """The file is still what QONNX executes, and its scores are those of the file before."""
    before = exported(tmp_path / "before.onnx", random, quantised=transformation is not LowerConvsToMatMul)
    model = cleanup_model(ModelWrapper(str(before)))
    after = tmp_path / "after.onnx"
    model.transform(transformation()).save(str(after))
    frames = np.random.default_rng(0).integers(0, 256, (12, 1, 6, 6)).astype(np.float32)
    networks = [hwgen.read(path) for path in (before, after)]
    assert hwgen.verify(after, networks[1]).outcome is Outcome.EQUAL
    scores, found = (scores_of(network, frames) for network in networks)
    if transformation is InsertTopK:
        np.testing.assert_array_equal(found[:, 0], scores.argmax(axis=1))
    else:
        np.testing.assert_allclose(found, scores, rtol=1e-6, atol=1e-6)


def scores_of(network: hwgen.Network, frames: np.ndarray) -> np.ndarray:
    found = outputs_of(network, list(network.golden_maps(*input_codes(network, frames))))
    assert isinstance(found, np.ndarray)
    return found.reshape(len(frames), -1)
