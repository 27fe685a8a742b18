"""Choosing PE, SIMD and memories for every layer."""
