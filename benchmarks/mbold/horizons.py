"""Figure 8: how far the planner looks ahead."""

from functools import partial

from benchmarks.mbold.compared import named
from benchmarks.mbold.experiment import Experiment
from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.evaluation.policies import PlanningPolicy
from latentplan_ros.planning import CEM, BatchController
from latentplan_ros.sim.tasks import make_task

TASKS = ("sawyer_push1", "sawyer_push3")
HORIZONS = (3, 7)  # and 13, the third in the paper's figure, is what mbold itself looks ahead


def look_ahead(experiment: Experiment, task: str, horizon: int) -> None:
    """Writes success/<task>[_<kind>]/horizon_<steps>."""

    def run(seed: int) -> list[Outcome]:
        model = experiment.trained(task, "mbold", seed)
        # The distance counts at four moments of a plan, or at all where there are fewer.
        planner = CEM(model.header.exploration_std, horizon=horizon, moments=min(4, horizon))
        policy = PlanningPolicy(BatchController(model, planner))
        return experiment.tried(make_task(task), policy, f"{task} {horizon} steps ahead")

    name = f"horizon_{horizon}"
    figures = partial(named, task, name)
    experiment.over_seeds(f"{task}.{name}", run, figures, task=task, horizon=horizon)
