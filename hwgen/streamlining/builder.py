"""The network under construction: layers, unique names, notes."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from types import MappingProxyType

import numpy as np

from hwgen.codes import CodeType
from hwgen.conversion import MOST_FIXED_BITS, Announced, Conversion, Trace
from hwgen.errors import ModelError, NodesError, Obstacle
from hwgen.graph import Node
from hwgen.layers.protocol import Layer
from hwgen.network import InputPort
from hwgen.streamlining.functions.signal import Codes, Origin, Signal

__all__ = ["Builder", "identifier", "record_content"]

_KEYWORDS = frozenset(
    "always and assign begin case default edge else end event for function if initial inout input integer join module "
    "nand negedge nor not or output parameter posedge real reg repeat signed table task time unsigned wait while wire xor".split()
)

_MACHINE_MADE = re.compile(
    r"^(node_?)?_*(convolution|conv[0-9a-z]*|gemm|matmul|linear|addmm|max_?pool[0-9]*d?|pad|constant_pad_nd|n|op)?(_?[0-9]+)*$",
    re.IGNORECASE,
)
"""Names that say nothing: node_Gemm_16, MatMul_3, n12."""


_OURS = re.compile(r"(s_axis|m_axis|s_axil)(_\w+)?|aclk|aresetn|loaded|frame_error|control|\w+_write")
"""Names of the top component's ports and of its own parts."""

_LONGEST = 64
"""Characters of a name: modules and files are called after several of them."""


def identifier(text: str) -> str:
    """Make a Verilog identifier of a name, none of hwgen's own and of bounded length; empty if nothing is left of it."""
    name = re.sub(r"_+", "_", re.sub(r"[^0-9A-Za-z_]", "_", text)).strip("_").lower()
    if not name:
        return ""
    if len(name) > _LONGEST:
        # Long names often differ at their ends alone.
        name = f"{name[: _LONGEST - 9].rstrip('_')}_{zlib.crc32(text.encode()):08x}"
    if name[0].isdigit():
        name = f"n{name}"
    return f"{name}_" if name in _KEYWORDS or _OURS.fullmatch(name) else name


class Builder:
    """Collects what the network consists of.

    Parameters
    ----------
    conversion : Conversion
        How real numbers become integers.
    shared : frozenset of str
        Nodes whose integers go out as they are, because their readers take different codes of them.
    real_inputs : frozenset of str
        Inputs whose real numbers the host rounds to fixed point, as nothing in the graph quantises them.
    bounds : mapping of str to ndarray of float32, shape (channels or 1, stretches - 1)
        Inputs that are read through several quantisers, and the numbers at which any of these steps.
    divided : frozenset of str
        Nodes whose quotients are calculated, as more is read of them than comparisons decide.
    """

    def __init__(
        self,
        conversion: Conversion,
        *,
        shared: frozenset[str] = frozenset(),
        real_inputs: frozenset[str] = frozenset(),
        bounds: Mapping[str, np.ndarray] = MappingProxyType({}),
        divided: frozenset[str] = frozenset(),
    ) -> None:
        self.conversion = conversion
        self.shared = shared
        self.real_inputs = real_inputs
        self.bounds = bounds
        self.quantisers: dict[str, list[tuple[np.ndarray, bool, CodeType]]] = {}
        """The numbers at which each quantiser of an input steps, whether its codes fall, and their type."""
        self.wants_real: set[str] = set()
        self.clashes: set[str] = set()
        self.refusals: dict[str, tuple[Node, ModelError]] = {}
        self.assumed: set[str] = set()
        """Tensors behind a node that was refused, which are judged as if it yielded integers."""
        self.lost: set[str] = set()
        """Tensors of which nothing can be said."""
        self.sums: dict[str, Signal] = {}
        """What sums add up, by the nodes that add."""
        self.divided = set(divided)
        self.deciders: dict[str, Callable[[Signal, Node], tuple[Codes, list[np.ndarray]]]] = {}
        """What decides, by the nodes that divide, the steps of a quotient: its codes, and for each pool whether they rise or fall with what it sees."""
        self.stepped: frozenset[str] = frozenset()
        """Tensors of which nothing is read but steps."""
        self.quotients: set[str] = set()
        """Layers that multiply by a reciprocal."""
        self.layers: list[Layer] = []
        self.notes: list[str] = []
        self.inputs: dict[str, InputPort] = {}
        self.indices: dict[str, np.ndarray] = {}
        """How the graph's tensors lie on their maps."""
        self.traces: dict[str, Trace] = {}
        self.unedited: dict[tuple[int, int], list[Signal]] = {}
        """The tensors that are just a function of an origin, by both, before pools and borders are put on them."""
        self.announced: list[Announced] = []
        self.rounded_weights: dict[str, float] = {}
        """How far the integers of a node's weights are off at most, in steps of a weight."""
        self.rounded_shifts: dict[str, tuple[float, float]] = {}
        """Code of their inputs that stands for about 0, and how far their sum is off at most as it is another in some channels, in its steps."""
        self.ties: dict[str, set[int]] = {}
        """Channels in which Sign can see exactly 0, by the node that makes what it sees."""
        self.computed: frozenset[str] = frozenset()
        """Softmax nodes whose values are read, not only ranked."""
        self.dropped: dict[str, str] = {}
        """Operators of trailing nodes that are left out, by the nodes' names."""
        self._names: set[str] = set()
        self._records: dict[Hashable, str] = {}
        self._linears: dict[str, Hashable] = {}

    def name(self, kind: str, node: Node | None = None) -> str:
        """Give a unique layer name: after the ONNX node where its name means something, else kind and number."""
        parts = [part for part in re.split(r"[/.:]", node.name if node else "") if part]
        if len(parts) > 1 and parts[-1] == "product":  # what a Gemm is split into
            parts = parts[:-1]
        if len(parts) > 1 and node is not None and re.fullmatch(rf"({node.op}|Gemm)(_[0-9]+)?", parts[-1]):
            parts = parts[:-1]
        chosen = identifier("_".join(parts))
        if not chosen or _MACHINE_MADE.match(chosen):
            chosen = kind
        name, number = chosen, 1
        while name in self._names or name == kind:
            name, number = f"{chosen}{'_' if chosen[-1].isdigit() else ''}{number}", number + 1
        self._names.add(name)
        return name

    def allow_rounding(self, node: Node, what: str) -> None:
        """Hold that rounding is allowed.

        Raises
        ------
        ModelError
            Naming the node, if only exact calculation is.
        """
        if self.conversion.exact:
            raise ModelError(
                f"Node '{node.name}' ({node.op}) {what}, which integers hold only rounded; put a quantiser there, "
                "or compile without --exact"
            )

    def reserve(self, name: str) -> None:
        """Keep a name from being given to a layer."""
        self._names.add(name)

    def add(self, layer: Layer) -> str:
        """Append a layer and give its name; a layer that does the same as an earlier one is that one."""
        content = record_content(layer)
        if content not in self._records:
            self._records[content] = layer.name
            self.layers.append(layer)
        return self._records[content]

    def add_linear(self, origin: Origin, layer: Layer) -> str:
        """Append what a linear layer has become for a reader.

        Two readers that make different layers of it are a clash: the graph has to be walked again with this node among those
        that are shared.
        """
        content = record_content(layer)
        if self._linears.setdefault(origin.node, content) != content:
            self.clashes.add(origin.node)
        name = self.add(layer)
        if origin.node in self.rounded_weights:
            zero, shift = self.rounded_shifts.get(origin.node, (0.0, 0.0))
            self.announce(Announced(name, share=self.rounded_weights[origin.node], zero=zero, shift=shift))
        return name

    def refuse(self, node: Node, error: ModelError) -> None:
        """Take note of a node that has no hardware, once for each reason."""
        self.refusals.setdefault(str(error), (node, error))

    def raise_refusals(self) -> None:
        """Raise what was refused, all at once.

        Raises
        ------
        ModelError
        """
        if not self.refusals:
            return
        found = list(self.refusals.values())
        obstacles = tuple(
            Obstacle(
                node.name, node.op, re.sub(rf"^(Node|Output) '{re.escape(node.name)}' (\(\w+\):? )?", "", str(error))
            )
            for node, error in found
        )
        raise NodesError(obstacles, str(found[0][1]) if len(found) == 1 else None)

    @contextmanager
    def assuming(self, assumed: bool) -> Iterator[None]:
        """Judge nodes that read what is only ``assumed`` as mildly as can be: neither exactness nor strictness is asked for."""
        conversion = self.conversion
        if assumed:
            self.conversion = replace(conversion, strict=False, exact=False)
        try:
            yield
        finally:
            self.conversion = conversion

    @contextmanager
    def rounding(self, bits: int, told: Mapping[str, tuple[float, float]] | None = None) -> Iterator[None]:
        """Round to fixed point of so many bits, or as many as there may be, with more that is told of the ranges of tensors."""
        conversion = self.conversion
        ranges = (*conversion.ranges, *((name, *ends) for name, ends in (told or {}).items()))
        self.conversion = replace(conversion, fixed_bits=min(bits, MOST_FIXED_BITS), ranges=ranges)
        try:
            yield
        finally:
            self.conversion = conversion

    def note(self, sentence: str) -> None:
        """Say something in the report, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def tie(self, node: str, channels: np.ndarray) -> None:
        """Take note of channels in which Sign can see exactly 0."""
        self.ties.setdefault(node, set()).update(channels.tolist())

    def announce(self, rounding: Announced) -> None:
        """Say in numbers what a note says in words."""
        if rounding not in self.announced:
            self.announced.append(rounding)

    def named(self, signal: Signal, name: str) -> Signal:
        """Give a signal the name of the graph's tensor that it is."""
        self.indices[name] = signal.index
        signal = replace(signal, tensor=name)
        if not signal.edits:
            self.unedited.setdefault((id(signal.origin), id(signal.term)), []).append(signal)
        return signal

    def trace_unedited(self, signal: Signal, codes: Codes) -> None:
        """Remember where the tensors are that a signal was made of by moving elements, pools and borders."""
        for before in self.unedited.get((id(signal.origin), id(signal.term)), []):
            self.trace(before, codes)

    def trace(self, signal: Signal, codes: Codes) -> None:
        """Remember where a tensor of the graph is, once it is written down as it lies there."""
        index = self.indices.get(signal.tensor, np.empty(0))
        if codes.shape == signal.shape and len(signal.index) == 1 and np.array_equal(index, signal.index):
            self.traces[signal.tensor] = Trace(signal.tensor, codes.source, signal.index[0], codes.scale, codes.offset)


def record_content(value: object) -> Hashable:
    """Give what a record says, without its name."""
    if isinstance(value, np.ndarray):
        return (value.shape, value.dtype.str, hashlib.sha256(np.ascontiguousarray(value).tobytes()).digest())
    if is_dataclass(value):
        parts = (record_content(getattr(value, field.name)) for field in fields(value) if field.name != "name")
        return (type(value).__name__, *parts)
    return (
        tuple(map(record_content, value))
        if isinstance(value, tuple)
        else value
        if isinstance(value, Hashable)
        else repr(value)
    )
