"""ONNX by torch's two exporters."""

import onnx
import torch


def export_onnx(model, frames, path, *, opset=20, dynamo=True):
    """Write `model` with a symbolic batch axis, weights inside the file.

    Parameters
    ----------
    model : nn.Module
        Trained network in inference mode.
    frames : torch.Tensor
        Example input of two frames.
    path : Path
        File to write.
    opset : int
        ONNX operator set.
    dynamo : bool
        The default exporter, by `torch.export`; otherwise the legacy one, by tracing.
    """
    if dynamo:
        choice = {"external_data": False, "dynamic_shapes": ({0: torch.export.Dim("batch")},)}
    else:
        choice = {"dynamic_axes": {"input": {0: "batch"}, "output": {0: "batch"}}}
    with torch.no_grad():
        torch.onnx.export(
            model,
            (frames,),
            path,
            dynamo=dynamo,
            opset_version=opset,
            input_names=["input"],
            output_names=["output"],
            verbose=False,
            **choice,
        )
    drop_metadata(path)


def drop_metadata(path):
    """Remove an exporter's notes from a file; they name folders of the machine that made it."""
    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:
        del node.metadata_props[:]
    for value in model.graph.value_info:
        del value.metadata_props[:]
    del model.graph.metadata_props[:]
    onnx.save(model, path)
