"""Plan2vec's experiments: ``python -m benchmarks.plan2vec``."""
