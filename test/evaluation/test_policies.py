"""Policies that act without a plan, and which checkpoint each of them needs."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from benchmarks.untrained import untrained_header
from latentplan_ros import cli
from latentplan_ros.evaluation.methods import MethodError, make_policy
from latentplan_ros.evaluation.policies import PlanningPolicy
from latentplan_ros.evaluation.search_policy import SearchPolicy
from latentplan_ros.models.checkpoint import TrainedModel, save_checkpoint
from latentplan_ros.models.latent_world_model import DistanceError
from latentplan_ros.models.vae_distance import VaeDistance

HEADS = {
    "mbold": {"kind": "q", "hidden": 16, "layers": 3, "actor_layers": 3, "discount": 0.8},
    "vae_l2": {"kind": "vae", "hidden": 16, "code": 5},
    "gcbc": {"kind": "gcbc", "hidden": 16, "layers": 3},
    "sorb": {"kind": "sorb", "hidden": 16, "layers": 3, "actor_layers": 3, "bins": 5}
    | {"limit": 4.0, "states": 7},
    "rig": {"kind": "rig", "hidden": 16, "layers": 2, "code": 3},
    "dreamer": {"kind": "dreamer", "hidden": 16, "layers": 3},
    "q_policy": {"kind": "q_policy", "hidden": 16, "layers": 3, "discount": 0.8, "candidates": 9},
}
TRAINED = {name: name for name in ("gcbc", "q_policy", "sorb", "rig", "dreamer")}
TRAINED["actor"] = "mbold"


def checkpoint(trained: str) -> TrainedModel:
    """Weights that nobody trained."""
    torch.manual_seed(0)
    header = untrained_header(
        trained,
        {"latent": 8, "channels": 4, "hidden": 16, "layers": 1, "distance": HEADS[trained]},
        "sawyer_reach",
        exploration_std=(0.6, 0.6, 0.3, 0.3),
    )
    return TrainedModel(header).eval()


def pictures(seed: int, count: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 64, 64, 3), np.uint8)


@pytest.mark.parametrize("method", TRAINED)
def test_each_episode_is_acted_in_as_if_it_were_alone(method: str) -> None:
    model = checkpoint(TRAINED[method])
    policy = make_policy(method, model)  # type: ignore[arg-type]
    policy.reset(pictures(0), [5, 6, 7])
    actions = [policy.act(pictures(1)), policy.act(pictures(2))]
    assert actions[0].shape == (3, 4)
    assert actions[0].dtype == np.float32
    assert np.abs(actions).max() <= 1.0
    assert not np.allclose(actions[0], actions[1])
    policy.reset(pictures(0)[1:2], [6])
    for step, together in enumerate(actions):
        np.testing.assert_allclose(policy.act(pictures(1 + step)[1:2]), together[1:2], atol=1e-5)
    assert policy.imagined() is None
    assert policy.plan_milliseconds() is None


@pytest.mark.parametrize("method", TRAINED)
def test_the_goal_matters(method: str) -> None:
    policy = make_policy(method, checkpoint(TRAINED[method]))  # type: ignore[arg-type]
    actions = []
    for goal in (3, 4):
        policy.reset(pictures(goal), [5, 6, 7])
        actions.append(np.concatenate([policy.act(pictures(i)) for i in range(5)]))
    assert not np.array_equal(*actions)


@pytest.mark.parametrize("method", TRAINED)
def test_a_checkpoint_of_another_method_is_refused_with_the_command_that_helps(method: str) -> None:
    other = "gcbc" if method != "gcbc" else "mbold"
    with pytest.raises(MethodError, match=f"train {TRAINED[method]}.*train {other}"):
        make_policy(method, checkpoint(other))  # type: ignore[arg-type]


@pytest.mark.parametrize("trained", ["gcbc", "q_policy"])
def test_a_policy_is_no_distance(trained: str) -> None:
    model = checkpoint(trained)
    with pytest.raises(DistanceError, match=f"--method {trained}.*train mbold"):
        make_policy("model", model)
    latent = model.encode(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))
    with pytest.raises(DistanceError):
        model.distance(latent, latent)
    assert make_policy("pixel_l2", model)


def test_the_command_tries_a_policy_and_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, path = checkpoint("gcbc"), tmp_path / "m.safetensors"
    save_checkpoint(path, model, model.header)
    command = ["evaluate", str(path), "--goals", "1", "--steps", "2", "-o", str(tmp_path / "out")]
    assert cli.main([*command, "--method", "gcbc"]) == 0
    assert "no plans" in capsys.readouterr().out
    assert cli.main([*command, "--method", "q_policy"]) == 2
    assert "latentplan train q_policy" in capsys.readouterr().err


class OneWayRoad(torch.nn.Module):
    """Latents are a place on a road, in steps; what is beyond 3 looks 3.5 away. It goes forwards
    or backwards to what it is told to go to."""

    limit = 3.0

    def __init__(self, places: list[float]) -> None:
        super().__init__()
        self.states = torch.tensor(places)[:, None]

    def forward(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        apart = (goal - state).abs()[:, 0]
        return torch.where(apart <= 3.0, apart.clamp_min(1.0), torch.full_like(apart, 3.5))

    def policy(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        return (goal - state).expand(-1, 4)


class Road:
    """Pictures whose shade is the place."""

    spec: ClassVar = {"latent": 1}

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        return images.float().mean(dim=(2, 3))[:, :1]


def shades(*places: int) -> np.ndarray:
    return np.stack([np.full((64, 64, 3), place, np.uint8) for place in places])


def test_search_goes_by_waypoints_where_the_goal_is_too_far_to_be_judged() -> None:
    head = OneWayRoad([5.0, 8.0, 11.0, 14.0, 40.0])
    policy = SearchPolicy(Road(), head)  # type: ignore[arg-type]
    policy.reset(shades(15, 6, 15, 50), [0, 1, 2, 3])
    towards = policy.act(shades(5, 5, 13, 5))[:, 0]
    # To the next place on the way; straight, being near; straight, being near; no way: straight.
    assert towards.tolist() == [3.0, 1.0, 2.0, 45.0]


def test_codes_are_compared_with_the_goal_as_the_camera_saw_it() -> None:
    model = checkpoint("vae_l2")
    policy = make_policy("model", model)
    assert isinstance(policy, PlanningPolicy)
    planned = policy.controller.model
    pair = torch.from_numpy(pictures(0, 2).transpose(0, 3, 1, 2).copy())
    with torch.inference_mode():
        assert isinstance(model.head, VaeDistance)
        latent = planned.encode(pair)
        imagined = planned.rollout(latent, torch.rand(2, 3, 4))[:, -1]
        drawn, seen = model.head.means(model.decode(imagined)), model.head.means(pair / 255.0)
        expected = (drawn - seen.flip(0)).norm(dim=1)
        torch.testing.assert_close(planned.distance(imagined, latent.flip(0)), expected)
        # Without the camera's picture of the goal, both are drawn.
        own = model.encode(pair)
        assert model.distance(own, own).abs().max() == 0.0
        assert model.distance(own, own[:1])[1] > 0.0
