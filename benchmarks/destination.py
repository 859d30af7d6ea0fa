"""Where a benchmark's results go."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def results_file(name: str, quick: bool) -> Path:
    """Quick runs are no measurement, so they never land beside those that are."""
    folder = ROOT / "runs" / "benchmarks" if quick else RESULTS
    return folder / f"{name}.json"
