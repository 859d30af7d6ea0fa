"""Table 6: how well the arm itself ends where the picture shows it, with and without negatives."""

from collections.abc import Sequence

import numpy as np

from benchmarks.mbold.experiment import Experiment
from latentplan_ros.evaluation.methods import make_policy
from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.evaluation.results import Figure
from latentplan_ros.sim.tasks.push import MOVED_M, SawyerPush1

_STILL_M = 0.005  # a block that moved less was not touched


class ArmMatch(SawyerPush1):
    """The block's task, judged by the arm. Goals that move the block, and goals that do not."""

    goal_kinds = ("object", "arm")

    def error_m(self, truth: np.ndarray, goal: np.ndarray) -> float:
        return float(np.linalg.norm(truth[-3:] - goal[-3:]))

    def is_goal(self, kind: str, start: np.ndarray, end: np.ndarray) -> bool:
        if self.error_m(start, end) <= self.threshold_m:
            return False
        moved = float(np.linalg.norm(start[:2] - end[:2]))
        return moved > MOVED_M if kind == "object" else moved < _STILL_M


def match(experiment: Experiment, learnt: str) -> None:
    """Writes success_arm/sawyer_push1_<object or arm>/<mbold or no_negatives>."""

    def run(seed: int) -> list[Outcome]:
        policy = make_policy("model", experiment.trained(SawyerPush1.name, learnt, seed))
        return experiment.tried(ArmMatch(), policy, f"arm, {learnt}")

    def figures(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
        return {
            f"success_arm/{SawyerPush1.name}_{kind}/{learnt}": Figure.success(
                [outcome for outcome in outcomes if outcome.kind == kind]
            )
            for kind in ArmMatch.goal_kinds
        }

    experiment.over_seeds(f"arm_match.{learnt}", run, figures, task="arm_match", method=learnt)
