"""Franka and a tray of things to pick out, recorded for Grasp2Vec (Jang et al. 2018)."""

from collections.abc import Callable

import mujoco
import numpy as np

from latentplan_ros.data.episode import Episode
from latentplan_ros.sim.arm import TCP
from latentplan_ros.sim.environment import Environment, SimulationError
from latentplan_ros.sim.grasping import pick, withdraw
from latentplan_ros.sim.scene import new_scene
from latentplan_ros.sim.task import Task, TaskError
from latentplan_ros.sim.things import THINGS

_TOGETHER = 4  # things in the tray at a time
_APART_M = 0.088  # between their middles: room for a finger
_TURNED_RAD = 0.35  # either way: closing fingers turn a thing as far as that
_CLEAR_M = 0.0005  # above the tray at first, so that nothing touches
_TRAY = np.array([[0.45, -0.12], [0.69, 0.12]])  # lowest and highest x and y
_START = np.array([[0.485, -0.085], [0.655, 0.085]])
_ASIDE = np.array([0.0, -2.0, 0.0])  # behind every camera
_LIFTED_M = 0.25  # least height of a thing that the raised hand holds
_STIRRED_M = 0.005  # how far a grasp may move the other things
_AWAY_M = 0.30  # from the camera, where a thing is shown alone
_ATTEMPTS = 50


class FrankaGrasp(Task):
    """Four of eight things lie in the tray. There are no goals: its recordings teach what things
    are, and not how to reach a picture.

    A recorded episode is one grasp that held, in three pictures: the tray before it and afterwards,
    the hand being raised out of sight both times, and the thing alone before the camera. The
    physics are real up to the raised hand; then the thing is taken from it, and for the last
    picture the tray emptied, at once. Actions are zero. Truth: which thing (its number in THINGS)
    and where it lay, metres, the same for all three; while the task runs, of the thing nearest to
    the hand.
    """

    name = "franka_grasp"
    profile = "franka"
    start_min, start_max = (0.42, -0.12, 0.13), (0.72, 0.12, 0.16)
    exploration_std = (0.35, 0.3, 0.25, 0.15)
    truth_names = ("thing", "place_x", "place_y", "place_z")
    goal_kinds = ()

    def scene(self) -> mujoco.MjSpec:
        spec = new_scene((0.57, -0.62, 0.50), (0.57, 0.0, 0.005), 24.0)
        (near, right), (far, left) = _TRAY
        (x, y), (half_x, half_y) = _TRAY.mean(0), np.ptp(_TRAY, axis=0) / 2.0
        for name, pos, size in (
            ("near", [near, y, 0.01], [0.006, half_y, 0.01]),
            ("far", [far, y, 0.01], [0.006, half_y, 0.01]),
            ("right", [x, right, 0.01], [half_x, 0.006, 0.01]),
            ("left", [x, left, 0.01], [half_x, 0.006, 0.01]),
        ):
            spec.worldbody.add_geom(
                name=f"rim_{name}",
                type=mujoco.mjtGeom.mjGEOM_BOX,
                pos=pos,
                size=size,
                rgba=[0.45, 0.40, 0.36, 1],
                contype=2,
                conaffinity=0,
            )
        for thing in THINGS:
            thing.add_to(spec)
        return spec

    def place_objects(
        self, model: mujoco.MjModel, data: mujoco.MjData, rng: np.random.Generator
    ) -> None:
        for number in range(len(THINGS)):
            _put_aside(data, number)
        spots = rng.uniform(_START[0], _START[1], (_TOGETHER, 2))
        while _least_distance(spots) < _APART_M:  # all anew: the last may have no room left
            spots = rng.uniform(_START[0], _START[1], (_TOGETHER, 2))
        chosen = rng.choice(len(THINGS), _TOGETHER, replace=False)
        for number, (x, y) in zip(chosen, spots, strict=True):
            thing, half = THINGS[number], rng.uniform(-_TURNED_RAD, _TURNED_RAD) / 2.0
            data.joint(thing.name).qpos[:3] = x, y, thing.height + _CLEAR_M
            data.joint(thing.name).qpos[3:] = np.cos(half), 0.0, 0.0, np.sin(half)

    def record(
        self, env: Environment, rng: np.random.Generator, look: Callable[[], np.ndarray]
    ) -> Episode:
        for _ in range(_ATTEMPTS):
            env.reset(rng)
            withdraw(env)
            before = _places(env.data)
            chosen = int(rng.choice(np.flatnonzero(before[:, 1] > _TRAY[0, 1])))
            images, states = [look()], [env.state()]
            pick(env, before[chosen])
            after = _places(env.data)
            stirred = np.linalg.norm(np.delete(after - before, chosen, axis=0), axis=1)
            if after[chosen, 2] < _LIFTED_M or stirred.max() > _STIRRED_M:
                continue
            held = env.data.joint(THINGS[chosen].name).qpos[3:].copy()
            _put_aside(env.data, chosen)
            withdraw(env)
            images.append(look())
            states.append(env.state())
            _show_alone(env, chosen, held)
            images.append(look())
            states.append(env.state())
            truth = np.array([[chosen, *before[chosen]]] * 3, np.float32)
            return Episode(np.stack(images), np.zeros((3, 4), np.float32), np.stack(states), truth)
        raise SimulationError(f"{self.name}: {_ATTEMPTS} grasps in a row did not hold")

    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
        places = _places(data)
        nearest = int(np.argmin(np.linalg.norm(places - data.site(TCP).xpos, axis=1)))
        return np.array([nearest, *places[nearest]])

    def error_m(self, truth: np.ndarray, goal: np.ndarray) -> float:
        return float(np.linalg.norm(truth[1:] - goal[1:]))

    def is_goal(self, kind: str, start: np.ndarray, end: np.ndarray) -> bool:
        raise TaskError(f"{self.name} has no goals, and none of kind {kind!r}")


def _places(data: mujoco.MjData) -> np.ndarray:
    """Of all things, ``float64 [8,3]``, metres."""
    return np.array([data.body(thing.name).xpos for thing in THINGS])


def _put_aside(data: mujoco.MjData, number: int) -> None:
    """Takes a thing out of sight; it lies still there."""
    joint = data.joint(THINGS[number].name)
    joint.qpos[:3] = _ASIDE + np.array([0.2 * number, 0.0, THINGS[number].height + _CLEAR_M])
    joint.qpos[3:] = 1.0, 0.0, 0.0, 0.0
    joint.qvel[:] = 0.0


def _show_alone(env: Environment, number: int, turned: np.ndarray) -> None:
    """A thing before the camera that is looked through, and an empty tray behind it.

    turned: its orientation, wxyz.
    """
    for other in range(len(THINGS)):
        _put_aside(env.data, other)
    camera = env.data.camera(env.camera)
    ahead = -camera.xmat.reshape(3, 3)[:, 2]
    joint = env.data.joint(THINGS[number].name)
    joint.qpos[:3], joint.qpos[3:] = camera.xpos + _AWAY_M * ahead, turned
    mujoco.mj_forward(env.model, env.data)


def _least_distance(spots: np.ndarray) -> float:
    """Between two of them."""
    apart = np.linalg.norm(spots[:, None] - spots, axis=2)
    return float(apart[~np.eye(len(spots), dtype=bool)].min())
