"""Updates a second of each training stage on two cores or a GPU, and how long a recipe takes.

That is reckoned, not run: collection at the rate met here (start-up included), and each
stage's updates at the rate met here. It leaves out saving and encoding the dataset once.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Literal

import torch
import tyro
from lightning_fabric import Fabric

from benchmarks.destination import results_file
from benchmarks.per_image import PerImageStage
from latentplan_ros.data.dataset import Dataset
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.learning.dynamics import CalibrationStage, DynamicsStage
from latentplan_ros.learning.every_frame import every_frame
from latentplan_ros.learning.mbold import MboldRecipe, MboldStage
from latentplan_ros.learning.stage import Stage
from latentplan_ros.learning.train import load_recipe
from latentplan_ros.learning.trainer import run_stage
from latentplan_ros.learning.world_model import WorldModelStage
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.sim.collect import collect

THREADS = 2
SEED = 0
DATASET_EPISODES = 10_000  # MBOLD Table 2
HEAD_SIZES = {"hidden": 128, "layers": 6, "actor_layers": 10, "discount": 0.8}
HEAD = {"kind": "q", **HEAD_SIZES}


def rate(stage: Stage, folder: Path, warm_up: int, updates: int, device: str) -> float:
    """Updates a second, over ``updates`` after some that warm up."""
    fabric = Fabric(accelerator=device, devices=1)
    stage.updates = warm_up
    run_stage(fabric, stage, folder, SEED)
    stage.updates = warm_up + updates
    begin = time.perf_counter()
    run_stage(fabric, stage, folder, SEED)  # goes on where it stopped
    return updates / (time.perf_counter() - begin)


def main(
    task: str = "franka_drawer",
    episodes: int = 400,
    device: Literal["cpu", "cuda"] = "cpu",
    quick: bool = False,
) -> None:
    """Writes train_updates_per_s/cpu2/<task>/<stage>, train_hours/cpu2/<task>, and how many of our
    distance's updates fit in one of the paper's, train_ratio/distance_updates. On a GPU:
    train_updates_per_s/gpu/<task>/<stage> and train_minutes/gpu/<task>.

    Args:
        task: task, and recipe of the same name.
        episodes: size of the dataset that is trained on here.
        device: cpu: two threads; cuda: the GPU, and all cores to collect.
        quick: 16 episodes and few updates, results below runs/.
    """
    episodes, warm_up, updates = (16, 2, 5) if quick else (episodes, 20, 200)
    place, workers = ("gpu", os.cpu_count() or 1) if device == "cuda" else ("cpu2", THREADS)
    torch.set_num_threads(THREADS)
    recipe = load_recipe(task)
    figures, seconds, raw = {}, {}, {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        begin = time.perf_counter()
        collect(task, episodes, folder / "data.zarr", workers, SEED)
        spent = time.perf_counter() - begin
        seconds["collect"] = spent * DATASET_EPISODES / episodes
        dataset = Dataset.open(folder / "data.zarr")
        training, _ = dataset.split(recipe.held_out, SEED)
        model = LatentWorldModel({**recipe.model, "distance": {**HEAD, **recipe.head}})
        distance = MboldRecipe(**recipe.distance)
        latents = every_frame(dataset, model.encoder, torch.device("cpu"))
        planned = {
            "world_model": recipe.world_model.updates,
            "dynamics": recipe.dynamics.updates,
            "calibration": recipe.calibration.updates,
            "distance": distance.updates,
        }
        stages = {
            "world_model": WorldModelStage(model, dataset, training, recipe.world_model),
            "dynamics": DynamicsStage(model, latents, dataset, training, recipe.dynamics),
            "calibration": CalibrationStage(model, latents, dataset, training, recipe.calibration),
            "distance": MboldStage(model, latents, dataset, training, distance, SEED),
        }
        for name, stage in stages.items():
            if not planned[name]:
                continue
            speed = rate(stage, folder, warm_up, updates, device)
            figures[f"train_updates_per_s/{place}/{task}/{name}"] = Figure(
                speed, "updates/s", updates
            )
            seconds[name] = planned[name] / speed
            print(f"{name:12} {speed:7.1f} updates/s, {seconds[name] / 60:.0f} minutes")
        if device == "cpu":
            per_image = PerImageStage(HEAD_SIZES, dataset, training, distance, SEED)
            slow = rate(per_image, folder, warm_up, updates, device)
            ratio = speed / slow
            figures["train_ratio/distance_updates"] = Figure(ratio, "times", updates)
            raw["per_image_updates_per_s"] = slow
            print(f"per image    {slow:7.1f} updates/s: ours are {ratio:.1f} times as fast")
    minutes = sum(seconds.values()) / 60
    if device == "cpu":
        figures[f"train_hours/cpu2/{task}"] = Figure(minutes / 60, "hours", 1)
    else:
        figures[f"train_minutes/gpu/{task}"] = Figure(minutes, "minutes", 1)
    print(f"{minutes:.1f} minutes with {DATASET_EPISODES} episodes of collection")
    write_results(
        results_file("train_speed" if device == "cpu" else f"train_gpu.{task}", quick),
        figures,
        seeds=[SEED],
        settings={"task": task, "episodes_here": episodes, "updates": planned, "reckoned": True},
        raw={"seconds": seconds, **raw},
    )


if __name__ == "__main__":
    tyro.cli(main)
