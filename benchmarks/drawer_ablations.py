"""What each change to MBOLD's planner is worth on the drawer: all of them, and all but one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import tyro

from benchmarks.drawer import TASK
from benchmarks.searches import compare
from latentplan_ros.evaluation.run import STEPS
from latentplan_ros.models.checkpoint import TrainedModel, load_checkpoint
from latentplan_ros.models.q_distance import QDistance
from latentplan_ros.planning import CEM
from latentplan_ros.resources import resource

WITHOUT = ("none", "moments", "reluctance", "nearness", "all")


def main(
    goals: int = 30, steps: int = STEPS, checkpoint: Path | None = None, quick: bool = False
) -> None:
    """Writes ablation/franka_drawer/<change that is missing>, over goals of both kinds.

    Args:
        goals: goals of each kind.
        steps: control steps a try.
        checkpoint: the shipped one if left out.
        quick: one goal of each kind, five steps, results below runs/.
    """
    if quick:
        goals, steps = 1, 5
    model = load_checkpoint(checkpoint or resource(f"checkpoints/{TASK}.safetensors"))
    searches = ablated(model)
    settings = {"variants": list(WITHOUT)}
    compare("drawer_ablations", "ablation", model, searches, goals, steps, quick, settings)


def ablated(model: TrainedModel) -> Iterator[tuple[str, CEM]]:
    """Each search in turn; drawing it sets the model's nearness to match."""
    assert isinstance(model.head, QDistance)
    full, nearness = CEM(model.header.exploration_std), model.head.nearness
    changes = {"moments": {"moments": 1}, "reluctance": {"reluctance": 0.0}}
    changes["all"] = changes["moments"] | changes["reluctance"]
    for name in WITHOUT:
        model.head.nearness = 0.0 if name in ("nearness", "all") else nearness
        yield name, replace(full, **changes.get(name, {}))


if __name__ == "__main__":
    tyro.cli(main)
