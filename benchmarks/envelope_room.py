"""How much room the limits leave: what exploration and planning reach on the simulated arms, and
how often the safety envelope makes a command smaller than training would have.

Training moves its arm by ``next_target`` alone. Where the envelope takes more from a command than
that, the arm node does something the model has not learned; so the profiles' limits must be wide
enough, and this says whether they are.
"""

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import tyro

from benchmarks.destination import results_file
from latentplan_ros.control.envelope import Command, SafetyEnvelope
from latentplan_ros.control.exploration import SmoothedRandomPolicy
from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.planning import CEM, Controller
from latentplan_ros.resources import resource
from latentplan_ros.sim.collect import observe
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.goals import FIRST_GOAL_SEED, make_goal
from latentplan_ros.sim.tasks import TASKS, make_task

SEED = 0
PLANNED = "franka_drawer"
STEPS = 50
LOOKS = 5  # measured poses a control period


class Room:
    """Runs a simulated arm through the envelope, and keeps the greatest of everything limited."""

    def __init__(self, env: Environment) -> None:
        self.env, self.profile = env, env.profile
        self.greatest: dict[str, float] = defaultdict(float)
        self.limited: Counter[str] = Counter()
        self.commands = self.shortened = self.refused = 0

    def begin(self) -> None:
        self._now, self._envelope = 100.0, SafetyEnvelope(self.profile)
        self._target: np.ndarray | None = None
        self._opening: float | None = None
        self._stride = np.zeros(3)

    def step(self, action: np.ndarray) -> None:
        """One control period with an action ``[4]``."""
        env, profile, now = self.env, self.profile, self._now
        self._see(now)
        self._envelope.picture(now, now)
        command = self._envelope.act(now, now, action)
        if isinstance(command, Command):
            self._note(command)
            env.set_target(command.position, command.opening)
        else:
            self.refused += 1
            print(f"refused: {command}")
        for look in range(1, LOOKS + 1):
            env.advance(profile.action.period_s / LOOKS)
            self._see(now + look * profile.action.period_s / LOOKS)
            hold = self._envelope.watch(now + look * profile.action.period_s / LOOKS)
            self.refused += hold is not None
        self._now += profile.action.period_s

    def _see(self, now: float) -> None:
        position, quaternion = self.env.tcp_position, self.env.tcp_quaternion_xyzw
        self._envelope.pose(now, now, position, quaternion, self.profile.base_frame)
        tilt = 2.0 * np.arccos(min(1.0, abs(quaternion @ self.profile.orientation_xyzw)))
        self._most(tilt_rad=tilt)
        if self._target is not None:
            self._most(distance_m=float(np.linalg.norm(self._target - position)))

    def _note(self, command: Command) -> None:
        self.commands += 1
        self.shortened += bool(command.limited)
        self.limited.update(limit.name for limit in command.limited)
        period = self.profile.action.period_s
        stride = command.position - self.profile.workspace.clip(self.env.tcp_position)
        share = np.clip(stride @ self._stride / max(self._stride @ self._stride, 1e-12), 0.0, 1.0)
        gain = float(np.linalg.norm(stride - share * self._stride))
        self._most(
            speed_m_s=float(np.linalg.norm(stride)) / period,
            acceleration_m_s2=gain / period**2,
        )
        if self._target is not None:
            self._most(step_m=float(np.linalg.norm(command.position - self._target)))
        if self._opening is not None and command.opening is not None:
            self._most(gripper_speed_m_s=abs(command.opening - self._opening) / period)
        self._target, self._stride, self._opening = command.position, stride, command.opening

    def _most(self, **values: float) -> None:
        for name, value in values.items():
            self.greatest[name] = max(self.greatest[name], value)

    def report(self, title: str) -> dict:
        print(f"{title}: {self.shortened} of {self.commands} shortened {dict(self.limited)}")
        print("  ", ", ".join(f"{name} {value:.3f}" for name, value in self.greatest.items()))
        return {
            "commands": self.commands,
            "shortened": self.shortened,
            "refused": self.refused,
            "limited": dict(self.limited),
            "greatest": dict(self.greatest),
        }


def explore(task: str, episodes: int) -> Room:
    env = Environment(make_task(task))
    room = Room(env)
    for episode in range(episodes):
        rng = np.random.default_rng([SEED, episode])
        policy = SmoothedRandomPolicy(env.task.exploration_std)
        env.reset(rng)
        policy.reset(rng)
        room.begin()
        for _ in range(env.task.episode_steps):
            room.step(policy.act())
    env.close()
    return room


def plan(goals: int, checkpoint: Path) -> Room:
    env, preprocess = Environment(make_task(PLANNED)), Preprocess()
    model = load_checkpoint(checkpoint)
    room = Room(env)
    for index in range(goals):
        kind = env.task.goal_kinds[index % len(env.task.goal_kinds)]
        goal = make_goal(env, kind, FIRST_GOAL_SEED, index)
        controller = Controller(model, CEM(model.header.exploration_std), seed=index)
        controller.set_goal(preprocess.apply(goal.image))
        env.restore(goal.start)
        room.begin()
        for _ in range(STEPS):
            room.step(controller.act(observe(env, preprocess))[0])
    env.close()
    return room


def main(episodes: int = 100, goals: int = 10, quick: bool = False) -> None:
    """Writes safety/shortened/exploration and safety/shortened/planner.

    Args:
        episodes: of random exploration, a task.
        goals: of the drawer, planned for with the shipped model.
        quick: few of both, results below runs/.
    """
    episodes, goals = (3, 1) if quick else (episodes, goals)
    rooms = {}
    for task in sorted(TASKS):
        rooms[task] = explore(task, episodes)
    raw = {f"exploration/{task}": room.report(task) for task, room in rooms.items()}
    planned = plan(goals, resource(f"checkpoints/{PLANNED}.safetensors"))
    raw[f"planner/{PLANNED}"] = planned.report("planner")
    write_results(
        results_file("envelope_room", quick),
        {
            "safety/shortened/exploration": _share(list(rooms.values())),
            "safety/shortened/planner": _share([planned]),
        },
        seeds=[SEED, FIRST_GOAL_SEED],
        settings={"episodes": episodes, "goals": goals, "steps": STEPS},
        raw=raw,
    )


def _share(rooms: list[Room]) -> Figure:
    commands = sum(room.commands for room in rooms)
    return Figure(sum(room.shortened for room in rooms) / commands, "fraction", commands)


if __name__ == "__main__":
    tyro.cli(main)
