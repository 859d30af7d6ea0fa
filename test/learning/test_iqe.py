import math

import numpy as np
import pytest
import torch
from corridor import EPISODES, features, model

from latentplan_ros.learning.iqe import IqeRecipe, IqeStage

HEAD = {"kind": "iqe", "hidden": 16, "layers": 2, "components": 4, "size": 3}


def make(corridor, latents, **recipe):
    return IqeStage(model(HEAD), latents, corridor, EPISODES, IqeRecipe(**recipe), 0)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_goals_are_anywhere_but_for_the_negatives(corridor, cells, share):
    numbers = torch.arange(float(corridor.num_frames))[:, None].expand(-1, 8)  # latent: the frame
    batch = make(corridor, numbers, negatives=share).sample(np.random.default_rng(0), 4000)
    state, following, goal = (batch[k][:, 0].long().numpy() for k in ("state", "next", "goal"))
    np.testing.assert_array_equal(following, state + 1)
    assert (goal < state).mean() > 0.3  # also what came before
    near = (np.abs(cells[goal] - cells[state]) <= 4).mean()  # a negative has a pose reached soon
    assert near > 0.7 if share else near < 0.6


class Ruler(torch.nn.Module):
    """One step is 3 long, and a goal 5 away."""

    def __init__(self):
        super().__init__()
        self.lengths = torch.nn.Parameter(torch.tensor([3.0, 5.0]))

    def forward(self, state, goal):
        return self.lengths[goal[:, 0].long()].expand(len(goal))


def test_the_objective_is_the_published_one(corridor, cells):
    stage = make(corridor, features(cells))
    stage.head = Ruler()
    batch = {
        "state": torch.zeros(2, 8),
        "next": torch.zeros(2, 8),
        "goal": torch.ones(2, 8),
    }
    losses = stage(batch)
    push, violation = math.log1p(math.exp(0.1 * (15 - 5))) / 0.1, (3 - 1) ** 2 - 0.25**2
    assert losses["violation"].item() == pytest.approx(violation)
    assert losses["multiplier"].item() == pytest.approx(0.01)
    assert losses["loss"].item() == pytest.approx(push, rel=1e-5)  # the constraint's terms cancel
    losses["loss"].backward()
    step, goal = stage.head.lengths.grad
    assert step.item() == pytest.approx(0.01 * 2 * (3 - 1), rel=1e-4)  # shorter
    assert goal.item() == pytest.approx(-1 / (1 + math.exp(-0.1 * (15 - 5))), rel=1e-4)  # longer
    assert stage.raw_multiplier.grad.item() < 0  # heavier while the constraint is violated
