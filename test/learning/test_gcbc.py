import numpy as np
import pytest
import torch
from corridor import CELLS, EPISODES, features, learn, model, positions

from latentplan_ros.learning.gcbc import GcbcRecipe, GcbcStage

HEAD = {"kind": "gcbc", "hidden": 64, "layers": 3}


@pytest.fixture
def stage(corridor, cells):
    recipe = GcbcRecipe(batch_size=64, learning_rate=2e-3)
    return GcbcStage(model(HEAD), features(cells), corridor, EPISODES, recipe, 0)


def test_the_action_is_the_one_that_was_taken_there(stage, corridor):
    batch = stage.sample(np.random.default_rng(0), 500)
    taken = {tuple(action) for action in corridor.action.tolist()}
    assert all(tuple(action) in taken for action in batch["action"].tolist())
    away = positions(batch["goal"]) - positions(batch["state"])
    near = (away.abs() > 0) & (away.abs() < 1.5)  # often reached by the very next action
    towards = torch.sign(away) == torch.sign(batch["action"][:, 0])
    assert towards[near].float().mean() > 0.6


def test_the_loss_is_the_mean_squared_error_of_the_action(stage):
    with torch.no_grad():
        for parameter in stage.head.parameters():
            parameter.zero_()  # tanh(0) = 0
    batch = {"state": torch.randn(2, 8), "goal": torch.randn(2, 8)}
    batch["action"] = torch.tensor([[1.0, 0, 0, 0], [0, 0.5, 0.5, 0]])
    assert stage(batch)["loss"].item() == pytest.approx(1.5 / 8)


def test_it_goes_towards_the_goal(stage, tmp_path):
    learn(stage, tmp_path, 300)
    cells = torch.arange(1.0, CELLS - 1)
    state, goal = torch.cartesian_prod(cells, cells).T
    apart = (goal - state).abs() > 2
    with torch.no_grad():
        action = stage.head.act(features(state), features(goal))[:, 0]
    right = torch.sign(action) == torch.sign(goal - state)
    assert right[apart].float().mean() > 0.95
