"""A scripted grasp from above, in the simulator's own physics."""

import numpy as np

from latentplan_ros.sim.environment import Environment

RAISED_M = np.array([0.28, 0.0, 0.42])  # hand out of the picture, beside the arm's base
_CLEARANCE_M = 0.10  # between the hand and the middle of what it is about to grasp
_STEP_M = 0.05  # of a control period; the arm follows that without swinging
_SETTLE_STEPS = 3
_CLOSE_STEPS = 5


def withdraw(env: Environment) -> None:
    """The hand out of the picture, open."""
    _move(env, RAISED_M, env.profile.action.gripper_m[1])


def pick(env: Environment, place: np.ndarray) -> None:
    """Grasps what lies at a place (m, base frame) and takes it out of the picture, if it holds."""
    closed, opened = env.profile.action.gripper_m
    above = place + np.array([0.0, 0.0, _CLEARANCE_M])
    _move(env, above, opened)
    _move(env, place, opened)
    for _ in range(_CLOSE_STEPS):
        env.set_target(place, closed)
        env.advance(env.profile.action.period_s)
    _move(env, above, closed)
    _move(env, RAISED_M, closed)


def _move(env: Environment, position: np.ndarray, opening: float) -> None:
    """In a straight line, and a moment's rest at its end."""
    start = env.target
    steps = int(np.ceil(np.linalg.norm(position - start) / _STEP_M))
    shares = np.concatenate([np.arange(1, steps + 1) / max(steps, 1), np.ones(_SETTLE_STEPS)])
    for share in shares:
        env.set_target(start + share * (position - start), opening)
        env.advance(env.profile.action.period_s)
