"""BiBench's algorithms and architectures on FPGAs: ``python -m benchmarks.bibench``."""
