"""What is in a model file: its operators, the layers that they become, their cost, and what stands in the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.build_folder.report import input_facts, weight_bits
from hwgen.codes import BIPOLAR
from hwgen.errors import ModelError, NodesError, OptionError
from hwgen.estimation.compile_cost import compile_cost
from hwgen.layers.protocol import Layer, sources_of
from hwgen.network import Network
from hwgen.streamlining.options import Options

__all__ = ["describe", "ratios"]


def describe(path: str | Path, options: Options) -> dict[str, Any]:
    """Describe a model file, also one that cannot become hardware.

    Parameters
    ----------
    path : str or Path
    options : Options
        As for `hwgen.read`.

    Returns
    -------
    dict
        JSON types only. ``unsupported`` lists every obstacle, operators without meaning and nodes without hardware alike, with its node and operator where
        it is one node's. Where there is none, ``layers``, ``inputs``, ``outputs``, ``notes`` and the sums over all layers follow.

    Raises
    ------
    ModelError
        If the file is broken.
    """
    # Here and not above: loading onnx takes longer than most of what needs no ONNX file.
    from hwgen.api import read_with
    from hwgen.frontend import load

    graph = load(path)
    facts: dict[str, Any] = {
        "model": graph.name,
        "operators": dict(sorted(Counter(node.op for node in graph.nodes).items())),
        "unsupported": [],
    }
    try:
        network = read_with(path, options)
    except NodesError as error:
        return {**facts, "unsupported": list(map(asdict, error.obstacles))}
    except (ModelError, OptionError) as error:
        return {**facts, "unsupported": [{"node": None, "op": None, "reason": str(error)}]}
    return {**facts, **_network(network)}


def _network(network: Network) -> dict[str, Any]:
    layers = [_layer(layer) for layer in network.layers]
    return {
        "inputs": [input_facts(port) for port in network.inputs],
        "outputs": [
            {
                "name": port.name,
                "onnx_shape": list(port.onnx_shape),
                "type": str(network.map_of(port.source)[1]),
                "dropped": list(port.dropped),
            }
            for port in network.outputs
        ],
        "layers": layers,
        **{key: sum(layer[key] for layer in layers) for key in ("weights", "weight_bits", "operations")},
        **ratios(network),
        "compile": asdict(compile_cost(network)),
        "notes": list(network.notes),
    }


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "kind": type(layer).__name__,
        "sources": list(sources_of(layer)),
        "in_shapes": [list(entry.shape) for entry in layer.inputs],
        "in_types": [str(entry.type) for entry in layer.inputs],
        "out_shape": list(layer.out_shape),
        "out_type": str(layer.out_type),
        "weights": _weights(layer),
        "weight_bits": weight_bits(layer),
        "operations": _operations(layer),
    }


def _weights(layer: Layer) -> int:
    weights: np.ndarray | None = getattr(layer, "weights", None)
    return 0 if weights is None else weights.size


def _operations(layer: Layer) -> int:
    """Give the multiplications with a weight in one frame: each row is used at every position of the output map."""
    height, width, _ = layer.out_shape
    return _weights(layer) * height * width


def ratios(network: Network) -> dict[str, Any]:
    """Give what few bits save against a network of 32-bit floats.

    Returns
    -------
    dict
        ``compression_ratio``: 32 bits a weight over the bits that the weights take. ``bit_operations`` a frame: each operation counts the bits of the weight
        times those of the input. ``bibench``: both ratios by the convention of Qin et al., *BiBench: Benchmarking and Analyzing Network Binarization*, ICML 2023,
        in which a one-bit weight counts 1/32 of a float, an operation on two one-bit numbers 1/64, and all others count in full. Ratios of a network without
        weights are 1.
    """
    layers = [layer for layer in network.layers if _weights(layer)]
    bits = bit_operations = weights = operations = 0
    counted_weights = counted_operations = 0.0
    for layer in layers:
        count, own, taken = _weights(layer), _operations(layer), weight_bits(layer)
        in_type = layer.inputs[0].type
        binary = taken == count
        bits, weights, operations = bits + taken, weights + count, operations + own
        bit_operations += own * taken // count * in_type.bits
        counted_weights += count / 32 if binary else count
        counted_operations += own / 64 if binary and in_type == BIPOLAR else own
    return {
        "compression_ratio": 32 * weights / bits if layers else 1.0,
        "bit_operations": bit_operations,
        "bibench": {
            "compression_ratio": weights / counted_weights if layers else 1.0,
            "speedup_ratio": operations / counted_operations if layers else 1.0,
        },
    }
