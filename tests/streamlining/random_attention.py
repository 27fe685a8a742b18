"""Random attention-like graphs: heads or none, lengths, kinds of codes, scales, masks, what becomes of the scores, and how the products are spelled."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.streamlining.conftest import Model, bipolar, frames
from tests.streamlining.random_graphs import Case


def random_attention(folder: Path, seed: int) -> Case:
    """Draw a graph whose numbers float32 holds exactly, but for those of a Softmax."""
    random = np.random.default_rng(seed)
    tokens, heads, size = (int(random.integers(low, high)) for low, high in ((2, 6), (1, 4), (1, 5)))
    width = heads * size
    net = Model(folder / "net.onnx", (tokens, width))
    split = np.array([0, tokens, heads, size])

    def codes(kind: str) -> str:
        """Append a linear function of the tokens and what makes codes of it."""
        net.add("MatMul", bipolar(random, width, width), reads="x")
        net.add("Add", (random.integers(-3, 4, width) * 2 + (width + 1) % 2).astype(np.float32))
        match kind:
            case "sign":
                net.sign()
            case "bool":
                net.add("Greater", np.float32(0)).add("Cast", to=1)
            case "few bits":
                net.add("Relu").add("Min", np.float32(3))
            case "signed":
                net.add("Clip", np.float32(-2), np.float32(2))
            case "shifted":
                net.add("Clip", np.float32(-2), np.float32(1)).add("Add", np.float32(1))
        if random.integers(0, 4) == 0:
            net.add("Mul", np.float32(random.choice([0.5, 2, 0.25])))
        return net.value

    def product(one: str, other: str, *, scores: bool) -> str:
        """Append queries times keys, or weights times values, of each head."""
        if random.integers(0, 3) == 0:
            inner = [net.add("Reshape", split, reads=name).value for name in ([one, other] if scores else [other])]
            if scores:
                return net.add("Einsum", inner[1], reads=inner[0], equation="bqhd,bkhd->bhqk").value
            return net.add("Einsum", inner[0], reads=one, equation="bhqk,bkhd->bhqd").value

        def in_heads(name: str, order: tuple[int, ...]) -> str:
            parted = net.add("Reshape", split, reads=name).value
            return net.add("Transpose", reads=parted, perm=order).value

        if scores:
            return net.add("MatMul", in_heads(other, (0, 2, 3, 1)), reads=in_heads(one, (0, 2, 1, 3))).value
        return net.add("MatMul", in_heads(other, (0, 2, 1, 3)), reads=one).value

    kinds = ["sign", "sign", "bool", "few bits", "signed", "shifted"]
    q, k, v = (codes(str(random.choice(kinds))) for _ in range(3))
    net.value = product(q, k, scores=True)
    if random.integers(0, 2):
        net.add("Mul", np.float32(random.choice([0.5, 0.25, -1, 0.375])))
    mask = random.choice(["none", "causal", "padding", "bias"])
    if mask == "causal":
        net.add("Add", np.triu(np.full((tokens, tokens), -512, np.float32), 1))
    elif mask == "padding":
        net.add("Add", np.where(np.arange(tokens) < max(1, tokens - 1), 0, -512).astype(np.float32))
    elif mask == "bias":
        net.add("Add", random.integers(-4, 5, (heads, tokens, tokens)).astype(np.float32) / 2)
    match random.choice(["none", "sign", "bool", "few bits", "softmax"]):
        case "sign":
            net.add("Add", np.float32(0.0625)).sign()
        case "bool":
            net.add("Greater", np.float32(0)).add("Cast", to=1)
        case "few bits":
            net.add("Clip", np.float32(0), np.float32(3)).add("Mul", np.float32(2)).add("Floor")
        case "softmax":
            net.add("Softmax", axis=-1)
    net.value = product(net.value, v, scores=False)
    if random.integers(0, 2):
        net.add("Transpose", perm=(0, 2, 1, 3)).add("Reshape", np.array([0, tokens, width]))
        if not any(node.op_type == "Softmax" for node in net.nodes):
            net.add("Add", np.float32(0.0625)).sign().add("MatMul", bipolar(random, width, 3))
    return Case(net, net.network(input_type="bipolar"), frames(random, tokens, width, count=12))
