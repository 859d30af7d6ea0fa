"""Our plan beside stable-worldmodel's: the same work, taken in turns in one process.

Theirs is the CEM solver and the LeWM predictor of the package from PyPI (``pip install
stable-worldmodel``), with as many weights as our dynamics, looking back on three frames, its
default, and on one, the fewest it takes. All encode two pictures, imagine 200 sequences of 13
actions three times, and judge them by l2 between their last latent and the goal's.
"""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import tyro
from torch import nn

from benchmarks.destination import results_file
from benchmarks.plan_speed import SEED, THREADS, in_turns, pictures
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.models.checkpoint import TrainedModel, load_checkpoint
from latentplan_ros.models.networks import Encoder
from latentplan_ros.planning import CEM, Controller
from latentplan_ros.resources import resource


class _Seen(nn.Module):
    """Our encoder as the vision transformer that LeWM asks for: one token, the picture's."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, pixels: torch.Tensor, interpolate_pos_encoding: bool) -> Any:
        return SimpleNamespace(last_hidden_state=self.encoder(pixels)[:, None])


def weights(*parts: nn.Module) -> int:
    return sum(parameter.numel() for part in parts for parameter in part.parameters())


def their_model(spec: dict[str, Any], wanted: int, frames: int) -> tuple[nn.Module, int]:
    """LeWM on latents of our size, widened until its predictor has that many weights."""
    from stable_worldmodel.wm.lewm.lewm import LeWM
    from stable_worldmodel.wm.lewm.module import Embedder, Predictor

    size, found = spec["latent"], None
    for depth in (1, 2, 3, 4):
        for width in range(8, 2049, 8):
            predictor = Predictor(
                num_frames=frames,
                depth=depth,
                heads=4,
                dim_head=16,
                mlp_dim=width,
                input_dim=size,
                hidden_dim=size,
            )
            action = Embedder(input_dim=4, smoothed_dim=4, emb_dim=size)
            count = weights(predictor, action)
            if found is None or abs(count - wanted) < abs(found[0] - wanted):
                found = count, predictor, action
            if count > wanted:
                break
    assert found is not None
    count, predictor, action = found
    encoder = _Seen(Encoder(size, spec["channels"]))
    return LeWM(encoder, predictor, action).eval(), count


def their_plan(model: nn.Module, planner: CEM, goal: np.ndarray) -> Callable[[np.ndarray], None]:
    """One plan from a picture, ``uint8 [64,64,3]``, to the goal's, as their solver makes it."""
    import gymnasium
    from stable_worldmodel.policy import PlanConfig
    from stable_worldmodel.solver import CEMSolver

    solver = CEMSolver(
        model, num_samples=planner.samples, n_steps=planner.iterations, topk=planner.elites
    )
    solver.configure(
        action_space=gymnasium.spaces.Box(-1.0, 1.0, (1, 4)),
        n_envs=1,
        config=PlanConfig(horizon=planner.horizon, receding_horizon=1),
    )

    def plan(image: np.ndarray) -> None:
        pictures = [
            torch.from_numpy(np.ascontiguousarray(p.transpose(2, 0, 1)))[None, None].float()
            for p in (image, goal)
        ]
        info = {"pixels": pictures[0], "goal": pictures[1], "action": torch.zeros(1, 1, 4)}
        with contextlib.redirect_stdout(io.StringIO()):  # it prints its own time
            solver.solve(info)

    return plan


def our_plan(model: TrainedModel, planner: CEM, goal: np.ndarray) -> Callable[[np.ndarray], None]:
    def plan(image: np.ndarray) -> None:
        controller = Controller(model, planner)
        controller.set_goal(goal)
        controller.act(image)

    return plan


def main(
    task: str = "franka_drawer",
    plans: int = 100,
    checkpoint: Path | None = None,
    quick: bool = False,
) -> None:
    """Writes plan_ratio/cpu2/stable_worldmodel[_one_frame]: their time over ours, pair by pair.

    Args:
        task: whose pictures and checkpoint to use.
        plans: of each, after some that warm up.
        checkpoint: the shipped one if left out.
        quick: 5 plans, results below runs/.
    """
    plans = 5 if quick else plans
    torch.set_num_threads(THREADS)
    model = load_checkpoint(checkpoint or resource(f"checkpoints/{task}.safetensors"))
    model.head = None  # l2 between latents
    planner = CEM(model.header.exploration_std, moments=1)
    images = pictures(task)
    size = weights(model.dynamics)
    contenders, sizes = {"ours": our_plan(model, planner, images[-1])}, {"ours": size}
    for frames in (3, 1):
        theirs, sizes[f"theirs_{frames}"] = their_model(model.spec, size, frames)
        contenders[f"theirs_{frames}"] = their_plan(theirs, planner, images[-1])
    work = {
        name: lambda i, plan=plan: plan(images[i % len(images)])
        for name, plan in contenders.items()
    }
    times = in_turns(work, plans)
    for name, taken in times.items():
        print(f"{name:8} {np.median(taken):7.1f} ms, {sizes[name]} weights")
    ratios = {
        name: (np.array(times[name]) / np.array(times["ours"])).tolist()
        for name in ("theirs_3", "theirs_1")
    }
    figures = {
        "plan_ratio/cpu2/stable_worldmodel": Figure.median(ratios["theirs_3"], "ratio"),
        "plan_ratio/cpu2/stable_worldmodel_one_frame": Figure.median(ratios["theirs_1"], "ratio"),
    }
    for name, figure in figures.items():
        print(f"{name:50} {figure.value:.2f}")
    write_results(
        results_file("plan_ratio", quick),
        figures,
        seeds=[SEED],
        settings={
            "task": task,
            "samples": planner.samples,
            "iterations": planner.iterations,
            "horizon": planner.horizon,
            "threads": THREADS,
            "weights": sizes,
        },
        raw={"milliseconds": times},
    )


if __name__ == "__main__":
    tyro.cli(main)
