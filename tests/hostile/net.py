"""A model that is written node by node, each of which runs at once on a few frames, so that the next one knows what it gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

__all__ = ["FRAMES", "QONNX", "Net", "Tensor", "Unsuitable", "session"]

FRAMES = 16
"""On which nodes run while the model is written."""

QONNX = "qonnx.custom_op.general"

MOST_VALUES = 6000
"""In a tensor of one frame: Verilog of a random network is simulated in seconds."""

LARGEST = 1e7


class Unsuitable(Exception):
    """A step does not suit the tensor that it is offered."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the model, with its values on the frames.

    Parameters
    ----------
    name : str
    value : ndarray
        Frames first, unless it is a constant.
    constant : bool
    last : bool
        Whether channels are the last axis, not the second.
    """

    name: str
    value: np.ndarray
    constant: bool = False
    last: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape with the frames, or of a constant."""
        return self.value.shape

    @property
    def rank(self) -> int:
        return self.value.ndim

    @property
    def channels(self) -> int:
        return self.shape[-1] if self.last else self.shape[1]

    @property
    def axis(self) -> int:
        """Where the channels are."""
        return self.rank - 1 if self.last else 1

    @property
    def places(self) -> tuple[int, ...]:
        """Sizes of the axes that are neither frames nor channels."""
        return self.shape[1:-1] if self.last else self.shape[2:]


class Net:
    """A model as it is written.

    Parameters
    ----------
    seed : int
        Of everything that is random in it.
    """

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.opset = int(self.random.choice([7, 8, 9, 10, 11, 12, 13, 13, 15, 17, 17, 18, 19, 20, 21, 21]))
        self.batch: str | int = self.choose(["N", "N", "batch", 1])
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.inputs: list[tuple[Tensor, np.ndarray]] = []
        self.options: dict[str, dict[str, Any]] = {"input_type": {}, "input_scale": {}, "input_offset": {}}
        self.made: dict[str, np.ndarray] = {}
        self.foreign = False
        self._constants = self.choose(["initializer", "initializer", "node", "identity", "input", "mixed"])
        self._names = 0

    # Choices

    def choose(self, options: Sequence[Any]) -> Any:
        return options[int(self.random.integers(len(options)))]

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def first_suitable(self, steps: dict[Callable[..., Any], float], *arguments: Any) -> Any:
        """Do one of several steps, each as likely as its weight says, another where one does not suit."""
        left = dict(steps)
        while left:
            weights = np.array(list(left.values()))
            step = list(left)[int(self.random.choice(len(left), p=weights / weights.sum()))]
            del left[step]
            mark = len(self.nodes), len(self.initializers)
            try:
                return step(self, *arguments)
            except Unsuitable:
                del self.nodes[mark[0] :], self.initializers[mark[1] :]
        raise Unsuitable

    # Tensors and nodes

    def name(self, hint: str) -> str:
        self._names += 1
        return f"{hint}_{self._names}"

    def input(self, values: np.ndarray, *, last: bool = False) -> Tensor:
        tensor = Tensor(self.name("x"), values, last=last)
        self.inputs.append((tensor, values))
        return tensor

    def const(self, array: Any, dtype: Any = np.float32) -> Tensor:
        """Give a constant as an initializer, a Constant node, behind an Identity, or as an input with a default."""
        value = np.asarray(array, dtype=dtype)
        name = self.name("c")
        how = self._constants
        if how == "mixed":
            how = self.choose(["initializer", "node", "identity", "input"])
        proto = numpy_helper.from_array(value, name)
        if how == "node":
            self.nodes.append(helper.make_node("Constant", [], [name], name=self.name("Constant"), value=proto))
        else:
            self.initializers.append(proto)
        if how == "identity" and self.chance(0.3) and value.dtype == np.float32:
            other = self.name("c")
            self.nodes.append(helper.make_node("Identity", [name], [other], name=self.name("Identity")))
            name = other
        return Tensor(name, value, True)

    def channelwise(self, tensor: Tensor, values: Any, dtype: Any = np.float32) -> Tensor:
        """Give a constant with a value for each channel of a tensor, in a shape that broadcasts."""
        values = np.asarray(values, dtype=dtype)
        if values.ndim == 0 or tensor.last or tensor.rank == 2:
            return self.const(values, dtype)
        shape = (-1, *(1,) * len(tensor.places))
        return self.const(values.reshape(self.choose([shape, (1, *shape)])), dtype)

    def op(
        self, kind: str, *inputs: Tensor | None, run: Sequence[Tensor | None] | None = None, **attributes: Any
    ) -> Tensor:
        """Write a node of one output and run it."""
        return self.ops(kind, 1, *inputs, run=run, **attributes)[0]

    def ops(
        self,
        kind: str,
        count: int,
        *inputs: Tensor | None,
        run: Sequence[Tensor | None] | None = None,
        domain: str = "",
        **attributes: Any,
    ) -> list[Tensor]:
        """Write a node and run it, on other inputs than the file's where a batch of one is written into these."""
        names = [self.name(kind.lower()) for _ in range(count)]
        read = [each.name if each else "" for each in inputs]
        node = helper.make_node(kind, read, names, name=self.name(kind), domain=domain, **attributes)
        values = self._run(node, [each for each in (run or inputs)])
        for value in values:
            self._check(value)
        self.nodes.append(node)
        self.made.update(zip(names, values, strict=True))
        self.foreign |= domain.startswith("qonnx")
        last = next((each.last for each in inputs if each is not None and not each.constant), False)
        return [Tensor(name, value, last=last) for name, value in zip(names, values, strict=True)]

    def _check(self, value: np.ndarray) -> None:
        if value.size == 0 or value.size > MOST_VALUES * max(1, FRAMES):
            raise Unsuitable
        if value.dtype.kind == "f" and (not np.all(np.isfinite(value)) or np.max(np.abs(value)) > LARGEST):
            raise Unsuitable

    def _run(self, node: onnx.NodeProto, inputs: Sequence[Tensor | None]) -> list[np.ndarray]:
        given = {name: each for name, each in zip(node.input, inputs, strict=True) if each is not None}
        if node.domain.startswith("qonnx"):
            return run_in_qonnx(node, {name: each.value for name, each in given.items()})
        graph = helper.make_graph(
            [node],
            "one",
            [
                helper.make_tensor_value_info(
                    name, helper.np_dtype_to_tensor_dtype(each.value.dtype), [None] * each.rank
                )
                for name, each in given.items()
                if not each.constant
            ],
            [onnx.ValueInfoProto(name=name) for name in node.output],
            [numpy_helper.from_array(each.value, name) for name, each in given.items() if each.constant],
        )
        model = helper.make_model(graph, opset_imports=self.imports, ir_version=10)
        feeds = {name: each.value for name, each in given.items() if not each.constant}
        try:
            return list(session(model.SerializeToString()).run(None, feeds))
        except Exception as error:  # an operator that ONNX Runtime does not have in this version, or for this type
            raise Unsuitable(str(error)) from error

    @property
    def imports(self) -> list[onnx.OperatorSetIdProto]:
        domains = [helper.make_opsetid("", self.opset)]
        if any(node.domain.startswith("qonnx") for node in self.nodes):
            domains.append(helper.make_opsetid(QONNX, 1))
        return domains

    def model(self, outputs: Sequence[Tensor]) -> onnx.ModelProto:
        """Give the whole file."""
        with_default = self._constants == "input"
        shown = [
            helper.make_tensor_value_info(
                tensor.name, helper.np_dtype_to_tensor_dtype(tensor.value.dtype), self._sizes(tensor)
            )
            for tensor, _ in self.inputs
        ]
        if with_default:
            shown += [helper.make_tensor_value_info(each.name, each.data_type, each.dims) for each in self.initializers]
        results = [
            helper.make_tensor_value_info(
                tensor.name, helper.np_dtype_to_tensor_dtype(tensor.value.dtype), self._sizes(tensor)
            )
            for tensor in outputs
        ]
        graph = helper.make_graph(
            self.nodes, self.choose(["main_graph", "torch-jit-export", "g"]), shown, results, self.initializers
        )
        return helper.make_model(
            graph, opset_imports=self.imports, ir_version=min(10, max(4, self.opset - 10)) if self.opset < 21 else 10
        )

    def _sizes(self, tensor: Tensor) -> list[str | int]:
        return [self.batch, *tensor.shape[1:]]


def session(model: bytes) -> onnxruntime.InferenceSession:
    """Start ONNX Runtime as the oracle: nothing is optimised, sums are added up in one order."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run_in_qonnx(node: onnx.NodeProto, context: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Run a node of QONNX's domain as its package does."""
    from qonnx.custom_op.registry import getCustomOp

    graph = helper.make_graph([node], "one", [], [])
    found = dict(context)
    getCustomOp(node, onnx_opset_version=1).execute_node(found, graph)
    return [np.asarray(found[name], dtype=np.float32) for name in node.output]
