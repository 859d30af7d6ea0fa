"""The verb ``latentplan diagnose``: from a checkpoint to the page that names what limits it."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from latentplan_ros.control.profile import load_profile
from latentplan_ros.evaluation.diagnosis import pictures
from latentplan_ros.evaluation.diagnosis.fixed_arm import FixedArm, fixed_arm
from latentplan_ros.evaluation.diagnosis.imagination import Horizon, imagined_displacement
from latentplan_ros.evaluation.diagnosis.oracles import (
    OracleDistance,
    success_with_oracle_dynamics,
)
from latentplan_ros.evaluation.diagnosis.page import table, write_page
from latentplan_ros.evaluation.diagnosis.probe import Probe, probe_errors
from latentplan_ros.evaluation.diagnosis.rollouts import SEED, random_rollouts
from latentplan_ros.evaluation.policies import PlanningPolicy
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.evaluation.run import STEPS, evaluate
from latentplan_ros.evaluation.statistics import wilson
from latentplan_ros.models.checkpoint import TrainedModel, load_checkpoint
from latentplan_ros.models.world_model import WorldModel
from latentplan_ros.planning import CEM, BatchController
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.goals import Goal, goal_kinds, make_goal
from latentplan_ros.sim.task import Task
from latentplan_ros.sim.tasks import make_task

HORIZONS = (1, 3, 6, 9, 13)


def diagnose(
    checkpoint: Path,
    out: Path,
    task: str = "",
    episodes: int = 500,
    goals: int = 10,
    steps: int = STEPS,
) -> None:
    """Writes results.json and diagnosis.html into ``out``.

    episodes: random ones for probe (four fifths) and measurement; goals: of each kind, tried with
    the model, with the true distance, with the true dynamics, with both; 0 leaves these out, which
    take most of the time. Raises CheckpointError, TaskError, PlanningError.
    """
    say = Console().print
    model = load_checkpoint(checkpoint)
    simulated = make_task(task or model.header.task)
    model.header.require(load_profile(simulated.profile), simulated.camera)
    env = Environment(simulated)
    try:
        say(f"{simulated.name}: {episodes} random episodes")
        rollouts = random_rollouts(env, model, episodes)
        learnt, measured = rollouts[: episodes * 4 // 5], rollouts[episodes * 4 // 5 :]
        probe = Probe(learnt.latents.flatten(0, 1), learnt.truth.flatten(0, 1))
        errors = 100.0 * probe_errors(probe, measured.latents, measured.truth)
        columns = object_columns(simulated)
        horizons = imagined_displacement(model, probe, measured, columns, list(HORIZONS))
        say("distance at fixed arm poses")
        ordered = [fixed_arm(env, model, index, 150) for index in range(20)]
        tried = _oracles(env, model, probe, goals, steps, say) if goals else {}
    finally:
        env.close()
    figures = _figures(simulated, errors.tolist(), horizons, ordered, tried)
    write_results(
        out / "results.json",
        figures,
        seeds=[SEED],
        settings={"checkpoint": checkpoint.name, "episodes": episodes, "goals": goals},
        raw={"horizons": [asdict(row) for row in horizons], "oracles": tried},
    )
    write_page(
        out / "diagnosis.html",
        {
            "TITLE": f"{simulated.name.replace('_', ' ')}: {checkpoint.name}",
            "VERDICT": verdict(horizons, ordered, tried),
            "REPRESENTATION": table(
                ["", "median error, cm"],
                list(zip(simulated.truth_names, errors.tolist(), strict=True)),
            ),
            "DYNAMICS": table(
                ["steps", "windows", "moved, cm", "wrong by, cm", "still: wrong by", "correlation"],
                [list(asdict(row).values()) for row in horizons],
            ),
            "CURVES": pictures.curves(horizons),
            "DISTANCE": table(
                ["goals", "median rank correlation", "lowest"],
                [[len(ordered), _median_rank(ordered), min(s.spearman for s in ordered)]],
            ),
            "MAPS": pictures.maps(ordered[:3], simulated.truth_names, columns),
            "ORACLES": table(
                ["dynamics, distance", "reached", "95 % interval"],
                [[name, f"{sum(r)} of {len(r)}", _interval(r)] for name, r in tried.items()],
            ),
        },
    )
    say(verdict(horizons, ordered, tried))
    say(f"{out / 'diagnosis.html'}", soft_wrap=True)


def object_columns(task: Task) -> list[int]:
    """Columns of the truth that belong to objects; the tool's where the task has none."""
    every = list(range(len(task.truth_names)))
    return [i for i in every if not task.truth_names[i].startswith("tcp_")] or every


def verdict(horizons: list[Horizon], ordered: list[FixedArm], tried: dict[str, list[bool]]) -> str:
    """What limits, in a sentence, by the largest gain from replacing one learned part."""
    last, rank = horizons[-1], _median_rank(ordered)
    seen = (
        f"After {last.steps} steps objects that moved {last.moved_cm:.1f} cm are imagined "
        f"{last.error_cm:.1f} cm from where they are; the distance orders situations with rank "
        f"correlation {rank:.2f}. "
    )
    if not tried:
        return seen
    own = float(np.mean(tried[_OWN]))
    gains = {name: float(np.mean(tried[key])) - own for name, key in _REPLACED.items()}
    best = max(gains, key=lambda name: gains[name])
    if gains[best] <= 0:
        return seen + "Neither the true dynamics nor the true distance reach more: look elsewhere."
    return seen + f"Replacing the {best} gains most: {gains[best]:+.0%} of the goals."


_OWN = "learned, learned"
_REPLACED = {"distance": "learned, true", "dynamics": "true, learned"}


def _oracles(
    env: Environment,
    model: TrainedModel,
    probe: Probe,
    count: int,
    steps: int,
    say: Callable[..., None],
) -> dict[str, list[bool]]:
    task, std = env.task, model.header.exploration_std
    drawn = [
        make_goal(env, kind, SEED, index) for kind in goal_kinds(task) for index in range(count)
    ]
    full = CEM(std, **model.header.planner)
    # A plan in the simulator costs a simulated step for each imagined one.
    few = replace(full, samples=48, iterations=2, elites=6)

    def learned(world: WorldModel) -> list[bool]:
        policy = PlanningPolicy(BatchController(world, full))
        return [outcome.success for outcome in evaluate(policy, task, drawn, steps)]

    def simulated(distance: WorldModel | None, goals: list[Goal] = drawn) -> list[bool]:
        return success_with_oracle_dynamics(env, distance, few, goals, steps)

    trials: dict[str, Callable[[], list[bool]]] = {
        _OWN: lambda: learned(model),
        "learned, true": lambda: learned(OracleDistance(model, probe, env)),
        "true, learned": lambda: simulated(model),
        "true, true": lambda: simulated(None),
    }
    results = {}
    for name, trial in trials.items():
        results[name] = trial()
        say(f"dynamics, distance {name}: {sum(results[name])} of {len(results[name])}")
    return results


def _figures(
    task: Task,
    errors: list[float],
    horizons: list[Horizon],
    ordered: list[FixedArm],
    tried: dict[str, list[bool]],
) -> dict[str, Figure]:
    root = f"diagnosis/{task.name}"
    figures = {
        f"{root}/probe_cm/{name}": Figure(error, "cm", 1)
        for name, error in zip(task.truth_names, errors, strict=True)
    }
    figures |= {
        f"{root}/imagined_cm/{row.steps}": Figure(row.error_cm, "cm", row.moving)
        for row in horizons
        if row.moving
    }
    figures[f"{root}/spearman"] = Figure.median([s.spearman for s in ordered], "")
    for name, results in tried.items():
        low, high = wilson(sum(results), len(results))
        key = name.replace(", ", "_")
        rate = sum(results) / len(results)
        figures[f"{root}/success/{key}"] = Figure(rate, "fraction", len(results), low, high)
    return figures


def _median_rank(ordered: list[FixedArm]) -> float:
    return float(np.median([sample.spearman for sample in ordered]))


def _interval(results: list[bool]) -> str:
    low, high = wilson(sum(results), len(results))
    return f"{low:.0%} to {high:.0%}"
