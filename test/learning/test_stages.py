"""The methods: targets checked by hand, falling losses, distances that are right on a chain."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from corridor import EPISODES, distances, every_pair, features, learn, model, positions
from scipy.stats import spearmanr

from latentplan_ros.learning.dynamics import DynamicsRecipe, DynamicsStage
from latentplan_ros.learning.gcivl import GcivlRecipe, GcivlStage
from latentplan_ros.learning.iqe import IqeRecipe, IqeStage
from latentplan_ros.learning.mbold import MboldRecipe, MboldStage
from latentplan_ros.learning.temporal import TemporalRecipe, TemporalStage
from latentplan_ros.learning.world_model import WorldModelRecipe, WorldModelStage
from latentplan_ros.models.networks import imagine


def q_head(hidden=16, layers=3):
    return {"kind": "q", "hidden": hidden, "layers": layers, "actor_layers": 3, "discount": 0.8}


def mbold(corridor, cells, head, **recipe):
    latents = features(cells)
    return MboldStage(model(head), latents, corridor, EPISODES, MboldRecipe(**recipe), 0)


def test_mbold_batches_are_half_reached_goals_and_end_at_the_goal(corridor, cells):
    stage = mbold(corridor, cells, q_head())
    batch = stage.sample(np.random.default_rng(0), 4000)
    reached, done = batch["reached"], batch["done"] > 0
    assert reached.sum() == 2000
    assert not done[~reached].any()
    assert torch.equal(batch["next"][done], batch["goal"][done])
    assert done[reached].float().mean().item() > 0.25  # p = .3, and the ends of episodes
    moved = (batch["next"] - batch["state"]).abs().sum(1) > 0
    towards = batch["action"][:, 0] > 0
    right = positions(batch["next"]) > positions(batch["state"])
    assert torch.equal(right[moved], towards[moved])  # its own action


@pytest.mark.parametrize("method", ["mbold", "gcivl", "iqe"])
def test_without_negatives_every_goal_is_one_that_was_reached(corridor, cells, method):
    stage, _ = a_distance(method, corridor, cells)
    batch = stage.sample(np.random.default_rng(0), 500)
    assert batch.get("reached", torch.ones(1)).all()
    assert all(value.isfinite().all() for value in stage(batch).values())


class Fixed(torch.nn.Module):
    """A Q that is one number everywhere, a parameter so that there is something to train."""

    def __init__(self, value):
        super().__init__()
        self.value = torch.nn.Parameter(torch.tensor(float(value)))

    def forward(self, state, action, goal):
        return self.value.expand(action.shape[:-1])


@pytest.fixture
def by_hand(corridor, cells):
    """A reached goal one step away, one further, and a negative one."""
    stage = mbold(corridor, cells, q_head(), noise=0.0)
    stage.head.q = torch.nn.ModuleList([Fixed(2.0), Fixed(3.0)])
    stage.target.network.q = torch.nn.ModuleList([Fixed(7.0), Fixed(6.0)])
    batch = {
        "state": torch.zeros(3, 8),
        "next": torch.zeros(3, 8),
        "goal": torch.zeros(3, 8),
        "action": torch.zeros(3, 4),
        "done": torch.tensor([1.0, 0.0, 0.0]),
        "reached": torch.tensor([True, True, False]),
    }
    return stage, batch


def test_mbold_targets_are_those_of_the_paper(by_hand):
    stage, batch = by_hand
    losses = stage(batch)
    # 10 at the goal and nothing after it; else 1 + .8 of the smaller target Q, 6.
    wanted = torch.tensor([10.0, 5.8, 5.8])
    assert losses["q_reached"].item() == pytest.approx(7.9)
    assert losses["q_negative"].item() == pytest.approx(5.8)
    bellman = sum((value - wanted).square().mean() for value in (2.0, 3.0))
    assert losses["bellman"].item() == pytest.approx(bellman.item(), rel=1e-5)
    # Ten random actions of the same value: their log-sum-exp is ln 10 above the data's.
    assert losses["gap"].item() == pytest.approx(np.log(10.0), rel=1e-5)


@pytest.mark.parametrize(("slack", "sign"), [(0.5, 1), (10.0, -1)])
def test_the_weight_of_cql_rises_while_the_gap_is_over_its_slack(by_hand, slack, sign):
    stage, batch = by_hand
    stage.recipe = SimpleNamespace(**{**vars(stage.recipe), "cql_slack": slack})
    optimizer = torch.optim.SGD([stage.log_alpha], lr=0.1)
    stage(batch)["loss"].backward()
    optimizer.step()
    assert sign * stage.log_alpha.item() > 0


def test_the_actor_climbs_q_and_leaves_q_alone(corridor, cells):
    stage = mbold(corridor, cells, q_head())
    batch = stage.sample(np.random.default_rng(0), 64)

    def value():
        action = stage.head.actor(batch["state"], batch["goal"])
        return stage.head.q[0](batch["state"], action, batch["goal"]).mean().item()

    before = value()
    optimizer = torch.optim.Adam(stage.head.actor.parameters(), lr=1e-2)
    for _ in range(20):
        stage.zero_grad()
        stage(batch)["loss"].backward()
        optimizer.step()
    assert value() > before
    assert all(p.grad is None for p in stage.target.parameters())


def test_targets_follow_slowly(corridor, cells):
    stage = mbold(corridor, cells, q_head())
    with torch.no_grad():
        for parameter in stage.head.parameters():
            parameter.add_(1.0)
    before = [p.clone() for p in stage.target.parameters()]
    stage.after_update({}, {})
    for old, new in zip(before, stage.target.parameters(), strict=True):
        torch.testing.assert_close(new - old, torch.full_like(old, 0.005), atol=1e-5, rtol=1e-3)


def test_dynamics_never_sees_a_latent_after_the_first(corridor, cells):
    recipe = DynamicsRecipe(updates=1, batch_size=8, horizon=5)
    stage = DynamicsStage(model(), features(cells), corridor, EPISODES, recipe)
    batch = stage.sample(np.random.default_rng(0), 8)
    errors = stage(batch)["errors"]
    with torch.no_grad():
        latent = torch.cat([batch["latents"][:, 0], batch["actions"][:, 0]], dim=1)
        owner = model()
        owner.dynamics = stage.dynamics
        imagined = owner.rollout(latent, batch["actions"][:, 1:])[..., :8]
        by_hand = ((imagined - batch["latents"][:, 1:]) / stage.spread).square().mean((1, 2))
    torch.testing.assert_close(errors, by_hand)


def test_what_moves_more_than_it_mostly_does_weighs_more(corridor, cells):
    """A ninth number that changes in one window of ten, by far more than the noise on it."""
    rare = torch.as_tensor(
        np.random.default_rng(0).normal(0, 0.01, len(cells)), dtype=torch.float32
    )
    rare += torch.as_tensor(corridor.state[:, 0] == 11, dtype=torch.float32)
    latents = torch.cat([features(cells)[:, :7], rare[:, None]], dim=1)
    plain, weighed = (
        DynamicsStage(
            model(), latents, corridor, EPISODES, DynamicsRecipe(horizon=5, motion_weight=weight)
        )
        for weight in (0.0, 10.0)
    )
    for stage in (plain, weighed):
        torch.manual_seed(1)
        torch.nn.init.normal_(stage.dynamics.change[-1].weight, std=0.3)  # or only moves are wrong
    batch = plain.sample(np.random.default_rng(0), 512)
    moved = (batch["latents"][:, 1:, 7] - batch["latents"][:, :1, 7]).abs() > 0.5
    ratio = weighed(batch)["errors"] / plain(batch)["errors"]
    assert ratio[moved.any(1)].mean() > 1.5 * ratio[~moved.any(1)].mean()
    assert (ratio >= 1.0 - 1e-5).all()
    assert (ratio <= 11.0 + 1e-5).all()


def test_rest_is_learned_though_the_recordings_have_none(corridor, cells, tmp_path):
    """Drift of a second without an action, with and without it in the loss."""

    def drift(weight):
        recipe = DynamicsRecipe(batch_size=64, horizon=5, learning_rate=3e-3, stillness=weight)
        stage = DynamicsStage(model(), features(cells), corridor, EPISODES, recipe)
        folder = tmp_path / str(weight)
        folder.mkdir()
        learn(stage, folder, 300)
        latents, nothing = features(cells)[:200], torch.zeros(200, 5, 4)
        with torch.no_grad():
            ends = imagine([stage.dynamics], latents, nothing[:, 0], nothing)[0, :, -1]
        return ((ends - latents) / stage.spread).square().mean().item()

    assert drift(1.0) < 0.5 * drift(0.0)


def held_loss(stage, name="loss"):
    torch.manual_seed(5)
    with torch.no_grad():
        return stage(stage.sample(np.random.default_rng(5), 64))[name].item()


@pytest.mark.parametrize("members", [1, 3])
def test_the_dynamics_learn_the_corridor(corridor, cells, tmp_path, members):
    recipe = DynamicsRecipe(batch_size=64, horizon=5, learning_rate=3e-3)
    stage = DynamicsStage(model(members=members), features(cells), corridor, EPISODES, recipe)
    others = [stage.dynamics, *stage.other_dynamics][1:]
    before = held_loss(stage)
    start = [next(other.parameters()).clone() for other in others]
    learn(stage, tmp_path, 200)
    assert held_loss(stage) < 0.3 * before
    assert len(others) == members - 1
    for old, other in zip(start, others, strict=True):
        assert not torch.equal(old, next(other.parameters())), "each of them learns"


def test_the_world_model_learns_to_see(corridor, tmp_path):
    stage = WorldModelStage(model(), corridor, EPISODES, WorldModelRecipe(batch_size=8, horizon=3))
    before = held_loss(stage, "present")
    learn(stage, tmp_path, 60)
    assert held_loss(stage, "present") < 0.5 * before


def a_distance(method, corridor, cells):
    """A stage that learns its head's distance on the corridor, and how many updates that takes."""
    common = {"learning_rate": 2e-3, "batch_size": 64}
    data = features(cells), corridor, EPISODES
    if method == "mbold":
        return mbold(corridor, cells, q_head(64, 3), negatives=0.0, p=0.2, **common), 800
    if method == "gcivl":
        head = {"kind": "value", "hidden": 64, "layers": 2, "discount": 0.95}
        return GcivlStage(model(head), *data, GcivlRecipe(negatives=0.0, **common), 0), 800
    if method == "iqe":
        head = {"kind": "iqe", "hidden": 64, "layers": 2, "components": 8, "size": 4}
        return IqeStage(model(head), *data, IqeRecipe(negatives=0.0, **common), 0), 300
    head = {"kind": "temporal", "hidden": 64, "layers": 3}
    return TemporalStage(model(head), *data, TemporalRecipe(**common), 0), 400


@pytest.mark.parametrize("method", ["mbold", "gcivl", "temporal", "iqe"])
def test_a_distance_orders_a_corridor_by_its_steps(corridor, cells, tmp_path, method):
    stage, updates = a_distance(method, corridor, cells)
    learn(stage, tmp_path, updates)
    found, (state, goal) = distances(stage.head), every_pair()
    true = np.abs(state - goal)
    assert spearmanr(found.flatten(), true).statistic > 0.9
    own = found.diagonal()
    assert (own <= found.min(dim=0).values + 1.5).all()  # nowhere is nearer to a cell than itself
