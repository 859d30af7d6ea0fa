import pytest
import torch
from corridor import CELLS, EPISODES, features, learn, model

from latentplan_ros.learning.mbold import QLearningRecipe
from latentplan_ros.learning.q_policy import QPolicyStage

HEAD = {"kind": "q_policy", "hidden": 32, "layers": 3, "discount": 0.8, "candidates": 20}


@pytest.fixture
def make(corridor, cells):
    def make(**recipe):
        recipe = QLearningRecipe(**recipe)
        return QPolicyStage(model(HEAD), features(cells), corridor, EPISODES, recipe, 0)

    return make


class FirstNumber(torch.nn.Module):
    """A Q that is an action's first number, times a factor, plus an offset."""

    def __init__(self, factor, offset):
        super().__init__()
        self.factor, self.offset = factor, torch.nn.Parameter(torch.tensor(float(offset)))

    def forward(self, state, action, goal):
        return self.factor * action[..., 0] + self.offset


def test_targets_take_the_best_of_random_actions_by_the_smaller_q(make):
    stage = make()
    stage.target.network.candidates = stage.head.candidates = 5000
    # The smaller of x + 6 and 7 - x is largest at x = .5, where it is 6.5.
    stage.target.network.q = torch.nn.ModuleList([FirstNumber(1.0, 6.0), FirstNumber(-1.0, 7.0)])
    batch = {"done": torch.tensor([1.0, 0.0, 0.0])}
    batch |= {name: torch.zeros(3, 8) for name in ("state", "next", "goal")}
    wanted = stage.wanted(batch)
    torch.testing.assert_close(wanted, torch.tensor([10.0, 6.2, 6.2]), atol=5e-3, rtol=0)


def test_it_acts_by_the_best_candidate(make):
    head = make().head
    head.q = torch.nn.ModuleList([FirstNumber(1.0, 0.0), FirstNumber(1.0, 0.5)])
    actions = torch.rand(4, 7, 4) * 2 - 1
    chosen = head.act(torch.zeros(4, 8), torch.zeros(4, 8), actions)
    best = actions[..., 0].argmax(1)
    assert torch.equal(chosen, actions[torch.arange(4), best])


def test_it_goes_towards_the_goal(make, tmp_path):
    stage = make(negatives=0.0, p=0.2, learning_rate=2e-3)
    learn(stage, tmp_path, 300)
    cells = torch.arange(1.0, CELLS - 1)
    state, goal = torch.cartesian_prod(cells, cells).T
    near = ((goal - state).abs() >= 1) & ((goal - state).abs() <= 3)
    torch.manual_seed(0)
    actions = torch.rand(len(state), 20, 4) * 2 - 1
    with torch.no_grad():
        action = stage.head.act(features(state), features(goal), actions)[:, 0]
    right = torch.sign(action) == torch.sign(goal - state)
    assert right[near].float().mean() > 0.9
