"""Pixel SAC, CURL and PSRL on tasks of the DeepMind Control Suite; resumable."""

from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro

from benchmarks.destination import ROOT
from benchmarks.dmc.curves import draw
from benchmarks.dmc.methods import METHODS
from benchmarks.dmc.plan import DmcError, Plan, SacSettings
from benchmarks.dmc.results import PAPERS_STEPS, Curves
from benchmarks.dmc.tasks import TASKS
from benchmarks.dmc.training import Training
from benchmarks.names import require_known

# Few and small: that everything runs.
_QUICK = Plan(SacSettings(batch_size=8, initial_steps=110), steps=1000, episodes=1)


def main(
    tasks: Annotated[tuple[str, ...], tyro.conf.arg(help=f"of {', '.join(TASKS)}")] = tuple(TASKS),
    methods: Annotated[tuple[str, ...], tyro.conf.arg(help=f"of {', '.join(METHODS)}")] = tuple(
        METHODS
    ),
    seeds: tuple[int, ...] = (0, 1, 2),
    steps: int = PAPERS_STEPS,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    folder: Path = ROOT / "runs" / "dmc",
    quick: bool = False,
) -> None:
    """Trains what has no curve yet below benchmarks/results/dmc; draws all curves to docs/dmc.

    Args:
        tasks: which tasks.
        methods: which methods; sac sees no augmentation and has no loss but its own.
        seeds: of weights, exploration, batches and episodes.
        steps: of the environment, 1000 an episode.
        device: auto is a GPU where there is one.
        folder: training state; a stopped run continues.
        quick: a little of everything, all of it below runs/: that it runs, no measurement.
    """
    require_known(tasks, TASKS)
    require_known(methods, METHODS)
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    # Weights of a policy that saturates have denormal gradients, which a CPU takes long for.
    torch.set_flush_denormal(True)
    try:
        plan = _QUICK if quick else Plan(steps=steps)
        # Seeds outermost: there is something to compare early.
        for seed in seeds[:1] if quick else seeds:
            for task in tasks:
                for method in methods:
                    _train(task, method, seed, plan, chosen, folder, quick)
    except DmcError as error:
        raise SystemExit(str(error)) from None


def _train(
    task: str, method: str, seed: int, plan: Plan, device: str, folder: Path, quick: bool
) -> None:
    curves = Curves(TASKS[task], method, plan, quick)
    if str(seed) in curves.by_seed:
        return
    state = folder / f"{curves.title}.{method}.{seed}.state"
    if quick:
        state = state.with_suffix(".quick")
        state.unlink(missing_ok=True)
    learned = Training(TASKS[task], method, seed, plan, state, torch.device(device)).run()
    curves.add(seed, learned, device)
    state.unlink(missing_ok=True)
    draw(curves.file.parent, curves.file.parent if quick else ROOT / "docs" / "dmc")


if __name__ == "__main__":
    tyro.cli(main)
