"""The same trained network made of Brevitas layers, for its QONNX export."""

import brevitas.nn as qnn
import torch
from brevitas.export import export_qonnx as brevitas_export
from brevitas.quant.binary import SignedBinaryActPerTensorConst, SignedBinaryWeightPerTensorConst
from torch import nn

from examples.training.binary import BinaryConv2d, BinaryLinear, Sign
from examples.training.export import drop_metadata


class UnitWeight(SignedBinaryWeightPerTensorConst):
    """Weights of exactly -1 and +1; Brevitas' own default is -0.1 and +0.1."""

    scaling_const = 1.0


class UnitActivation(SignedBinaryActPerTensorConst):
    """Activations of exactly -1 and +1."""

    scaling_const = 1.0
    min_val = -1.0
    max_val = 1.0


def twin(model, weight_quant=UnitWeight):
    """Return `model`, an `nn.Sequential`, with its binary layers replaced by Brevitas' ones."""
    return nn.Sequential(*(_replace(module, weight_quant) for module in model)).eval()


def _replace(module, weight_quant):
    match module:
        case Sign():
            return qnn.QuantIdentity(act_quant=UnitActivation)
        case BinaryLinear():
            layer = qnn.QuantLinear(module.in_features, module.out_features, bias=False, weight_quant=weight_quant)
        case BinaryConv2d():
            layer = qnn.QuantConv2d(
                module.in_channels,
                module.out_channels,
                module.kernel_size,
                padding=module.padding,
                bias=False,
                weight_quant=weight_quant,
            )
        case _:
            return module
    layer.weight.data = module.weight.data
    return layer


def export_qonnx(model, frames, path, *, dynamo=True, weight_quant=UnitWeight):
    """Write `model` as QONNX (`BipolarQuant` nodes).

    Parameters
    ----------
    model : nn.Sequential
        Trained network of the layers in `examples.training.binary`.
    frames : torch.Tensor
        Example input of two frames.
    path : Path
        File to write.
    dynamo : bool
        Which of torch's exporters Brevitas uses: the new one, with a symbolic batch axis, or the
        old one, with a batch of one.
    weight_quant : class
        Brevitas quantiser of the weights.
    """
    quantized = twin(model, weight_quant)
    with torch.no_grad():
        if dynamo:
            batch = ({0: torch.export.Dim("batch")},)
            brevitas_export(quantized, args=frames, export_path=str(path), dynamo=True, dynamic_shapes=batch)
        else:
            brevitas_export(quantized, args=frames[:1], export_path=str(path), dynamo=False)
    path.with_name(f"{path.name}.data").unlink(missing_ok=True)
    drop_metadata(path)
