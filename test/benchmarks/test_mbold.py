import os
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]


def quick(folder: Path, *options: str) -> str:
    """A run without measurement; what it prints."""
    command = [sys.executable, "-m", "benchmarks.mbold", "--quick", "--folder", str(folder)]
    run = subprocess.run(
        [*command, *options],
        cwd=ROOT,
        env={**os.environ, "MUJOCO_GL": os.environ.get("MUJOCO_GL", "egl")},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def encoder(checkpoint: Path) -> torch.Tensor:
    weights = load_file(checkpoint)
    return torch.cat([w.flatten() for name, w in sorted(weights.items()) if "encoder" in name])


def test_the_comparison_collects_trains_and_tries_each_method(tmp_path: Path) -> None:
    compared = ["mbold", "no_negatives", "gcbc"]
    options = ["--tasks", "sawyer_reach", "--compared", *compared, "random"]
    printed = quick(tmp_path / "m", "--parts", "compared", *options)
    for figure in ("success/sawyer_reach ", "success/sawyer_reach/gcbc", "success/sawyer_reach/ra"):
        assert figure in printed
    # One world model serves every method of a seed.
    encoders = [encoder(tmp_path / f"m_quick/sawyer_reach.{m}.0.safetensors") for m in compared]
    assert all(torch.equal(other, encoders[0]) for other in encoders)
    assert (ROOT / "runs" / "benchmarks" / "mbold" / "sawyer_reach.png").exists()


def test_horizons_resets_and_the_arms_own_place(tmp_path: Path) -> None:
    """Figure 8, Tables 5 and 6."""
    options = ["--parts", "horizons", "resets", "arm_match", "--tasks", "sawyer_push1"]
    printed = quick(tmp_path / "m", *options)
    for figure in (
        "success/sawyer_push1/horizon_3",
        "success/sawyer_push1_hard/horizon_13",
        "success/sawyer_push1/restricted_reset",
        "success_arm/sawyer_push1_arm/mbold",
        "success_arm/sawyer_push1_object/no_negatives",
    ):
        assert figure in printed
