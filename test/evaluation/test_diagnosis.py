"""The diagnosis: right about models whose faults are known."""

import json

import numpy as np
import pytest
import torch

from benchmarks.untrained import untrained_header
from latentplan_ros.evaluation.diagnosis import diagnose
from latentplan_ros.evaluation.diagnosis.fixed_arm import fixed_arm
from latentplan_ros.evaluation.diagnosis.imagination import imagined_displacement
from latentplan_ros.evaluation.diagnosis.oracles import OracleDynamics, success_with_oracle_dynamics
from latentplan_ros.evaluation.diagnosis.probe import Probe, probe_errors
from latentplan_ros.evaluation.diagnosis.rollouts import Rollouts
from latentplan_ros.models.checkpoint import save_checkpoint
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.planning import CEM
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.goals import FIRST_GOAL_SEED, make_goal
from latentplan_ros.sim.tasks import make_task

SPEC = {"latent": 8, "channels": 4, "hidden": 16, "layers": 1, "distance": None}


@pytest.fixture(scope="module")
def drawer():
    env = Environment(make_task("franka_drawer"))
    yield env
    env.close()


class Slider:
    """A block on a line: the latent is its place, the first action moves it, times ``gain``."""

    def __init__(self, gain):
        self.gain = gain

    def rollout(self, latent, actions):
        return latent[:, None] + self.gain * actions[..., :1].cumsum(1)


@pytest.fixture
def slides():
    generator = torch.Generator().manual_seed(0)
    actions = torch.zeros(40, 20, 4)
    actions[::2, :, 0] = 0.05 * torch.randn(20, 20, generator=generator)
    places = torch.cat([torch.zeros(40, 1), actions[:, :-1, 0].cumsum(1)], dim=1)[..., None]
    return Rollouts(places, actions, places)


@pytest.mark.parametrize(("gain", "error"), [(1.0, 0.0), (0.0, 1.0), (0.5, 0.5)])
def test_imagined_displacement_is_compared_with_the_true_one(slides, gain, error):
    (row,) = imagined_displacement(Slider(gain), torch.nn.Identity(), slides, [0], [5])
    assert 0 < row.moving <= 20 * 15
    assert row.moved_cm > 2
    assert row.error_cm == pytest.approx(error * row.moved_cm, rel=0.01, abs=1e-4)
    assert row.still_error_cm == pytest.approx(0.0, abs=0.5)
    if gain:
        assert row.correlation == pytest.approx(1.0)


@pytest.fixture
def short_probe(monkeypatch):
    monkeypatch.setattr("latentplan_ros.evaluation.diagnosis.probe.UPDATES", 300)


def test_a_probe_reads_what_is_in_the_latent_and_not_what_is_not(short_probe):
    generator = torch.Generator().manual_seed(1)
    hidden = torch.randn(4000, 2, generator=generator)
    latents = torch.stack([hidden[:, 0].sin(), hidden[:, 0].cos()], dim=1)
    error = probe_errors(Probe(latents[:3000], hidden[:3000]), latents[3000:], hidden[3000:])
    assert error[0] < 0.1 < 0.4 < error[1]


def test_the_true_dynamics_are_the_simulator_and_leave_it_where_it_was(drawer):
    drawer.reset(np.random.default_rng(0))
    world = OracleDynamics(drawer, None)
    before = drawer.save().physics.copy()
    actions = np.random.default_rng(1).uniform(-1, 1, (3, 4, 4))
    futures = world.rollout(world.encode(torch.zeros(1)), torch.from_numpy(actions))
    np.testing.assert_array_equal(drawer.save().physics, before)
    for sequence, future in zip(actions, futures, strict=True):
        drawer.restore(world.start)
        for action, truth in zip(sequence, future, strict=True):
            drawer.step(action)
            assert drawer.truth() == pytest.approx(truth.numpy())


def test_planning_with_the_truth_reaches():
    env = Environment(make_task("sawyer_reach"))
    goals = [make_goal(env, "reach", FIRST_GOAL_SEED + 9, index) for index in range(2)]
    planner = CEM(env.task.exploration_std, samples=24, iterations=2, elites=4, horizon=6)
    assert success_with_oracle_dynamics(env, None, planner, goals, steps=18, replan_every=3) == [
        True,
        True,
    ]
    env.close()


class Opening:
    """Sees how far the drawer is open in the picture of a simulator that it holds."""

    def __init__(self, env):
        self._env = env
        self._seen = []

    def encode(self, images, last=None):
        return torch.tensor(self._seen)[:, None]

    def distance(self, latent, goal):
        return (latent - goal).abs().squeeze(1)


def test_a_perfect_distance_orders_perfectly_at_a_fixed_arm_pose(drawer, monkeypatch):
    model, truth = Opening(drawer), drawer.truth

    def watched():
        model._seen.append(float(truth()[0]))
        return truth()

    monkeypatch.setattr(drawer, "truth", watched)
    sample = fixed_arm(drawer, model, 0, 12)
    assert sample.spearman == pytest.approx(1.0)
    assert sample.truth.shape == (12, 1)
    assert np.ptp(sample.truth) > 0.02


def test_rearranging_moves_objects_alone(drawer):
    rng = np.random.default_rng(2)
    drawer.reset(rng)
    arm, openings = drawer.joint_positions, set()
    for _ in range(5):
        drawer.rearrange(rng)
        np.testing.assert_array_equal(drawer.joint_positions, arm)
        openings.add(float(drawer.truth()[0]))
    assert len(openings) == 5


def test_the_page_names_what_limits(short_probe, tmp_path, capsys):
    torch.manual_seed(0)
    header = untrained_header("none", SPEC)
    save_checkpoint(tmp_path / "m.safetensors", LatentWorldModel(SPEC), header)
    diagnose(tmp_path / "m.safetensors", tmp_path / "out", episodes=10, goals=0)
    page = (tmp_path / "out" / "diagnosis.html").read_text()
    assert "<!--" not in page
    assert page.count("data:image/png;base64,") == 2
    assert "drawer_opening" in page
    figures = json.loads((tmp_path / "out" / "results.json").read_text())["figures"]
    assert figures["diagnosis/franka_drawer/probe_cm/drawer_opening"]["value"] > 0
    assert "diagnosis/franka_drawer/spearman" in figures
    assert "rank correlation" in capsys.readouterr().out
