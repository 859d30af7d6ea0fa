import numpy as np
import pytest
import torch
from corridor import EPISODES, features, model

from latentplan_ros.learning.temporal import TemporalRecipe, TemporalStage

HEAD = {"kind": "temporal", "hidden": 16, "layers": 2}


def test_goals_lie_ahead_in_the_same_episode_as_often_at_its_end_as_anywhere(corridor):
    numbers = torch.arange(float(corridor.num_frames))[:, None].expand(-1, 8)  # latent: the frame
    stage = TemporalStage(model(HEAD), numbers, corridor, EPISODES, TemporalRecipe(), 0)
    batch = stage.sample(np.random.default_rng(0), 20_000)
    state, goal = (batch[name][:, 0].long().numpy() for name in ("state", "goal"))
    np.testing.assert_array_equal(goal - state, batch["steps"])
    assert (goal > state).all()
    assert (goal // 25 == state // 25).all()
    assert set(state % 25) == set(range(24))
    from_first = batch["steps"][state % 25 == 0].numpy()
    counts = np.bincount(from_first.astype(int), minlength=25)[1:]
    assert counts.min() > 0.6 * counts.mean()
    assert counts.max() < 1.4 * counts.mean()


def test_more_than_ten_steps_count_as_ten(corridor, cells):
    stage = TemporalStage(model(HEAD), features(cells), corridor, EPISODES, TemporalRecipe(), 0)
    stage.head.network = torch.nn.Sequential(torch.nn.Linear(16, 1))
    torch.nn.init.zeros_(stage.head.network[0].weight)
    torch.nn.init.constant_(stage.head.network[0].bias, 4.0)
    batch = {
        "state": torch.randn(3, 8),
        "goal": torch.randn(3, 8),
        "steps": torch.tensor([1.0, 10.0, 24.0]),
    }
    assert stage(batch)["loss"].item() == pytest.approx((9 + 36 + 36) / 3)
