"""Make a QONNX graph run in ONNX Runtime, which has no `BipolarQuant`."""

from onnx import helper


def without_bipolar_quant(model):
    """Return `model` with each ``BipolarQuant(x, scale)`` spelled ``Where(x >= 0, scale, -scale)``.

    A model without such nodes comes back as it is.
    """
    nodes = []
    for node in model.graph.node:
        if node.op_type != "BipolarQuant":
            nodes.append(node)
            continue
        x, scale = node.input
        (y,) = node.output
        nodes += [
            helper.make_node("Sub", [scale, scale], [f"{y}_zero"]),
            helper.make_node("Neg", [scale], [f"{y}_minus"]),
            helper.make_node("GreaterOrEqual", [x, f"{y}_zero"], [f"{y}_holds"]),
            helper.make_node("Where", [f"{y}_holds", scale, f"{y}_minus"], [y]),
        ]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model
