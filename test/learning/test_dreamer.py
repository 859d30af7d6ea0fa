"""Dreamer towards goals: returns by hand, and an actor that goes there."""

import numpy as np
import pytest
import torch
from corridor import CELLS, EPISODES, features, learn, model

from latentplan_ros.learning.dreamer import DreamerRecipe, DreamerStage, lambda_returns

HEAD = {"kind": "dreamer", "hidden": 32, "layers": 2}


class Sliding(torch.nn.Module):
    """The corridor's own dynamics on features: a step by the sign of the first action, softened."""

    def forward(self, latent, action, last):
        cells = torch.linspace(-0.5, CELLS - 0.5, 8)
        here = (latent @ cells) / latent.sum(-1)
        return features((here + (3.0 * action[:, 0]).tanh()).clamp(0, CELLS - 1))


@pytest.fixture
def make(corridor, cells):
    def make(**recipe):
        built = model(HEAD)
        built.dynamics = Sliding()
        recipe = DreamerRecipe(**recipe)
        return DreamerStage(built, features(cells), corridor, EPISODES, recipe, 0)

    return make


def test_returns_are_a_mixture_of_every_length():
    rewards = [torch.tensor([r]) for r in (1.0, 2.0, 3.0)]
    values = [torch.tensor([v]) for v in (10.0, 20.0, 30.0)]
    last = 3.0 + 0.5 * 30.0
    middle = 2.0 + 0.5 * (0.2 * 20.0 + 0.8 * last)
    first = 1.0 + 0.5 * (0.2 * 10.0 + 0.8 * middle)
    returns = lambda_returns(rewards, values, 0.5, 0.8)
    np.testing.assert_allclose(returns[:, 0], [first, middle, last], rtol=1e-6)


def test_goals_are_of_the_same_episode_and_rewards_are_their_pictures_difference(
    make, corridor, cells
):
    batch = make().sample(np.random.default_rng(0), 500)
    frames = features(cells)
    same = (batch["state"] == batch["goal"]).all(1)
    assert (batch["reward"][same] == 0).all()
    # Two bars that do not meet: 2 x 40 pixels of three numbers.
    apart = np.square(np.array([220, 170, -10]) / 255.0).sum() * 80 / (64 * 64 * 3)
    np.testing.assert_allclose(batch["reward"][~same], -100 * apart, rtol=1e-4)
    known = {tuple(np.round(row, 4)) for row in frames.numpy()}
    assert {tuple(np.round(row, 4)) for row in batch["goal"].numpy()} <= known


def test_what_was_learned_before_stays_as_it_is(make, tmp_path):
    stage = make(batch_size=16)
    names = {name for name, _ in stage.named_parameters()}
    assert all(name.startswith(("head.", "value.", "reward.")) for name in names)
    batch = stage.sample(np.random.default_rng(0), 16)
    latents = batch["state"].requires_grad_()
    stage(batch)["loss"].backward()
    assert latents.grad is not None
    assert all(parameter.grad is not None for parameter in stage.parameters())


def test_it_goes_towards_the_goal(make, tmp_path):
    stage = make(learning_rate=3e-3, reward_rate=3e-3, batch_size=64, horizon=6)
    learn(stage, tmp_path, 250)
    grid = torch.arange(1.0, CELLS - 1)
    state, goal = torch.cartesian_prod(grid, grid).T
    # Pictures that share no pixel are all as far: the reward knows where only nearby.
    near = ((goal - state).abs() >= 1) & ((goal - state).abs() <= 4)
    with torch.no_grad():
        action = stage.head.act(features(state), features(goal))[:, 0]
    assert (torch.sign(action) == torch.sign(goal - state))[near].float().mean() > 0.9
