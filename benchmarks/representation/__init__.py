"""Objectives of representation learning, judged: ``python -m benchmarks.representation``."""
