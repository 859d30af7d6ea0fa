"""RIG: targets by hand, and a policy that goes where the codes say."""

import numpy as np
import pytest
import torch
from corridor import CELLS, EPISODES, learn, model
from torch.distributions import Normal, TransformedDistribution
from torch.distributions.transforms import TanhTransform

from latentplan_ros.learning.rig import RigRecipe, RigStage

HEAD = {"kind": "rig", "hidden": 32, "layers": 2, "code": 1}


@pytest.fixture
def make(corridor, cells):
    def make(**recipe):
        stage = RigStage(model(HEAD), None, corridor, EPISODES, RigRecipe(**recipe), 0)
        # A code that a good autoencoder would give: where the arm is, with unit variance.
        stage._codes = code(torch.as_tensor(cells))
        return stage

    return make


def code(cells):
    return ((cells.float() - (CELLS - 1) / 2) / (CELLS / 3.5))[:, None]


def test_goals_are_imagined_or_the_end_of_the_same_episode(make, corridor):
    stage = make(imagined=0.5)
    batch = stage.sample(np.random.default_rng(0), 2000)
    ends = set(stage._codes[corridor.episode_ends - 1].flatten().tolist())
    achieved = torch.tensor([g in ends for g in batch["goal"].flatten().tolist()])
    assert achieved.float().mean() == pytest.approx(0.5, abs=0.05)
    imagined = batch["goal"][~achieved]
    assert imagined.mean().abs() < 0.15
    assert imagined.std() == pytest.approx(1.0, abs=0.1)
    apart = (batch["next"] - batch["code"]).abs()
    assert apart.max() <= 3.5 / CELLS + 1e-5, "one step"


def test_a_drawn_action_has_the_density_of_a_squashed_normal(make):
    head = make().head
    state, goal = torch.randn(50, 1), torch.randn(50, 1)
    action, density = head.sample(state, goal)
    mean, log_std = head.moments(state, goal)
    squashed = TransformedDistribution(Normal(mean, log_std.exp()), TanhTransform(cache_size=0))
    expected = squashed.log_prob(action.clamp(-0.999, 0.999)).sum(-1)
    torch.testing.assert_close(density, expected, atol=1e-2, rtol=1e-3)


def test_values_are_discounted_distances_and_entropy(make, monkeypatch):
    stage = make(discount=0.9)
    monkeypatch.setattr(
        stage.head, "sample", lambda code, goal: (torch.zeros(len(code), 4), torch.ones(len(code)))
    )
    for twin, offset in zip(stage.target.network, (3.0, 5.0), strict=True):
        for parameter in twin.parameters():
            parameter.zero_()
        twin[-1].bias.fill_(offset)
    batch = stage.sample(np.random.default_rng(0), 8)
    distance = (batch["next"] - batch["goal"]).abs().mean().item()
    # The smaller of the twins, less alpha = 1 times the logarithm of the density.
    assert stage(batch)["q"].item() == pytest.approx(-distance + 0.9 * (3.0 - 1.0), abs=1e-5)


def test_it_goes_towards_the_goal(make, tmp_path):
    stage = make(learning_rate=2e-3, batch_size=128)
    learn(stage, tmp_path, 600)
    cells = torch.arange(1.0, CELLS - 1)
    state, goal = torch.cartesian_prod(cells, cells).T
    far = (goal - state).abs() >= 2
    with torch.no_grad():
        action = stage.head.moments(code(state), code(goal))[0][:, 0]
    assert (torch.sign(action) == torch.sign(goal - state))[far].float().mean() > 0.9
