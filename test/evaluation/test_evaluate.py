import json
from pathlib import Path

import pytest
import torch

from benchmarks.untrained import untrained_header
from latentplan_ros.evaluation.evaluate import evaluate_checkpoint, success_figures
from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.models.checkpoint import CheckpointError, save_checkpoint
from latentplan_ros.models.latent_world_model import LatentWorldModel

SPEC = {"latent": 8, "channels": 4, "hidden": 16, "layers": 1, "distance": None}


KINDS = ("regular", "hard", "reach")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Weights that nobody trained, for the sawyer's reaching task."""
    torch.manual_seed(0)
    header = untrained_header("none", SPEC, "sawyer_reach")
    path = tmp_path / "untrained.safetensors"
    save_checkpoint(path, LatentWorldModel(SPEC), header)
    return path


@pytest.mark.parametrize("method", ["model", "icem", "mppi", "gradient", "pixel_l2", "random"])
def test_a_checkpoint_is_tried_and_what_came_of_it_is_on_disk(
    checkpoint: Path, tmp_path: Path, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    outcomes = evaluate_checkpoint(checkpoint, out, goals=2, steps=3, method=method)  # type: ignore[arg-type]
    assert len(outcomes) == 2
    document = json.loads((out / "results.json").read_text())
    name = "success/sawyer_reach" + ("" if method == "model" else f"/{method}")
    assert list(document["figures"]) == [name]
    assert [len(o["errors_m"]) for o in document["outcomes"]] == [4, 4]
    assert document["settings"]["method"] == method
    page = (out / "report.html").read_text()
    assert page.count("<canvas class") == 2
    assert ("imagined</span>" in page) == (method != "random")
    reached = sum(outcome.success for outcome in outcomes)
    assert f"{reached} of 2" in capsys.readouterr().out


def test_a_checkpoint_of_another_robot_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="trained for robot 'sawyer'"):
        evaluate_checkpoint(checkpoint, tmp_path / "out", task="franka_reach", goals=1)
    assert not (tmp_path / "out").exists()


def test_figures_are_named_by_task_kind_and_method() -> None:
    outcomes = [Outcome(i, 0, kind, 0.05, [0.1, i * 0.1]) for i, kind in enumerate(KINDS)]
    assert list(success_figures("sawyer_push1", "model", outcomes)) == [
        "success/sawyer_push1",
        "success/sawyer_push1_hard",
        "success/sawyer_push1_reach",
    ]
    assert success_figures("sawyer_push1", "random", outcomes[:1])["success/sawyer_push1/random"]
    assert list(success_figures("franka_reach", "random", outcomes[2:])) == [
        "success/franka_reach/random"
    ]
