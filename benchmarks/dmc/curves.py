"""Learning curves as pictures: return against environment steps, method beside method."""

import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from benchmarks.dmc.tasks import EPISODE
from benchmarks.plot_file import save

_COLOURS = {"sac": "tab:gray", "curl": "tab:orange", "psrl": "tab:blue"}


def draw(results: Path, out: Path) -> list[Path]:
    """One PNG a task that has results files in ``results``; returns them."""
    documents: dict[str, dict[str, Any]] = {}
    for file in sorted(results.glob("*.json")):
        task, method = file.stem.split(".")
        documents.setdefault(task, {})[method] = json.loads(file.read_text())["raw"]["by_seed"]
    out.mkdir(parents=True, exist_ok=True)
    return [_draw(task, methods, out / f"{task}.png") for task, methods in documents.items()]


def _draw(task: str, methods: dict[str, Any], file: Path) -> Path:
    """Means over seeds as lines, from the least to the most of them as bands."""
    figure, axis = plt.subplots(figsize=(5, 3.5))
    for method, colour in _COLOURS.items():
        if method not in methods:
            continue
        runs = list(methods[method].values())
        steps = [point["step"] for point in runs[0]["curve"]]
        means = np.array([[np.mean(point["returns"]) for point in run["curve"]] for run in runs])
        axis.plot(steps, means.mean(0), color=colour, label=f"{method}, seeds: {len(runs)}")
        axis.fill_between(steps, means.min(0), means.max(0), color=colour, alpha=0.2, linewidth=0)
    axis.set_ylim(0, EPISODE)
    axis.set_xlabel("environment steps")
    axis.set_ylabel("return of 10 episodes")
    axis.set_title(task.replace("_", " "))
    axis.legend(frameon=False)
    return save(figure, file)
