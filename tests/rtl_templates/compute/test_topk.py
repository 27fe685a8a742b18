"""The k best of a pixel's channels in its own terms, with as many ties as numbers of two bits bring."""

import numpy as np
import onnx
import onnxruntime
import pytest
from amaranth.hdl import signed, unsigned
from onnx import TensorProto, helper

from hwgen.rtl_templates.compute.topk import TopKUnit
from hwgen.rtl_templates.streams.stream_check import pack, run, unpack


def ref(pixels, k, largest):
    """Ask ONNX Runtime, which also puts the lowest of equal indices first."""
    node = helper.make_node("TopK", ["x", "k"], ["values", "indices"], axis=-1, largest=int(largest), sorted=1)
    graph = helper.make_graph(
        [node],
        "topk",
        [helper.make_tensor_value_info("x", TensorProto.INT64, ["n", pixels.shape[1]])],
        [helper.make_tensor_value_info("indices", TensorProto.INT64, ["n", k])],
        [helper.make_tensor("k", TensorProto.INT64, [1], [k])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["indices"], {"x": pixels.astype(np.int64)})[0].tolist()


@pytest.mark.parametrize("shape", [signed(2), unsigned(2), signed(16)])
@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize(("channels", "k"), [(1, 1), (5, 5), (20, 3), (40, 16)])
def test_the_best_come_in_order_at_the_stated_latency(shape, largest, channels, k):
    low = -(1 << shape.width - 1) if shape.signed else 0
    pixels = np.random.default_rng(k).integers(low, low + (1 << shape.width), (8, channels))
    pixels[0], pixels[1] = low, low + (1 << shape.width) - 1
    pixels[2] = np.sort(pixels[2])
    sent = [pack([number], shape.width) for number in pixels.ravel()]
    unit = {"shape": shape, "channels": channels, "k": k, "largest": largest}
    free = run(TopKUnit(**unit), sent, 8)
    bits = max(1, (channels - 1).bit_length())
    assert [unpack(beat, k, bits) for beat in free.payloads] == ref(pixels, k, largest)
    assert free.taken == list(range(8 * channels))
    assert free.given == [(pixel + 1) * channels - 1 + TopKUnit.PIPELINE + 1 for pixel in range(8)]
    stalled = {"source_stall": 0.2, "sink_stall": 0.6, "reset_at": channels + 1, "seed": 4}
    assert run(TopKUnit(**unit), sent, 8, **stalled).payloads == free.payloads
