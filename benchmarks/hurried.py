"""What a planner is worth that is short of time: the drawer with fewer samples or iterations."""

from dataclasses import replace
from pathlib import Path

import tyro

from benchmarks.drawer import TASK
from benchmarks.searches import compare
from latentplan_ros.evaluation.run import STEPS
from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.planning import CEM
from latentplan_ros.resources import resource

SEARCHES = ((200, 3), (200, 2), (200, 1), (100, 3), (50, 3))  # samples, iterations


def main(
    goals: int = 30, steps: int = STEPS, checkpoint: Path | None = None, quick: bool = False
) -> None:
    """Writes hurried/franka_drawer/<samples>x<iterations>, over goals of both kinds.

    Args:
        goals: goals of each kind.
        steps: control steps a try.
        checkpoint: the shipped one if left out.
        quick: one goal of each kind, five steps, results below runs/.
    """
    if quick:
        goals, steps = 1, 5
    model = load_checkpoint(checkpoint or resource(f"checkpoints/{TASK}.safetensors"))
    full = CEM(model.header.exploration_std)
    searches = [
        (f"{samples}x{iterations}", replace(full, samples=samples, iterations=iterations))
        for samples, iterations in SEARCHES
    ]
    settings = {"searches": list(SEARCHES)}
    compare("hurried", "hurried", model, searches, goals, steps, quick, settings)


if __name__ == "__main__":
    tyro.cli(main)
