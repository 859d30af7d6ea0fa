"""Milliseconds from a picture to an action on a GPU, at the paper's planner settings."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import tyro
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.destination import results_file
from benchmarks.plan_speed import acting, in_turns, pictures
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.learning.video import VideoRecipe
from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.models.graphed_model import GraphedModel
from latentplan_ros.models.video_world_model import VideoWorldModel
from latentplan_ros.models.world_model import WorldModel
from latentplan_ros.planning import CEM, Controller
from latentplan_ros.resources import resource

SEED = 0
PAPER = VideoRecipe(filters=32, kernel_size=5)  # kernels as SAVP has them


def video_model(spec: dict[str, Any], recipe: VideoRecipe) -> VideoWorldModel:
    """With weights as they begin, which take as long as trained ones."""
    torch.manual_seed(SEED)
    sizes = recipe.sizes()
    return VideoWorldModel({**spec, "kind": "video", "video": sizes}).to("cuda").eval()


def main(task: str = "franka_drawer", plans: int = 100, quick: bool = False) -> None:
    """Writes plan_ms/gpu/latent and its 99th percentile, of the shipped checkpoint, and once more
    without recorded graphs, .../latent_eager; plan_ms/gpu/video, of video prediction with the
    paper's sizes, and .../video_small with our recipe's.

    200 samples, 3 iterations, 13 steps; from a picture in main memory to an action there.

    Args:
        task: whose pictures and checkpoint to use.
        plans: plans timed of each, after some that warm up.
        quick: 20 plans, results below runs/.
    """
    if not torch.cuda.is_available():
        raise SystemExit("no GPU that torch can use: benchmarks.plan_speed times plans on a CPU")
    plans = 20 if quick else plans
    latent = load_checkpoint(resource(f"checkpoints/{task}.safetensors"), "cuda")
    models: dict[str, WorldModel] = {
        "latent": latent,
        "video": video_model(latent.spec, PAPER),
        "video_small": video_model(latent.spec, VideoRecipe()),
    }
    planner, images = CEM(latent.header.exploration_std), pictures(task)

    def planning(model: WorldModel) -> Callable[[int], object]:
        return acting(Controller(model, planner, device="cuda"), images)

    work = {name: planning(GraphedModel(model)) for name, model in models.items()}
    taken = in_turns({"latent": work.pop("latent"), "latent_eager": planning(latent)}, plans)
    taken |= in_turns(work, plans)
    figures = {f"plan_ms/gpu/{name}": Figure.median(times, "ms") for name, times in taken.items()}
    figures["plan_ms/gpu/latent_p99"] = Figure.percentile(taken["latent"], 99, "ms")
    operations = {}
    for name, model in models.items():
        with FlopCounterMode(display=False) as counter:
            planning(model)(0)
        operations[name] = counter.get_total_flops()
    for name, times in taken.items():
        print(
            f"{name:18} {np.median(times):7.2f} ms median, {np.percentile(times, 99):7.2f} ms p99"
        )
    for name, count in operations.items():
        print(f"{name:18} {count / 1e9:8.1f} GFLOP a plan")
    write_results(
        results_file("plan_gpu", quick),
        figures,
        seeds=[SEED],
        settings={
            "task": task,
            "samples": planner.samples,
            "iterations": planner.iterations,
            "horizon": planner.horizon,
            "video": PAPER.sizes(),
            "video_small": VideoRecipe().sizes(),
            "replan_every": 1,
        },
        raw={"milliseconds": taken, "flop": operations},
    )


if __name__ == "__main__":
    tyro.cli(main)
