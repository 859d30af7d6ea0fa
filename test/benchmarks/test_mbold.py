import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_comparison_collects_trains_and_tries_each_method(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.mbold", "--quick", "--folder", str(tmp_path / "m")]
    options = ["--tasks", "sawyer_reach", "--compared", "mbold", "gcbc", "random"]
    run = subprocess.run(
        command + options,
        cwd=ROOT,
        env={**os.environ, "MUJOCO_GL": os.environ.get("MUJOCO_GL", "egl")},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    for figure in ("success/sawyer_reach ", "success/sawyer_reach/gcbc", "success/sawyer_reach/ra"):
        assert figure in run.stdout
    # One world model serves every method of a seed.
    assert run.stdout.count("world_model") == 2
