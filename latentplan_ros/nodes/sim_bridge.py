"""MuJoCo behind the interface of a real arm and camera."""

import sys
import time

import numpy as np
import rclpy.node
import rclpy.parameter
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from rclpy.clock import Clock, ClockType
from rosgraph_msgs.msg import Clock as ClockMessage
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64MultiArray, MultiArrayDimension
from std_srvs.srv import Trigger

from latentplan_ros.control.profile import ProfileError, load_profile
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.diagnostics import ERROR, OK, WARN, Diagnostics
from latentplan_ros.nodes.parameters import ParameterError, declare
from latentplan_ros.nodes.pictures import image_message
from latentplan_ros.nodes.process import run
from latentplan_ros.nodes.stamps import seconds
from latentplan_ros.sim.environment import Environment, SimulationError
from latentplan_ros.sim.goals import make_goal
from latentplan_ros.sim.scene import TIMESTEP_S
from latentplan_ros.sim.task import TaskError
from latentplan_ros.sim.tasks import make_task

MOST_BEHIND_S = 0.1  # time lost beyond this (a suspended laptop) is let go, not caught up with


class SimBridge(rclpy.node.Node):
    """One simulated arm with its camera. Physics, rendering and messages share one thread, which
    is the only one that may touch the renderer.

    Wall time: each tick runs the physics up to now. Simulated time (``publish_clock``): each tick
    is one fixed step, published on /clock, as many to a wall second as ``real_time_factor`` says.
    """

    def __init__(self) -> None:
        super().__init__("sim_bridge")
        task = declare(self, "task", "franka_drawer", "Simulated task", read_only=True)
        robot = declare(
            self, "robot", "", "Robot profile the task must be of; empty: any", read_only=True
        )
        declare(self, "seed", 0, "Seed of the episodes, or of the goals", 0, 2**31 - 1)
        declare(self, "episode", 0, "Episode that the next ~/reset starts", 0, 2**31 - 1)
        declare(
            self,
            "goal_kind",
            "",
            "Start where this kind of goal starts (seed >= 1000000); empty: at a random start",
        )
        self._width = declare(self, "width", 640, "Picture width, pixels", 16, 640, read_only=True)
        self._height = declare(
            self, "height", 480, "Picture height, pixels", 16, 480, read_only=True
        )
        camera_rate = declare(
            self, "camera_rate", 10.0, "Pictures a second", 0.1, 120.0, read_only=True
        )
        state_rate = declare(
            self, "state_rate", 100.0, "Poses and joints a second", 1.0, 400.0, read_only=True
        )
        self._frame = declare(
            self, "camera_frame", "camera_optical_frame", "Frame of the pictures", read_only=True
        )
        self._clocked = declare(
            self, "publish_clock", False, "Make simulated time on /clock", read_only=True
        )
        factor = declare(
            self,
            "real_time_factor",
            1.0,
            "Simulated seconds a wall second, with publish_clock",
            0.01,
            100.0,
            read_only=True,
        )
        self._env = Environment(make_task(task))
        self.profile = self._env.profile
        if robot and load_profile(robot) != self.profile:
            raise ParameterError(
                f"task {task} is one of robot {self.profile.name!r}, not of {robot!r}"
            )
        self._opening: float | None = None
        self._elapsed = 0.0  # simulated seconds since the node began; resets don't turn it back
        self._wanted: np.ndarray | None = None
        self._reset()
        self._env.render(self._height, self._width)  # the first one compiles shaders

        self._diagnostics = Diagnostics(self)
        self._pictures = self.create_publisher(Image, "camera/image_raw", qos.CAMERA)
        self._joints = self.create_publisher(JointState, "joint_states", qos.STATE_OUT)
        self._pose = self.create_publisher(PoseStamped, "current_pose", qos.STATE_OUT)
        self._truth = self.create_publisher(Float64MultiArray, "~/truth", qos.STATE_OUT)
        if self._clocked:
            self._clock_out = self.create_publisher(ClockMessage, "/clock", qos.STATE_OUT)
        self.create_subscription(PoseStamped, "target_pose", self._on_target, qos.TARGET)
        self.create_subscription(
            Float64MultiArray,
            "gripper_position_controller/commands",
            self._on_gripper,
            qos.TARGET,
        )
        self.create_service(Trigger, "~/reset", self._on_reset)

        self._step_s = max(1, round(1.0 / state_rate / TIMESTEP_S)) * TIMESTEP_S
        self._camera_period = 1.0 / camera_rate
        self._camera_due = 0.0
        self._last = time.monotonic()
        period = self._step_s / (factor if self._clocked else 1.0)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(period, self._on_tick, clock=steady)
        self._rendered, self._late = 0, 0.0
        self._fault = ""
        self.create_timer(1.0, self._report, clock=steady)

    def close(self) -> None:
        self._env.close()

    # Time -----------------------------------------------------------------------------------
    def _on_tick(self) -> None:
        self._apply_commands()
        if self._clocked:
            self._advance(self._step_s)
            stamp = _to_stamp(self._elapsed)
            self._clock_out.publish(ClockMessage(clock=stamp))
        else:
            behind = time.monotonic() - self._last
            if behind > MOST_BEHIND_S:
                self._late += behind - MOST_BEHIND_S
                self._last += behind - MOST_BEHIND_S
                behind = MOST_BEHIND_S
            steps = int(behind / TIMESTEP_S)
            self._last += steps * TIMESTEP_S
            self._advance(steps * TIMESTEP_S)
            stamp = self.get_clock().now().to_msg()
        self._publish_state(stamp)
        if self._elapsed >= self._camera_due:
            self._camera_due = max(self._camera_due + self._camera_period, self._elapsed)
            picture = self._env.render(self._height, self._width)
            self._pictures.publish(image_message(picture, stamp, self._frame))
            self._rendered += 1

    def _advance(self, duration: float) -> None:
        self._env.advance(duration)
        self._elapsed += duration

    # What leaves ----------------------------------------------------------------------------
    def _publish_state(self, stamp: Time) -> None:
        joints = JointState(name=list(self.profile.joints))
        joints.header.stamp = stamp
        joints.position = self._env.joint_positions.tolist()
        joints.velocity = self._env.joint_velocities.tolist()
        self._joints.publish(joints)
        pose = PoseStamped()
        pose.header.stamp = stamp
        pose.header.frame_id = self.profile.base_frame
        p, q = pose.pose.position, pose.pose.orientation
        p.x, p.y, p.z = self._env.tcp_position.tolist()
        q.x, q.y, q.z, q.w = self._env.tcp_quaternion_xyzw.tolist()
        self._pose.publish(pose)
        truth = Float64MultiArray(data=self._env.truth().tolist())
        truth.layout.dim = [
            MultiArrayDimension(label=name, size=1, stride=1) for name in self._env.task.truth_names
        ]
        self._truth.publish(truth)

    def _report(self) -> None:
        values = {"pictures_per_s": self._rendered, "lost_s": f"{self._late:.2f}"}
        if self._fault:
            self._diagnostics.set(ERROR, self._fault, **values)
        elif self._late > 0.05:
            self._diagnostics.set(
                WARN, "slower than real time: lower camera_rate, width or height", **values
            )
        else:
            self._diagnostics.set(OK, f"simulating {self._env.task.name}", **values)
        self._rendered, self._late = 0, 0.0

    # What arrives ---------------------------------------------------------------------------
    def _on_target(self, message: PoseStamped) -> None:
        p, base = message.pose.position, self.profile.base_frame
        position = np.array([p.x, p.y, p.z])
        if message.header.frame_id != base:
            self._refuse(f"target_pose is in frame {message.header.frame_id!r}, not {base!r}")
        elif not np.isfinite(position).all():
            self._refuse(f"target_pose has position {position.tolist()}, not finite")
        elif not 0 < seconds(message.header.stamp) < self._began:  # 0: a sender without stamps
            self._wanted, self._fault = position, ""

    def _on_gripper(self, message: Float64MultiArray) -> None:
        values = list(message.data)
        if len(values) != 1 or not np.isfinite(values[0]):
            self._refuse(f"the gripper command is {values}, not one finite opening in metres")
        else:
            self._opening = float(values[0])

    def _refuse(self, what: str) -> None:
        self._fault = f"refused: {what}"
        self._report()

    def _now(self) -> float:
        """Seconds on the clock that stamps are of."""
        if self._clocked:
            return self._elapsed
        return self.get_clock().now().nanoseconds * 1e-9

    def _apply_commands(self) -> None:
        if self._wanted is None and self._opening is None:
            return
        target = self._env.target if self._wanted is None else self._wanted
        self._env.set_target(target, self._opening)
        self._wanted = self._opening = None

    # Episodes -------------------------------------------------------------------------------
    def _reset(self) -> str:
        """Start the episode (or goal) of the parameters, and count ``episode`` up."""
        seed, index = self.get_parameter("seed").value, self.get_parameter("episode").value
        kind = self.get_parameter("goal_kind").value
        if kind:
            make_goal(self._env, kind, seed, index)  # leaves the arm where the goal starts
        else:
            self._env.reset(np.random.default_rng([seed, index]))
        self._wanted = self._opening = None
        self._began = self._now()  # what was sent before is meant for the last episode
        self.set_parameters([rclpy.parameter.Parameter("episode", value=index + 1)])
        return f"{kind + ' goal' if kind else 'episode'} {index} of seed {seed}"

    def _on_reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            response.message, response.success = self._reset(), True
            self._fault = ""
        except TaskError as error:
            response.message, response.success = str(error), False
        self._last = time.monotonic()  # drawing a goal takes a moment that the arm does not live
        return response


def _to_stamp(elapsed: float) -> Time:
    nanoseconds = round(elapsed * 1e9)
    return Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def main() -> None:
    sys.exit(run(SimBridge, ParameterError, ProfileError, TaskError, SimulationError))


if __name__ == "__main__":
    main()
