"""Learning curves on disk: a results file for each task and method, to which seeds are added."""

import json
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.destination import results_file
from benchmarks.dmc.plan import Plan
from benchmarks.dmc.tasks import EPISODE, Task
from latentplan_ros.evaluation.results import Figure, write_results

PAPERS_STEPS = 100_000


def title_of(task: Task, plan: Plan) -> str:
    """Runs of another length than the paper's are named by it."""
    return task.title if plan.steps == PAPERS_STEPS else f"{task.title}_{plan.steps}"


class Curves:
    """What has been learned of one task by one method: seeds to what ``Training.run`` gave."""

    def __init__(self, task: Task, method: str, plan: Plan, quick: bool) -> None:
        self._task, self._method, self._plan = task, method, plan
        self.title = title_of(task, plan)
        self.file = results_file(f"dmc/{self.title}.{method}", quick)
        self.by_seed: dict[str, dict[str, Any]] = {}
        if self.file.exists() and not quick:
            self.by_seed = json.loads(self.file.read_text())["raw"]["by_seed"]

    def add(self, seed: int, learned: dict[str, Any], device: str) -> None:
        """Writes dmc/<task>/<method>, the mean return of the last evaluation over all seeds."""
        self.by_seed[str(seed)] = {**learned, "device": device}
        name = f"dmc/{self.title}/{self._method}"
        figure = _figure([run["curve"][-1]["returns"] for run in self.by_seed.values()])
        write_results(
            self.file,
            {name: figure},
            seeds=sorted(int(known) for known in self.by_seed),
            settings={
                "steps": self._plan.steps,
                "agent_steps": self._plan.steps // self._task.repeat,
                "action_repeat": self._task.repeat,
                "evaluation_episodes": self._plan.episodes,
                **vars(self._plan.settings),
            },
            raw={"by_seed": self.by_seed},
        )
        print(f"{name:48} {figure.value:.0f} return, n={figure.n}", flush=True)


def _figure(returns: list[list[float]]) -> Figure:
    """returns: of the evaluation's episodes, for each seed. The interval, by Student's t, is over
    seeds; one seed has none."""
    means = np.array([np.mean(episodes) for episodes in returns])
    mean, n = float(means.mean()), len(means)
    if n == 1:
        return Figure(mean, "return", n)
    half = float(stats.t.ppf(0.975, n - 1) * means.std(ddof=1) / np.sqrt(n))
    return Figure(mean, "return", n, max(0.0, mean - half), min(float(EPISODE), mean + half))
