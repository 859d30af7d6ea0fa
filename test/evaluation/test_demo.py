"""The demonstration with weights that nobody trained: everything runs, and it says so."""

import json
import os
from pathlib import Path

import pytest
import torch

from benchmarks.untrained import untrained_header
from latentplan_ros.evaluation.demo import STEPS, run_demo
from latentplan_ros.models.checkpoint import save_checkpoint
from latentplan_ros.models.latent_world_model import LatentWorldModel

SPEC = {"latent": 8, "channels": 4, "hidden": 16, "layers": 1, "distance": None}


def test_tries_goals_through_the_nodes_and_reports_what_came_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rclpy")
    monkeypatch.setenv("ROS_DOMAIN_ID", str(1 + (os.getpid() * 13 + 99) % 200))
    torch.manual_seed(0)
    header = untrained_header(
        "none", SPEC, "sawyer_reach", exploration_std=(0.05, 0.05, 0.05, 0.05)
    )  # too little to get anywhere
    checkpoint = tmp_path / "untrained.safetensors"
    save_checkpoint(checkpoint, LatentWorldModel(SPEC), header)
    status = run_demo("sawyer_reach", goals=2, out=tmp_path / "demo", checkpoint=checkpoint)
    document = json.loads((tmp_path / "demo" / "results.json").read_text())
    assert len(document["outcomes"]) == 2
    assert all(len(o["errors_m"]) == STEPS + 1 for o in document["outcomes"])
    assert all(o["errors_m"][0] > 0.12 for o in document["outcomes"])
    assert status == (0 if all(o["success"] for o in document["outcomes"]) else 1)
    page = (tmp_path / "demo" / "report.html").read_text()
    assert page.count("<canvas class") == 2
    assert "imagined</span>" in page
    assert "planner |" in (tmp_path / "demo" / "nodes.log").read_text()
