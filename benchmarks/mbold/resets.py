"""Table 5: what is learned where the block always starts near the middle, tried everywhere."""

from functools import partial

from benchmarks.mbold.compared import named
from benchmarks.mbold.experiment import Experiment
from latentplan_ros.evaluation.methods import make_policy
from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.sim.tasks import make_task

TASK, LEARNT_IN = "sawyer_push1", "sawyer_push1_near"


def restrict(experiment: Experiment) -> None:
    """Writes success/sawyer_push1[_hard]/restricted_reset; uniform resets are mbold's."""

    def run(seed: int) -> list[Outcome]:
        policy = make_policy("model", experiment.trained(LEARNT_IN, "mbold", seed, TASK))
        return experiment.tried(make_task(TASK), policy, f"{TASK} restricted reset")

    name = "restricted_reset"
    figures = partial(named, TASK, name)
    experiment.over_seeds(f"{TASK}.{name}", run, figures, task=TASK, learnt_in=LEARNT_IN)
