import numpy as np
import pytest
import torch
from corridor import CELLS, EPISODES, distances, every_pair, features, learn, model, positions
from scipy.stats import spearmanr

from latentplan_ros.graph import ImageGraph
from latentplan_ros.learning.mbold import MboldRecipe
from latentplan_ros.learning.sorb import SorbStage

HEAD = {"kind": "sorb", "hidden": 64, "layers": 3, "actor_layers": 3, "bins": 4, "limit": 2.5}


def make(corridor, cells, states=60, bins=4, **recipe):
    head = model({**HEAD, "states": states, "bins": bins})
    return SorbStage(head, features(cells), corridor, EPISODES, MboldRecipe(**recipe), 0)


class Fixed(torch.nn.Module):
    """A Q that says the same everywhere."""

    def __init__(self, *probabilities):
        super().__init__()
        self.logits = torch.nn.Parameter(torch.tensor(probabilities).log())

    def forward(self, state, action, goal):
        return self.logits.expand(*action.shape[:-1], -1)


def test_a_step_more_is_a_bin_further_by_the_longer_of_the_two(corridor, cells):
    stage = make(corridor, cells, noise=0.0, cql_slack=0.0)
    near, far = (0.7, 0.1, 0.1, 0.1), (0.1, 0.2, 0.3, 0.4)
    stage.target.network.q = torch.nn.ModuleList([Fixed(*near), Fixed(*far)])
    stage.head.q = torch.nn.ModuleList([Fixed(0.25, 0.25, 0.25, 0.25)] * 2)
    batch = {name: torch.zeros(2, 8) for name in ("state", "next", "goal")}
    batch |= {"done": torch.tensor([1.0, 0.0]), "reached": torch.tensor([True, False])}
    wanted = stage.wanted(batch).exp()
    expected = torch.tensor([[1.0, 0, 0, 0], [0.0, 0.1, 0.2, 0.7]])
    torch.testing.assert_close(wanted, expected)
    batch |= {"action": torch.zeros(2, 4), "cloned_state": torch.zeros(2, 8)}
    batch |= {"cloned_goal": torch.zeros(2, 8), "cloned_action": torch.zeros(2, 4)}
    losses = stage(batch)
    # KL(wanted | uniform) = ln 4 - entropy, for each of the two.
    entropy = -(0.1 * np.log(0.1) + 0.2 * np.log(0.2) + 0.7 * np.log(0.7))
    divergence = (2 * np.log(4) - entropy) / 2
    assert losses["bellman"].item() == pytest.approx(2 * divergence, rel=1e-4)
    assert losses["q_reached"].item() == pytest.approx(-1.0)
    assert losses["q_negative"].item() == pytest.approx(-(2 * 0.1 + 3 * 0.2 + 4 * 0.7), rel=1e-5)


def test_nodes_are_recorded_states_each_at_most_once(corridor):
    numbers = torch.arange(float(corridor.num_frames))[:, None].expand(-1, 8)
    few = model({**HEAD, "states": 300})
    stage = SorbStage(few, numbers, corridor, np.arange(20), MboldRecipe(), 0)
    frames = stage.head.states[:, 0].long()
    assert len(set(frames.tolist())) == 300
    assert frames.max() < corridor.episode_ends[19]


def test_steps_are_counted_up_to_the_last_bin_and_the_graph_counts_on(corridor, cells, tmp_path):
    stage = make(corridor, cells, negatives=0.0, p=0.2, learning_rate=3e-3, polyak=0.97)
    learn(stage, tmp_path, 250)
    found, (state, goal) = distances(stage.head).numpy(), every_pair()
    true = np.abs(state - goal).reshape(CELLS, CELLS)
    inner = np.s_[1:-1, 1:-1]  # standing still is possible at the walls only
    assert np.abs(found - true.clip(1, 4))[inner][true[inner] > 0].mean() < 0.5
    graph = ImageGraph(stage.head, stage.head.states, stage.head.limit)
    remaining = graph.remaining(features([CELLS - 2]))[:, 0]
    place = positions(stage.head.states)
    assert np.isfinite(remaining).all()
    # Positions are an increasing map of cells: what lies further left is further to go.
    assert spearmanr(place.numpy(), remaining).statistic < -0.9
