"""One entry on one task: trained, probed on held-out episodes, its neighbours drawn."""

import time
from functools import cache
from typing import Any

import numpy as np

from benchmarks.destination import results_file
from benchmarks.representation.entries import settings_of, train_entry
from benchmarks.representation.experiment import SEED, Experiment, is_done
from benchmarks.representation.pictures import DISTRACTORS, save
from benchmarks.representation.seen import seen_of
from benchmarks.representation.table import MEASURED
from latentplan_ros.evaluation.representation.probes import Frames, Probes, median_over_episodes
from latentplan_ros.evaluation.representation.retrieval import nearest, sheet
from latentplan_ros.evaluation.results import Figure, write_results

QUERIES, NEIGHBOURS = 6, 5  # of a retrieval sheet


def judge(experiment: Experiment, task: str, entry: str) -> None:
    """Writes probe_cm/<entry>/<task>[_x<times the usual compute>][...] and a sheet, where these
    settings have no results yet."""
    title = f"{task}{experiment.compute}"
    file = results_file(f"representation/{title}.{entry}", experiment.quick)
    settings = _settings(experiment, task, entry)
    if is_done(file, settings, experiment.quick):
        return
    print(f"{title}: {entry}", flush=True)
    trained = train_entry(experiment, task, entry)
    begin = time.perf_counter()
    seen = seen_of(experiment, task)
    frames = {name: part.encoded(trained.encoder) for name, part in seen.items()}
    probes = Probes(frames["fitted"])
    figures = probed(probes, frames, f"probe_cm/{entry}/{title}")
    _draw(experiment, task, entry, probes, frames)
    judging = time.perf_counter() - begin
    raw = {**trained.cost, "judging_seconds": judging}
    write_results(file, figures, seeds=[SEED], settings=settings, raw=raw)
    show(figures)


def probed(probes: Probes, frames: dict[str, Frames], name: str) -> dict[str, Figure]:
    """What the probes read from held-out frames, clean and disturbed, as figures of that name."""
    figures = {}
    for ending, (_, probe, place, pictures) in MEASURED.items():
        errors = probes.errors_cm(probe, frames[pictures])[place]
        figures[f"{name}{ending}"] = median_over_episodes(errors, frames[pictures].episode)
    return figures


def show(figures: dict[str, Figure]) -> None:
    for title, figure in figures.items():
        interval = "" if figure.low is None else f"[{figure.low:.3g}, {figure.high:.3g}]"
        print(f"{title:60} {figure.value:.3g} {figure.unit} {interval}", flush=True)


def draw_distractors(experiment: Experiment, task: str) -> None:
    """Writes the sheet of what the distractors look like: held-out pictures, and they disturbed."""
    seen = seen_of(experiment, task)
    clean, disturbed = seen["clean"].images, seen["distractors"].images
    episode = seen["clean"].episode
    starts = [np.flatnonzero(episode == number)[0] for number in np.unique(episode)[:QUERIES]]
    later = np.array([[start, start + 5, start + 10] for start in starts])
    save(
        sheet(clean[starts], disturbed[later.clip(max=len(clean) - 1)]),
        f"{task}.{DISTRACTORS}",
        experiment.quick,
    )


def _settings(experiment: Experiment, task: str, entry: str) -> dict[str, Any]:
    return {
        "task": task,
        **settings_of(task, entry),
        "flops": experiment.flops,
        "episodes": experiment.episodes,
        "held_out": experiment.held_out,
        "fitted": experiment.fitted,
        "dataset": _hash(experiment, task),
    }


@cache
def _hash(experiment: Experiment, task: str) -> str:
    return experiment.dataset(task).content_hash()


def _draw(
    experiment: Experiment, task: str, entry: str, probes: Probes, frames: dict[str, Frames]
) -> None:
    """The same queries for every entry, each from another held-out episode."""
    seen = seen_of(experiment, task)
    rows = np.linspace(0, len(seen["clean"].images) - 1, QUERIES + 2).astype(int)[1:-1]
    found = nearest(
        probes.standardised(frames["fitted"].latents),
        frames["fitted"].episode,
        probes.standardised(frames["clean"].latents[rows]),
        NEIGHBOURS,
    )
    drawn = sheet(seen["clean"].images[rows], seen["fitted"].images[found])
    save(drawn, f"{task}{experiment.compute}.{entry}", experiment.quick)
