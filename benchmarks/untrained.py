"""Checkpoints that nobody trained, for what has to run but need not be good."""

from collections.abc import Mapping
from typing import Any

from latentplan_ros.control.profile import load_profile
from latentplan_ros.models.checkpoint import CheckpointHeader


def untrained_header(
    method: str, spec: Mapping[str, Any], task: str = "franka_drawer", **others: Any
) -> CheckpointHeader:
    """A header for weights of ``spec``; others: fields that differ from the ones given here."""
    fields = {
        "recipe": {},
        "action_space": load_profile(task.partition("_")[0]).action,
        "camera": "main",
        "image_size": 64,
        "exploration_std": (0.5, 0.5, 0.5, 0.2),
        "dataset_hash": "",
        "seed": 0,
        "versions": {},
    }
    return CheckpointHeader(method=method, spec=spec, task=task, **(fields | others))
