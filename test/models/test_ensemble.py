"""An ensemble of dynamics: their mean is the future, how far they come apart is held against it."""

import numpy as np
import pytest
import torch

from benchmarks.untrained import untrained_header
from latentplan_ros.models.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.planning import CEM, Controller

SPEC = {
    "latent": 8,
    "channels": 2,
    "hidden": 16,
    "layers": 2,
    "distance": None,
    "members": 3,
    "pessimism": 0.0,
}


def ensemble(**changes):
    torch.manual_seed(0)
    model = LatentWorldModel(SPEC | changes).eval().requires_grad_(False)
    for member in model.members:
        torch.nn.init.normal_(member.change[-1].weight)  # as if trained: something moves
    return model


def test_the_future_is_the_mean_of_futures_that_members_imagine_alone():
    model = ensemble()
    pictures = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    latent, actions = model.encode(pictures), torch.rand(5, 6, 4) * 2 - 1
    alone = []
    for member in model.members:
        one = ensemble(members=1)
        one.dynamics.load_state_dict(member.state_dict())
        alone.append(one.rollout(latent[:, :12], actions)[..., :8])
    together = model.rollout(latent, actions)
    assert together.shape == (5, 6, 13)
    torch.testing.assert_close(together[..., :8], torch.stack(alone).mean(0))
    apart = torch.stack(alone).std(0, correction=0).square().mean(-1).sqrt()
    torch.testing.assert_close(together[..., 12], apart)
    assert latent[0, 12] == 0
    assert (apart > 0).all()


def test_a_rollout_that_goes_on_keeps_the_doubt_there_was():
    model = ensemble()
    latent, actions = torch.randn(2, 13).abs(), torch.rand(2, 4, 4)
    without = torch.cat([latent[:, :12], torch.zeros(2, 1)], dim=1)
    difference = model.rollout(latent, actions) - model.rollout(without, actions)
    torch.testing.assert_close(difference[..., 12], latent[:, None, 12].expand(2, 4))
    assert not difference[..., :12].any()


def test_doubt_counts_in_time_steps_by_pessimism():
    latents, goal = torch.randn(4, 13).abs(), torch.randn(1, 13)
    plain = ensemble().distance(latents, goal)
    doubtful = ensemble(pessimism=7.0).distance(latents, goal)
    torch.testing.assert_close(doubtful - plain, 7.0 * latents[:, 12])


def test_a_checkpoint_keeps_it_and_a_controller_plans_with_it(tmp_path):
    model, path = ensemble(pessimism=1.0), tmp_path / "m.safetensors"
    save_checkpoint(path, model, untrained_header("latent_l2", SPEC | {"pessimism": 1.0}))
    loaded = load_checkpoint(path)
    latent, actions = torch.randn(1, 13), torch.rand(3, 4, 4)
    assert torch.equal(loaded.rollout(latent, actions), model.rollout(latent, actions))
    controller = Controller(loaded, CEM((0.3,) * 4, samples=16, iterations=2, elites=4, horizon=5))
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    controller.set_goal(picture)
    action, _ = controller.act(picture)
    assert np.isfinite(action).all()


@pytest.mark.parametrize("members", [0, -1, 2.5, True, "3", 10**9])
def test_sizes_that_are_none_are_refused(tmp_path, members):
    path = tmp_path / "m.safetensors"
    save_checkpoint(path, ensemble(), untrained_header("latent_l2", SPEC | {"members": members}))
    with pytest.raises(CheckpointError, match="members"):
        load_checkpoint(path)
