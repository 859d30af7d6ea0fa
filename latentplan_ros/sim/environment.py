"""A task running in MuJoCo behind the interface of a real arm and camera."""

from dataclasses import dataclass

import mujoco
import numpy as np

from latentplan_ros.control.profile import load_profile
from latentplan_ros.control.target import gripper_opening, next_target
from latentplan_ros.sim.arm import TARGET, place
from latentplan_ros.sim.scene import TIMESTEP_S
from latentplan_ros.sim.task import Task, TaskError

_STATE = mujoco.mjtState.mjSTATE_INTEGRATION
# MuJoCo answers these by starting over from its defaults, with nothing but this count to show it.
_UNSTABLE = [
    int(mujoco.mjtWarning.mjWARN_BADQPOS),
    int(mujoco.mjtWarning.mjWARN_BADQVEL),
    int(mujoco.mjtWarning.mjWARN_BADQACC),
    int(mujoco.mjtWarning.mjWARN_BADCTRL),
]


class SimulationError(RuntimeError):
    """The simulation cannot go on: unstable physics, or no start without a collision."""


class ActionError(ValueError):
    """An action that is not four finite numbers in [-1, 1]."""


@dataclass(frozen=True)
class Snapshot:
    """Everything that restores an environment bit for bit."""

    physics: np.ndarray
    target: np.ndarray
    ramp: int


class Environment:
    """One simulated arm. It belongs to the thread that made it, because its renderers do.

    ``step`` is one control period of the same arithmetic the arm node runs; ``set_target`` and
    ``advance`` are the two halves that the ROS bridge drives separately. camera: the one looked
    through, by default the task's; raises TaskError where the scene has none of that name.
    """

    def __init__(self, task: Task, camera: str = "") -> None:
        self.task, self.camera = task, camera or task.camera
        self.profile = load_profile(task.profile)
        self.arm = task.arm(self.profile)
        spec = task.scene()
        self.arm.attach(spec)
        if spec.camera(self.camera) is None:
            names = ", ".join(sorted(known.name for known in spec.cameras if known.name))
            raise TaskError(f"{task.name}: no camera is named {self.camera!r}; there are {names}")
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self._renderers: dict[tuple[int, int], mujoco.Renderer] = {}
        self._mocap = self.model.body(TARGET).mocapid[0]
        self._joints = np.array([self.model.joint(j).qposadr[0] for j in self.profile.joints])
        self._substeps = round(self.profile.action.period_s / TIMESTEP_S)
        x, y, z, w = self.profile.orientation_xyzw
        self._quat = np.array([w, x, y, z])
        self._target = np.zeros(3)
        self._ramp = 0

    # Episodes

    def reset(self, rng: np.random.Generator) -> None:
        """Draws a start: objects by the task, the hand in the start box, free of collisions."""
        for _ in range(200):
            mujoco.mj_resetData(self.model, self.data)
            self.task.place_objects(self.model, self.data, rng)
            position = rng.uniform(self.task.start_min, self.task.start_max)
            opening = rng.uniform(*self.profile.action.gripper_m)
            error = place(self.model, self.data, self.arm, position, self._quat)
            self._command_fingers(opening)
            for joint, value in self.arm.finger_positions(opening).items():
                self.data.joint(joint).qpos[0] = value
            self.data.mocap_pos[self._mocap] = position
            self.data.mocap_quat[self._mocap] = self._quat
            mujoco.mj_forward(self.model, self.data)
            touching = self._touching()
            if error < 0.005 and not touching:
                self._target, self._ramp = position, 0
                return
        raise SimulationError(
            f"{self.task.name}: 200 draws from the start box all collide or are out of reach; in "
            f"the last one {touching or f'the hand stayed {error:.3f} m away'}"
        )

    def rearrange(self, rng: np.random.Generator) -> None:
        """Draws the objects anew around an arm that stays where it is, free of collisions."""
        arm = self.save()
        for _ in range(200):
            self.restore(arm)
            self.data.qvel[:] = 0.0
            self.task.place_objects(self.model, self.data, rng)
            mujoco.mj_forward(self.model, self.data)
            if not np.any(self.data.contact.dist[: self.data.ncon] < 0):
                return
        self.restore(arm)
        raise SimulationError(
            f"{self.task.name}: the arm leaves no room, 200 draws of the objects all collide"
        )

    def step(self, action: np.ndarray) -> None:
        """One control period with an action ``[4]`` in [-1, 1]. Raises ActionError for another."""
        action = np.asarray(action)
        if action.shape != (4,) or not (np.abs(action) <= 1.0).all():  # NaN compares false
            raise ActionError(
                f"{self.task.name}: an action is 4 numbers in [-1, 1], not {action.tolist()}"
            )
        self.set_target(
            next_target(self._target, self.tcp_position, action, self.profile),
            gripper_opening(action, self.profile),
        )
        self.advance(self.profile.action.period_s)

    def set_target(self, position: np.ndarray, opening: float | None) -> None:
        """New end-effector target (m, base frame), approached over one control period.

        opening: between the fingers, metres; None leaves them as commanded.
        """
        self._target = np.asarray(position, np.float64).copy()
        self._ramp = self._substeps
        if opening is not None:
            self._command_fingers(opening)

    def advance(self, seconds: float) -> None:
        """Runs the physics for a whole number of its steps.

        Raises SimulationError when it blows up.
        """
        mocap = self.data.mocap_pos[self._mocap]
        for _ in range(round(seconds / TIMESTEP_S)):
            if self._ramp:
                mocap += (self._target - mocap) / self._ramp
                self._ramp -= 1
            mujoco.mj_step(self.model, self.data)
        if not np.isfinite(self.data.qpos).all() or self.data.warning.number[_UNSTABLE].any():
            raise SimulationError(
                f"{self.task.name}: physics became unstable at t = {self.data.time:.3f} s"
            )
        # mj_step leaves derived positions a substep stale; mj_forward would change the warm start.
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)

    # What sensors see

    @property
    def target(self) -> np.ndarray:
        """Present end-effector target, ``float64 [3]``, m, base frame."""
        return self._target.copy()

    @property
    def tcp_position(self) -> np.ndarray:
        """Measured tool centre point, ``float64 [3]``, m, base frame."""
        return self.data.site(self.arm.site).xpos.copy()

    @property
    def tcp_quaternion_xyzw(self) -> np.ndarray:
        """Measured tool orientation in the base frame, ``float64 [4]``."""
        quat = np.zeros(4)
        mujoco.mju_mat2Quat(quat, self.data.site(self.arm.site).xmat)
        return quat[[1, 2, 3, 0]]

    @property
    def joint_positions(self) -> np.ndarray:
        """``float64 [J]`` in the order of ``profile.joints``; rad, fingers m."""
        return self.data.qpos[self._joints].copy()

    @property
    def joint_velocities(self) -> np.ndarray:
        """``float64 [J]``, rad/s and m/s."""
        dofs = [self.model.joint(j).dofadr[0] for j in self.profile.joints]
        return self.data.qvel[dofs].copy()

    def state(self) -> np.ndarray:
        """Joint positions, then the tool position, as datasets store them; ``float32 [J+3]``."""
        return np.concatenate([self.joint_positions, self.tcp_position]).astype(np.float32)

    def render(self, height: int = 480, width: int = 640) -> np.ndarray:
        """What the camera sees, ``uint8 [height,width,3]`` RGB."""
        size = (height, width)
        if size not in self._renderers:
            renderer = mujoco.Renderer(self.model, height, width)
            renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
            renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
            self._renderers[size] = renderer
        renderer = self._renderers[size]
        renderer.update_scene(self.data, self.camera)
        return renderer.render()

    def truth(self) -> np.ndarray:
        """Ground truth of the task, ``float64 [K]``; for evaluation alone."""
        return self.task.truth(self.model, self.data)

    # Save and restore

    def save(self) -> Snapshot:
        state = np.empty(mujoco.mj_stateSize(self.model, _STATE))
        mujoco.mj_getState(self.model, self.data, state, _STATE)
        return Snapshot(state, self._target.copy(), self._ramp)

    def restore(self, snapshot: Snapshot) -> None:
        mujoco.mj_setState(self.model, self.data, snapshot.physics, _STATE)
        self.data.warning.number[:] = 0  # what went wrong since then never happened
        self._target, self._ramp = snapshot.target.copy(), snapshot.ramp
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)

    def close(self) -> None:
        """Frees the renderers; before the process exits, in the thread that made them."""
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()

    def _touching(self) -> str:
        """Two geoms that are in one another, in words; empty where none are."""
        deep = np.flatnonzero(self.data.contact.dist[: self.data.ncon] < 0)
        if not len(deep):
            return ""
        geoms = [self.model.geom(g) for g in self.data.contact.geom[deep[0]]]
        one, other = (g.name or f"of body {self.model.body(g.bodyid[0]).name}" for g in geoms)
        return f"geom {one} touched geom {other}"

    def _command_fingers(self, opening: float) -> None:
        for joint, value in self.arm.finger_positions(opening).items():
            self.data.actuator(joint).ctrl[0] = value
