"""Figures 3, 5 and 7 and Table 1: every method on every task."""

from collections.abc import Sequence
from functools import partial

from benchmarks.mbold.experiment import NO_NEGATIVES, Experiment
from benchmarks.shipped import shipped_method
from latentplan_ros.evaluation.evaluate import success_figures
from latentplan_ros.evaluation.methods import Method, make_policy
from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.evaluation.results import Figure
from latentplan_ros.sim.tasks import make_task

# What is compared: (what is trained, how it acts).
COMPARED: dict[str, tuple[str, Method]] = {
    "mbold": ("mbold", "model"),
    "mbold_sfa": ("mbold_sfa", "model"),
    "icem": ("mbold", "icem"),
    "mppi": ("mbold", "mppi"),
    "gradient": ("mbold", "gradient"),
    "pixel_l2": ("latent_l2", "pixel_l2"),  # asks no learned distance
    "random": ("mbold", "random"),
    "actor": ("mbold", "actor"),
    NO_NEGATIVES: (NO_NEGATIVES, "model"),
    "temporal": ("temporal", "model"),
    "gcivl": ("gcivl", "model"),
    "iqe": ("iqe", "model"),
    "plan2vec": ("plan2vec", "model"),
    "vae_l2": ("vae_l2", "model"),
    "latent_l2": ("latent_l2", "model"),
    "mahalanobis": ("mahalanobis", "model"),
    "sfa": ("sfa", "model"),
    "gcbc": ("gcbc", "gcbc"),
    "q_policy": ("q_policy", "q_policy"),
    "sorb": ("sorb", "sorb"),
    "rig": ("rig", "rig"),
    "dreamer": ("dreamer", "dreamer"),
}
TASKS = ("sawyer_reach", "sawyer_push1", "sawyer_push3", "franka_door")


def compare(experiment: Experiment, task: str, name: str) -> None:
    """Writes success/<task>[_<kind>][/<name>]; what ships has no ending."""
    learnt, method = COMPARED[name]

    def run(seed: int) -> list[Outcome]:
        policy = make_policy(method, experiment.trained(task, learnt, seed))
        return experiment.tried(make_task(task), policy, f"{task} {name}")

    figures = partial(named, task, name)
    experiment.over_seeds(f"{task}.{name}", run, figures, task=task, method=name)


def named(task: str, name: str, outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """The figures as success_figures names them."""
    return success_figures(task, "model" if name == shipped_method(task) else name, outcomes)
