"""Simulation of build folders: outside the simulator (run) and inside it (bench)."""
