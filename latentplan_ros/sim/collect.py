"""Episodes from many simulators at once, straight to a dataset: mostly of random exploration."""

import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path

import mujoco
import numpy as np
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from latentplan_ros.control.exploration import SmoothedRandomPolicy
from latentplan_ros.data.dataset import DatasetInfo, DatasetWriter
from latentplan_ros.data.episode import Episode
from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.goals import FIRST_GOAL_SEED
from latentplan_ros.sim.task import TaskError
from latentplan_ros.sim.tasks import make_task

# Twice the network's size: area averaging then gives nearly the picture that a 640x480 camera gives
# after the same preprocessing (mean difference 0.8 of 255), at nearly the speed of 64x64.
RENDER_SIZE = 128

_environment: Environment | None = None


def observe(env: Environment, preprocess: Preprocess) -> np.ndarray:
    """The network's picture of the present moment, ``uint8 [S,S,3]``."""
    return preprocess.apply(env.render(RENDER_SIZE, RENDER_SIZE))


def random_episode(env: Environment, seed: int, index: int) -> Episode:
    """Episode ``index`` of a seed: T = episode_steps + 1 frames, bit-identical every time."""
    rng = np.random.default_rng([seed, index])
    policy, preprocess = SmoothedRandomPolicy(env.task.exploration_std), Preprocess()
    env.reset(rng)
    policy.reset(rng)
    images, states = [observe(env, preprocess)], [env.state()]
    actions, truths = [], [env.truth()]
    for _ in range(env.task.episode_steps):
        actions.append(policy.act())
        env.step(actions[-1])
        images.append(observe(env, preprocess))
        states.append(env.state())
        truths.append(env.truth())
    actions.append(np.zeros(4, np.float32))
    return Episode(
        np.stack(images), np.stack(actions), np.stack(states), np.stack(truths).astype(np.float32)
    )


def recorded_episode(env: Environment, seed: int, index: int) -> Episode:
    """Episode ``index`` of a seed as the task records it; bit-identical every time."""
    preprocess = Preprocess()
    own = env.task.record(
        env, np.random.default_rng([seed, index]), lambda: observe(env, preprocess)
    )
    return random_episode(env, seed, index) if own is None else own


def dataset_info(env: Environment, seed: int) -> DatasetInfo:
    return DatasetInfo(
        action_space=env.profile.action,
        camera=env.camera,
        image_size=Preprocess().size,
        state_names=(*env.profile.joints, "tcp_x", "tcp_y", "tcp_z"),
        truth_names=env.task.truth_names,
        source="sim",
        task=env.task.name,
        exploration_std=env.task.exploration_std,
        seed=seed,
        mujoco_version=mujoco.__version__,
    )


def collect(
    task: str, episodes: int, out: Path, workers: int = 0, seed: int = 0, camera: str = ""
) -> int:
    """Fills ``out`` up to that many episodes and returns how many were added.

    workers: processes, 0 for one a core. The result does not depend on their number, and a killed
    run continues where it stopped. camera: by default the task's; another records the same
    episodes from where it stands. Raises TaskError for a seed that belongs to evaluation and for a
    camera that the scene lacks, DatasetError when ``out`` holds other data.
    """
    if seed >= FIRST_GOAL_SEED:
        raise TaskError(
            f"seed {seed} belongs to evaluation goals; training data uses seeds below "
            f"{FIRST_GOAL_SEED}"
        )
    env = Environment(make_task(task), camera)
    with DatasetWriter(out, dataset_info(env, seed)) as writer:
        todo = range(writer.num_episodes, episodes)
        if not todo:  # a bar over nothing says nothing
            return 0
        columns = (
            *Progress.get_default_columns()[:-1],
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns) as progress:
            for episode in progress.track(
                _rollouts((task, camera), seed, todo, workers or os.cpu_count() or 1),
                total=len(todo),
                description=f"collecting {task}",
            ):
                writer.append(episode)
        return len(todo)


def _rollouts(scene: tuple[str, str], seed: int, indices: range, workers: int) -> Iterator[Episode]:
    # spawn: a forked child would share the parent's GL state.
    with multiprocessing.get_context("spawn").Pool(workers, _start_worker, scene) as pool:
        yield from pool.imap(_work, [(seed, index) for index in indices], chunksize=4)


def _start_worker(task: str, camera: str) -> None:
    global _environment
    _environment = Environment(make_task(task), camera)


def _work(job: tuple[int, int]) -> Episode:
    assert _environment is not None
    return recorded_episode(_environment, *job)
