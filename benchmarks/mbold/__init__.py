"""The paper's simulated experiments: ``python -m benchmarks.mbold``."""
