"""The simulated arms: stable, the same every time, restorable, and able to do their tasks."""

import hashlib
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latentplan_ros.control.exploration import SmoothedRandomPolicy
from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.sim.collect import observe
from latentplan_ros.sim.environment import ActionError, Environment, SimulationError
from latentplan_ros.sim.task import TaskError
from latentplan_ros.sim.tasks import TASKS, make_task


@pytest.fixture(scope="module")
def environments():
    made = {name: Environment(make_task(name)) for name in TASKS}
    yield made
    for env in made.values():
        env.close()


@pytest.fixture(params=sorted(TASKS))
def env(environments, request):
    return environments[request.param]


@pytest.fixture
def drawer(environments):
    return environments["franka_drawer"]


def trajectory(env, rng, steps=8):
    """Everything that a dataset and a person could see of the steps to come, as bytes."""
    seen = []
    for _ in range(steps):
        env.step(rng.uniform(-1, 1, 4))
        picture = env.render(64, 64)
        numbers = [env.state(), env.truth(), env.joint_velocities, env.tcp_quaternion_xyzw]
        seen.append(b"".join(array.tobytes() for array in (*numbers, env.target, picture)))
    return seen


def start(env, seed):
    rng = np.random.default_rng(seed)
    env.reset(rng)
    return rng


# Stability -----------------------------------------------------------------------------------
def test_a_hundred_random_steps_are_stable_and_silent(env):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rng = start(env, 5)
        for _ in range(100):
            env.step(rng.uniform(-1, 1, 4))
            assert np.isfinite(env.state()).all()
            assert np.isfinite(env.truth()).all()
            assert env.profile.workspace.contains(env.target)
        assert env.data.warning.number.sum() == 0
    assert env.truth().shape == (len(env.task.truth_names),)
    assert env.state().shape == (len(env.profile.joints) + 3,)
    assert env.data.time == pytest.approx(100 * env.profile.action.period_s)


def test_episodes_start_in_the_start_box_without_touching_anything(env):
    for seed in range(20):
        start(env, seed)
        low, high = np.array(env.task.start_min), np.array(env.task.start_max)
        assert (env.tcp_position > low - 0.005).all()
        assert (env.tcp_position < high + 0.005).all()
        assert not (env.data.contact.dist[: env.data.ncon] < 0).any()


def test_physics_that_blow_up_are_told_and_a_snapshot_recovers_from_them(
    drawer, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)  # MuJoCo leaves a log
    start(drawer, 0)
    snapshot = drawer.save()
    unstable = pytest.raises(SimulationError, match="franka_drawer: physics became unstable at t =")
    for damage in (drawer.data.qpos, drawer.data.qvel):
        damage[0] = np.nan
        with unstable:
            drawer.step(np.zeros(4))
        drawer.restore(snapshot)
        drawer.step(np.zeros(4))
    drawer.set_target(drawer.target, opening=np.nan)
    with unstable:
        drawer.advance(0.1)


@pytest.mark.parametrize(
    "action",
    [
        [np.nan, 0, 0, 0],
        [0, 0, np.inf, 0],
        [0, 1.001, 0, 0],
        [0, 0, 0, -2],
        [0, 0, 0],
        [[0, 0, 0, 0]],
    ],
)
def test_what_is_no_action_is_refused_and_nothing_moves(drawer, action):
    start(drawer, 0)
    before = drawer.save()
    with pytest.raises(ActionError, match=r"franka_drawer: an action is 4 numbers in \[-1, 1\]"):
        drawer.step(np.array(action))
    np.testing.assert_array_equal(drawer.save().physics, before.physics)
    drawer.step(np.array([1.0, -1.0, 1.0, -1.0]))  # the limits themselves are fine


def test_an_unknown_task_lists_those_there_are():
    with pytest.raises(TaskError, match="no task named 'x'; there are franka_door, franka_drawer,"):
        make_task("x")


# Reproducibility -----------------------------------------------------------------------------
DIGESTS = """
import hashlib, sys
import numpy as np
from test_simulation import start, trajectory
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.tasks import make_task
for name in sys.argv[1:]:
    env = Environment(make_task(name))
    seen = trajectory(env, start(env, 11), steps=20)
    print(name, hashlib.sha256(b"".join(seen)).hexdigest())
    env.close()
"""


def test_a_seed_gives_the_same_states_and_pictures_in_every_process(environments):
    here = {}
    for name, env in environments.items():
        trajectory(env, start(env, 12), steps=3)  # what was before does not matter
        seen = trajectory(env, start(env, 11), steps=20)
        here[name] = hashlib.sha256(b"".join(seen)).hexdigest()
    folder = __file__.rsplit("/", 1)[0]
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS, *here],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert dict(line.split() for line in done.stdout.splitlines()) == here


def test_another_seed_gives_another_episode(env):
    assert trajectory(env, start(env, 1), 1) != trajectory(env, start(env, 2), 1)


@pytest.fixture(scope="module")
def another():
    env = Environment(make_task("franka_drawer"))
    yield env
    env.close()


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.integers(0, 12), part=st.sampled_from([0.0, 0.005, 0.045]))
def test_a_snapshot_continues_bit_for_bit_there_and_in_another_environment(
    drawer, another, steps, part
):
    env = drawer
    rng = start(env, steps)
    for _ in range(steps):
        env.step(rng.uniform(-1, 1, 4))
    if part:  # in the middle of a control period
        env.set_target(env.tcp_position + np.array([0.0, 0.02, 0.0]), 0.03)
        env.advance(part)
    snapshot = env.save()
    env.advance(0.1)
    want = trajectory(env, np.random.default_rng(3))
    for each in (env, another):
        trajectory(each, start(each, 99), steps=2)
        each.restore(snapshot)
        each.advance(0.1)
        assert trajectory(each, np.random.default_rng(3)) == want


# Cameras -------------------------------------------------------------------------------------
def test_the_camera_gives_both_sizes_of_the_same_view(env):
    start(env, 4)
    large, small = env.render(480, 640), env.render(64, 64)
    assert (large.shape, small.shape) == ((480, 640, 3), (64, 64, 3))
    assert large.dtype == small.dtype == np.uint8
    assert large.std() > 10
    # The network sees the same whether the picture comes from a camera or from a dataset.
    camera = Preprocess().apply(large).astype(int)
    assert np.abs(camera - observe(env, Preprocess())).mean() < 2
    assert np.abs(camera - small).mean() < 5
    np.testing.assert_array_equal(env.render(480, 640), large)


def test_the_picture_shows_the_arm_and_the_drawer_move(drawer):
    rng = start(drawer, 0)
    before = drawer.render(64, 64).copy()
    drawer.data.joint("drawer").qpos[0] = 0.2 - drawer.truth()[0]
    drawer.restore(drawer.save())
    opened = drawer.render(64, 64).copy()
    assert (np.abs(opened.astype(int) - before).max(axis=2) > 30).sum() > 20
    for _ in range(3):
        drawer.step(rng.uniform(-1, 1, 4))
    moved = drawer.render(64, 64)
    assert (np.abs(opened.astype(int) - moved).max(axis=2) > 30).sum() > 20


# Control -------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["franka_reach", "sawyer_reach"])
def test_the_end_effector_follows_its_target_and_stays_upright(environments, name):
    env = environments[name]
    policy, lags = SmoothedRandomPolicy(env.task.exploration_std), []
    for seed in range(5):
        policy.reset(start(env, seed))
        for _ in range(20):
            env.step(policy.act())
            lags.append(np.linalg.norm(env.tcp_position - env.target))
            upright = abs(env.tcp_quaternion_xyzw @ np.array(env.profile.orientation_xyzw))
            assert np.degrees(2 * np.arccos(min(1.0, upright))) < 5
        for _ in range(5):
            env.step(np.zeros(4))
        assert np.linalg.norm(env.tcp_position - env.target) < 0.002
    assert np.mean(lags) < 0.02
    assert max(lags) < 0.05


def test_the_fingers_open_and_close(environments):
    for name in ("franka_reach", "sawyer_reach"):
        env = environments[name]
        start(env, 0)
        for grip, travel in ((1.0, env.arm.finger_travel_m), (-1.0, 0.0)):
            for _ in range(8):
                env.step(np.array([0, 0, 0, grip]))
            fingers = np.abs(env.joint_positions[7:])
            if name == "sawyer_reach":  # its joints are zero when open
                fingers = env.arm.finger_travel_m - fingers
            np.testing.assert_allclose(fingers, travel, atol=0.002)


def go(env, goal, steps=25):
    """At less than half the speed there is: the hand swings out sideways when it is thrown."""
    for _ in range(steps):
        way = np.asarray(goal) - env.tcp_position
        if np.linalg.norm(way) < 0.004:
            return
        env.step(np.append(np.clip(way / env.profile.action.translation_m, -0.4, 0.4), -1.0))
    pytest.fail(f"the hand stays {1e3 * np.linalg.norm(way):.0f} mm from {goal}")


def slot(opening):
    """x of the gap between the drawer's front and its handle."""
    return 0.669 - opening


@pytest.mark.parametrize("seed", range(6))
def test_the_drawer_is_opened_and_closed_by_its_handle(drawer, seed):
    start(drawer, seed)
    for wanted, beyond in ((0.18, -0.02), (0.0, 0.03)):
        x = drawer.tcp_position[0]
        go(drawer, [x, 0, 0.165])  # above everything
        go(drawer, [slot(drawer.truth()[0]), 0, 0.165])
        go(drawer, [slot(drawer.truth()[0]), 0, 0.085])
        end = [slot(wanted) + beyond, 0, 0.085]
        for _ in range(8):
            way = (end - drawer.tcp_position) / drawer.profile.action.translation_m
            drawer.step(np.append(np.clip(way, -1, 1), -1.0))
        assert drawer.truth()[0] == pytest.approx(wanted, abs=0.03)
