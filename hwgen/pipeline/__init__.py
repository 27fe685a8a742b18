"""Layers become stages with ports and FIFOs, and stages an accelerator."""
