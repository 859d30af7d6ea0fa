"""The one training loop, on Lightning Fabric: any device and number of processes, resumable."""

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.utils.tensorboard import SummaryWriter

from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.learning.update import RecordedUpdate, Update


class TrainingError(RuntimeError):
    """Training cannot go on; the message says at which update and where the batch was saved."""


def run_stage(
    fabric: Fabric,
    stage: Stage,
    folder: Path,
    seed: int,
    save_every: int = 2000,
    log_every: int = 50,
) -> None:
    """Trains ``stage`` for its updates; what is already done in ``folder`` is not done again.

    A resumed run ends bit for bit as an uninterrupted one. Raises TrainingError when a loss is not
    finite, with the batch saved beside the logs, and when ``folder`` holds another run's state.
    """
    with _without_denormals():
        _run(fabric, stage, folder, seed, save_every, log_every)


def _run(
    fabric: Fabric, stage: Stage, folder: Path, seed: int, save_every: int, log_every: int
) -> None:
    rng = np.random.default_rng([seed, fabric.global_rank])
    torch.manual_seed(seed + fabric.global_rank)
    # fused: one kernel instead of six a parameter, which is a tenth of an update of small networks.
    optimizer = torch.optim.Adam(stage.parameter_groups(), fused=True)
    rates = [group["lr"] for group in optimizer.param_groups]
    module, optimizer = fabric.setup(stage, optimizer)
    state_file = folder / f"{stage.name}.{fabric.global_rank}.state"
    done = _restore(state_file, stage, optimizer, rng, fabric) if state_file.exists() else 0
    recorded = stage.recordable and fabric.device.type == "cuda" and fabric.world_size == 1
    update = (RecordedUpdate if recorded else Update)(fabric, module, optimizer)
    share = math.ceil(stage.batch_size / fabric.world_size)
    with (
        SummaryWriter(str(folder / "tensorboard" / stage.name), purge_step=done) as writer,
        Progress(
            *Progress.get_default_columns()[:-1],
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("loss {task.fields[loss]:.4f}"),
            disable=fabric.global_rank != 0,
        ) as progress,
    ):
        task = progress.add_task(stage.name, total=stage.updates, completed=done, loss=math.nan)
        for step in range(done, stage.updates):
            batch = {
                name: tensor.to(fabric.device) for name, tensor in stage.sample(rng, share).items()
            }
            factor = stage.rate(step / stage.updates)
            update.set_rates([factor * rate for rate in rates])
            losses = update.losses(batch)
            _require_finite(losses["loss"], stage, step, batch, folder)
            update.step(losses)
            stage.after_update(batch, losses)
            progress.update(task, advance=1)
            if (step + 1) % log_every == 0 or step + 1 == stage.updates:
                _log(fabric, writer, progress, task, losses, step + 1)
            if (step + 1) % save_every == 0 or step + 1 == stage.updates:
                _save(state_file, stage, optimizer, rng, step + 1, fabric)


@contextmanager
def _without_denormals() -> Iterator[None]:
    """Gradients of a saturated tanh are denormal numbers; a CPU takes ten times as long for them.

    Only for the time of training: other code of this process may count on them.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _log(
    fabric: Fabric, writer: SummaryWriter, progress: Progress, task: Any, losses: Batch, step: int
) -> None:
    scalars = {name: value.detach().float() for name, value in losses.items() if value.ndim == 0}
    means: Any = fabric.all_reduce(scalars, reduce_op="mean") if fabric.world_size > 1 else scalars
    if fabric.global_rank != 0:
        return
    for name, value in means.items():
        writer.add_scalar(name, value.item(), step)
    progress.update(task, loss=means["loss"].item())
    with (Path(writer.log_dir) / "losses.jsonl").open("a") as file:
        file.write(json.dumps({"update": step, **{k: v.item() for k, v in means.items()}}) + "\n")


def _require_finite(
    loss: torch.Tensor, stage: Stage, step: int, batch: Batch, folder: Path
) -> None:
    if torch.isfinite(loss):
        return
    file = folder / f"{stage.name}.not_finite.pt"
    torch.save(batch, file)
    raise TrainingError(
        f"{stage.name}: the loss is {loss.item()} at update {step + 1}; its batch is in {file}. "
        "Lower the learning rate, or look for broken data with `latentplan dataset check`; the "
        "last saved state is kept."
    )


def _save(
    file: Path, stage: Stage, optimizer: Any, rng: np.random.Generator, done: int, fabric: Fabric
) -> None:
    state = {
        "done": done,
        "world_size": fabric.world_size,
        "recipe": asdict(stage.recipe),
        "module": stage.state_dict(),
        "optimizer": optimizer.state_dict(),
        "extra": stage.extra_state(),
        "numpy": json.dumps(rng.bit_generator.state),
        "torch": torch.get_rng_state(),
    }
    if fabric.device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(fabric.device)
    partial = file.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, file)


def _restore(
    file: Path, stage: Stage, optimizer: Any, rng: np.random.Generator, fabric: Fabric
) -> int:
    state = torch.load(file, map_location=fabric.device, weights_only=True)
    if state["world_size"] != fabric.world_size:
        raise TrainingError(
            f"{file} was saved by {state['world_size']} processes, this is a run of "
            f"{fabric.world_size}; continue with as many, or start in another folder"
        )
    settings = asdict(stage.recipe)
    changed = [
        f"{name} {before!r}, now {settings.get(name)!r}"
        for name, before in state["recipe"].items()
        if before != settings.get(name)
    ]
    if changed:
        raise TrainingError(
            f"{file} was trained with {'; '.join(changed)}: put the settings back, or start in "
            "another folder"
        )
    try:
        stage.load_state_dict(state["module"])
    except RuntimeError as error:
        raise TrainingError(f"{file} belongs to another recipe: {error}") from None
    optimizer.load_state_dict(state["optimizer"])
    stage.load_extra_state(state["extra"])
    rng.bit_generator.state = json.loads(state["numpy"])
    torch.set_rng_state(state["torch"].cpu())
    if fabric.device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"].cpu(), fabric.device)
    return int(state["done"])
