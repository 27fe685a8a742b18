"""ONNX by torch's default exporter."""

import onnx
import torch


def export_onnx(model, frames, path, *, opset=20):
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
    """
    with torch.no_grad():
        torch.onnx.export(
            model,
            (frames,),
            path,
            dynamo=True,
            opset_version=opset,
            external_data=False,
            input_names=["input"],
            output_names=["output"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            verbose=False,
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
