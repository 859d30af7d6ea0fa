import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.mbold.__main__ import main  # noqa: E402
from benchmarks.mbold.compared import COMPARED, TASKS  # noqa: E402
from benchmarks.mbold.experiment import Experiment  # noqa: E402
from latentplan_ros.learning.methods import METHODS  # noqa: E402


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


@pytest.mark.parametrize("task", TASKS)
def test_every_method_has_a_recipe_that_it_takes(tmp_path: Path, task: str) -> None:
    experiment = Experiment((0,), 1, 1, 1, tmp_path, quick=False)
    for method in {learnt for learnt, _ in COMPARED.values()} & set(METHODS):
        part, recipe = METHODS[method], experiment.recipe(task, method)
        if part:
            assert set(recipe.head) <= set(part.sizes), method
            assert set(recipe.distance) <= {field.name for field in fields(part.recipe)}, method


@pytest.mark.parametrize("task", ["sawyer_push1", "sawyer_push3", "franka_door"])
def test_the_distances_of_a_task_share_a_world_model(tmp_path: Path, task: str) -> None:
    experiment = Experiment((0,), 1, 1, 1, tmp_path, quick=False)
    one, *others = (experiment.recipe(task, m) for m in ("mbold", "mbold_sfa", "sfa"))
    for block in ("model", "world_model", "dynamics", "calibration", "held_out"):
        assert all(getattr(other, block) == getattr(one, block) for other in others)
    q_learning = {k: v for k, v in others[0].distance.items() if k != "slowness"}
    assert q_learning == one.distance
    assert not others[1].distance


def test_the_comparison_collects_trains_and_tries_each_method(tmp_path: Path) -> None:
    compared = ["mbold", "no_negatives", "gcbc", "mahalanobis"]
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
        "success/sawyer_push1_hard/horizon_7",
        "success/sawyer_push1/restricted_reset",
        "success_arm/sawyer_push1_arm/mbold",
        "success_arm/sawyer_push1_object/no_negatives",
    ):
        assert figure in printed


def test_names_that_are_none_are_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no task named 'sawyer_pusk1'; there are .*sawyer_push1"):
        main(tasks=("sawyer_pusk1",), folder=tmp_path / "m", quick=True)
    with pytest.raises(SystemExit, match=r"no q_polcy here; there are .*q_policy"):
        main(compared=("q_polcy",), folder=tmp_path / "m", quick=True)
    assert not list(tmp_path.iterdir())
