"""Setting up a try while the arm has an action before it that it has not looked at."""

import signal
import time
from pathlib import Path

import cv2
import numpy as np
from geometry_msgs.msg import PoseStamped
from harness import Ros, Started
from sensor_msgs.msg import Joy
from std_msgs.msg import Float64MultiArray

from latentplan_ros.bringup.client import GraphClient
from latentplan_ros.bringup.trial import START_TOLERANCE, Trial
from latentplan_ros.nodes import qos
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.goals import Goal, make_goal
from latentplan_ros.sim.tasks import make_task

TASK, ROBOT = "sawyer_reach", "sawyer"
# Longer than commands lie apart at least (0.067 s), shorter than what the arm notices (0.2 s).
PAUSE_S = 0.12


class LateArm(GraphClient):
    """This test sends the actions, in the planner's place. While the simulation is reset the arm
    gets no processor, as on a busy machine, and then finds one more action."""

    def __init__(self, ros: Ros, arm: Started) -> None:
        super().__init__()
        self._ros, self._arm = ros, arm
        self._actions = ros.publisher(Joy, "action", qos.ACTION)

    def act(self) -> None:
        message = Joy(axes=[0.0] * 4)
        message.header.stamp = self._ros.stamp()
        self._actions.publish(message)

    def bring_to(self, node: str, wanted: str, seconds: float = 60.0) -> None:
        assert node == "planner"

    def trigger(self, service: str, seconds: float = 20.0) -> str:
        if service != "sim_bridge/reset":
            return super().trigger(service, seconds)
        self._arm.signal(signal.SIGSTOP)
        paused = time.monotonic()
        self.act()
        try:
            return super().trigger(service, seconds)
        finally:
            time.sleep(max(0.0, PAUSE_S - (time.monotonic() - paused)))
            self._arm.signal(signal.SIGCONT)


def test_an_action_from_before_the_reset_does_not_move_the_arm(ros: Ros, tmp_path: Path) -> None:
    ros.start("sim_bridge", {"task": TASK, "robot": ROBOT})
    arm = ros.start("arm", {"robot": ROBOT})
    ros.start("goal")
    targets = ros.listen(PoseStamped, "target_pose", qos.TARGET)
    # Near enough for the way back not to be refused as a jump, far enough for it to be seen.
    first, second = _goals(6, 7)
    assert 0.03 < np.linalg.norm(first.start_truth - second.start_truth) < 0.05
    with LateArm(ros, arm) as client:
        trial = Trial(client)
        _prepare(trial, first, tmp_path)
        acting = ros.every(0.1, client.act)
        ros.wait(lambda: len(targets) > 3, 20.0, "an arm that follows")
        acting.cancel()
        _prepare(trial, second, tmp_path)
        truths = ros.listen(Float64MultiArray, "sim_bridge/truth", qos.STATE_IN)
        ros.wait(lambda: len(truths) > 50, 10.0, "half a second at the start")
    off = [float(np.abs(np.array(truth.data) - second.start_truth).max()) for truth in truths]
    assert max(off) < START_TOLERANCE


def _goals(*indices: int) -> list[Goal]:
    environment = Environment(make_task(TASK))
    try:
        return [make_goal(environment, "reach", 1_000_001, index) for index in indices]
    finally:
        environment.close()


def _prepare(trial: Trial, goal: Goal, folder: Path) -> None:
    picture = folder / f"{goal.index}.png"
    cv2.imwrite(str(picture), goal.image[..., ::-1])
    trial.prepare(goal.kind, goal.seed, goal.index, picture, goal.start_truth)
