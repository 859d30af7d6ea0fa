"""Figure 6, left: how many rollouts the C-maze takes, Plan2vec beside deep Q-learning."""

import math
import time

import numpy as np
import torch
from lightning_fabric import Fabric

from benchmarks.plan2vec.experiment import TRIAL_SEED, TRIALS, Experiment, rate, title_of
from benchmarks.plan2vec.mazes import LearnedMaze, learned
from latentplan_ros.evaluation.plan2vec.maze_trials import STEPS, Score, draw_trials, reached
from latentplan_ros.evaluation.results import Figure
from latentplan_ros.learning.plan2vec.fitted_q import FittedQRecipe, FittedQStage, PictureQ
from latentplan_ros.learning.trainer import run_stage
from latentplan_ros.models.picture_map import encoded
from latentplan_ros.sim.worlds.maze import MOVES

MAZE, WANTED = "cmaze", 0.9
PLAN2VEC, DQN = (20, 30, 100), (1000,)
DQN_SEEDS = 3  # of the seeds: a training of it takes several times as long as Plan2vec's


def compare(experiment: Experiment) -> None:
    """Writes plan2vec/success/cmaze/<method>_<rollouts>_rollouts and plan2vec/data_ratio_dqn.

    dqn: what Q-learning holds of the recorded pictures chooses the hop, as Plan2vec's metric does;
    dqn_moves: its own best move is made, of eight.
    """
    if experiment.known("data_needed"):
        return
    outcomes: dict[tuple[str, int], list[np.ndarray]] = {}
    minutes: dict[str, list[float]] = {"plan2vec": [], "dqn": []}
    for seed in experiment.seeds:
        for count in PLAN2VEC:
            world = learned(experiment, MAZE, seed, rollouts=count)
            if math.isfinite(world.minutes):
                minutes["plan2vec"].append(world.minutes)
            outcomes.setdefault(("plan2vec", count), []).append(world.tried(world.by_map(), seed))
    for seed in experiment.seeds[:DQN_SEEDS]:
        for count in DQN:
            world = learned(experiment, MAZE, seed, rollouts=count)
            begun = time.monotonic()
            q = _q(experiment, world, seed, count)
            minutes["dqn"].append((time.monotonic() - begun) / 60.0)
            by_value = world.tried(_by_value(q, world), seed)
            outcomes.setdefault(("dqn", count), []).append(by_value)
            outcomes.setdefault(("dqn_moves", count), []).append(_moved(q, world, seed))
    figures = {
        title_of(MAZE, f"{method}_{count}_rollouts"): rate(group)
        for (method, count), group in outcomes.items()
    }
    means = {key: float(np.concatenate(group).mean()) for key, group in outcomes.items()}
    enough = {
        method: [n for (m, n), mean in sorted(means.items()) if m == method and mean >= WANTED]
        for method in ("plan2vec", "dqn")
    }
    if enough["plan2vec"]:
        # Where no number of rollouts was enough for DQN, the most that it was given counts.
        needed = min(enough["dqn"], default=max(DQN))
        figures["plan2vec/data_ratio_dqn"] = Figure(
            needed / min(enough["plan2vec"]),
            "times the rollouts" if enough["dqn"] else "times the rollouts, or more",
            len(experiment.seeds),
        )
    raw = {
        "minutes": minutes,
        "by_seed": {f"{m}_{n}": [float(p.mean()) for p in g] for (m, n), g in outcomes.items()},
    }
    experiment.write(
        "data_needed",
        figures,
        raw,
        trials=TRIALS,
        updates=FittedQRecipe.updates,
        dqn_seeds=DQN_SEEDS,
    )


def _q(experiment: Experiment, world: LearnedMaze, seed: int, count: int) -> PictureQ:
    _, moves = experiment.maze(MAZE, seed, count)
    torch.manual_seed(seed)
    q = PictureQ(len(MOVES))
    recipe = FittedQRecipe(updates=experiment.some(FittedQRecipe.updates, 10))
    stage = FittedQStage(q, world.sequences, moves, recipe)
    run_stage(Fabric(accelerator="cpu", devices=1), stage, world.folder, seed)
    return q.eval()


def _by_value(q: PictureQ, world: LearnedMaze) -> Score:
    recorded = torch.from_numpy(encoded(q.encoder, world.sequences.pictures))

    @torch.no_grad()
    def score(goals: np.ndarray) -> np.ndarray:
        wanted = torch.from_numpy(encoded(q.encoder, goals))
        return np.stack(
            [-q.of(recorded, goal.expand(len(recorded), -1)).amax(1).numpy() for goal in wanted]
        )

    return score


@torch.no_grad()
def _moved(q: PictureQ, world: LearnedMaze, seed: int) -> np.ndarray:
    maze = world.maze
    starts, goals = draw_trials(maze, TRIALS, TRIAL_SEED + seed)
    wanted, way = torch.from_numpy(maze.render(goals)), [starts]
    for _ in range(STEPS):
        here = way[-1]
        moves = q(torch.from_numpy(maze.render(here)), wanted).argmax(1).numpy()
        there = np.linalg.norm(here - goals, axis=1) <= maze.success_m
        way.append(np.where(there[:, None], here, maze.step(here, moves)))
    return reached(maze, np.stack(way, axis=1), goals)
