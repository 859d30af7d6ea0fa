"""Pictures of the results files: success with its 95 % interval, method beside method."""

import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from benchmarks.mbold.horizons import HORIZONS
from benchmarks.plot_file import save


def draw(results: Path, out: Path) -> list[Path]:
    """One PNG a task that has results below ``results``; returns them."""
    files = sorted(results.glob("*.json"))
    documents = {file.stem: json.loads(file.read_text()) for file in files}
    tasks = dict.fromkeys(name.split(".")[0] for name in documents)
    out.mkdir(parents=True, exist_ok=True)
    return [_draw(task, documents, out / f"{task}.png") for task in tasks]


def _draw(task: str, documents: dict[str, Any], file: Path) -> Path:
    """Bars grouped by method, one colour a kind of goal."""
    groups = {
        name.split(".", 1)[1]: _by_kind(document)
        for name, document in documents.items()
        if name.split(".")[0] == task
    }
    kinds = dict.fromkeys(kind for group in groups.values() for kind in group)
    names = sorted(groups, key=_place)
    figure, axis = plt.subplots(figsize=(1.5 + 0.9 * len(names) * max(1, len(kinds) / 2), 4))
    width = 0.8 / len(kinds)
    for index, kind in enumerate(kinds):
        bars = [(at, groups[name][kind]) for at, name in enumerate(names) if kind in groups[name]]
        places = [at + (index - (len(kinds) - 1) / 2) * width for at, _ in bars]
        values = [100 * bar["value"] for _, bar in bars]
        errors = [
            [value - 100 * bar["low"] for value, (_, bar) in zip(values, bars, strict=True)],
            [100 * bar["high"] - value for value, (_, bar) in zip(values, bars, strict=True)],
        ]
        axis.bar(places, values, width, yerr=errors, capsize=3, label=kind)
    axis.set_xticks(range(len(names)), [name.replace("_", " ") for name in names], rotation=40)
    plt.setp(axis.get_xticklabels(), ha="right", rotation_mode="anchor")
    axis.set_ylim(0, 100)
    axis.set_ylabel("success, %")
    axis.set_title(task.replace("_", " "))
    axis.legend(frameon=False)
    return save(figure, file)


def _by_kind(document: dict[str, Any]) -> dict[str, Any]:
    """Kind of goal to its figure; both are in the order of the kinds' first outcomes."""
    kinds = dict.fromkeys(outcome["kind"] for outcome in document["outcomes"])
    return dict(zip(kinds, document["figures"].values(), strict=True))


def _place(name: str) -> tuple[int, int, str]:
    """mbold first, then the others, horizons by length."""
    horizons = [f"horizon_{steps}" for steps in HORIZONS]
    return (name != "mbold", horizons.index(name) if name in horizons else -1, name)
