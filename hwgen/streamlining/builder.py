"""The network under construction: layers, unique names, notes."""

from __future__ import annotations

import re

from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.layers.protocol import Layer
from hwgen.network import InputPort
from hwgen.streamlining.signal import Origin

__all__ = ["Builder", "identifier"]

_KEYWORDS = frozenset(
    "always and assign begin case default edge else end event for function if initial inout input integer join module "
    "nand negedge nor not or output parameter posedge real reg repeat signed table task time unsigned wait while wire xor".split()
)

_MACHINE_MADE = re.compile(
    r"^(node_?)?_*(convolution|conv[0-9a-z]*|gemm|matmul|linear|addmm|max_?pool[0-9]*d?|pad|constant_pad_nd|n|op)?(_?[0-9]+)*$",
    re.IGNORECASE,
)
"""Names that say nothing: node_Gemm_16, MatMul_3, n12."""


def identifier(text: str) -> str:
    """Make a Verilog identifier of a name; empty if nothing is left of it."""
    name = re.sub(r"_+", "_", re.sub(r"[^0-9A-Za-z_]", "_", text)).strip("_").lower()
    if not name:
        return ""
    return f"n{name}" if name[0].isdigit() else f"{name}_" if name in _KEYWORDS else name


class Builder:
    """Collects what the network consists of.

    Parameters
    ----------
    strict : bool
        Refuse a Sign that can see exactly 0.
    """

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.layers: list[Layer] = []
        self.notes: list[str] = []
        self.input: InputPort | None = None
        self._names: set[str] = set()
        self._claimed: dict[int, tuple[Origin, Node]] = {}

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

    def reserve(self, name: str) -> None:
        """Keep a name from being given to a layer."""
        self._names.add(name)

    def add(self, layer: Layer) -> str:
        """Append a layer and give its name."""
        self.layers.append(layer)
        return layer.name

    def note(self, sentence: str) -> None:
        """Say something in the report, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def claim(self, origin: Origin, reader: Node) -> None:
        """Take an integer map for one reader.

        Raises
        ------
        ModelError
            If another layer reads it already.
        """
        if id(origin) in self._claimed:
            other = self._claimed[id(origin)][1]
            raise ModelError(
                f"What '{origin.node}' yields goes to two layers, '{other.name}' ({other.op}) and '{reader.name}' ({reader.op}); "
                "branches are supported only while they stay functions of one map and join again before the next layer"
            )
        self._claimed[id(origin)] = (origin, reader)
