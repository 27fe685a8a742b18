"""LUTs and RAMs before synthesis: one cost model for all goals."""
