"""Arithmetic: matrix-vector units, thresholds, tables, reductions."""
