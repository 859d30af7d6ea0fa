"""What the README's figures come from. Run from the repository: ``python -m benchmarks.drawer``.

Each writes one JSON below ``benchmarks/results``; ``python -m benchmarks.summary`` folds them into
``benchmarks/summary.json``. ``--quick`` only shows that a benchmark runs: it writes below ``runs``.
"""
