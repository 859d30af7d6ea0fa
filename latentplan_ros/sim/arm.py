"""The baked arms: how they attach to a scene, hold still, and are placed by inverse kinematics."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import mujoco
import numpy as np

ASSETS = Path(__file__).parent / "assets"
TARGET = "target"  # mocap body that the arm's tool centre point is welded to
TCP = "tcp"


class Driven(Protocol):
    """An arm whose tool centre point follows a target, whoever modelled it."""

    @property
    def arm_joints(self) -> tuple[str, ...]:
        """Between base and hand, without the fingers."""

    @property
    def home(self) -> tuple[float, ...]:
        """Rest posture of those joints, rad."""

    @property
    def site(self) -> str:
        """Its tool centre point, z out of the gripper, y along the finger motion."""

    def attach(self, spec: mujoco.MjSpec) -> None:
        """Makes the arm part of the scene, its site welded to the mocap body ``target``."""

    def finger_positions(self, opening: float) -> dict[str, float]:
        """Finger joint -> position for a distance between the fingers, metres."""


@dataclass(frozen=True)
class Arm:
    """One baked arm. Its base link is the world origin, so base frame and world frame are the same.

    tcp_pos, tcp_quat (wxyz): tool centre point in the frame of hand_body, z pointing out of the
    gripper, y along the finger motion. home: rest posture, rad. fingers: (joint, body, sign of
    opening).
    """

    name: str
    hand_body: str
    tcp_pos: tuple[float, float, float]
    tcp_quat: tuple[float, float, float, float]
    home: tuple[float, ...]
    arm_joints: tuple[str, ...]
    fingers: tuple[tuple[str, str, float], ...]
    finger_travel_m: float
    finger_box: tuple[float, float, float]
    finger_offset: tuple[float, float, float]
    finger_group: int  # 3 is not drawn: where a mesh shows the finger
    site: str = TCP

    def attach(self, spec: mujoco.MjSpec) -> None:
        attach(spec, self)

    def finger_positions(self, opening: float) -> dict[str, float]:
        travel = float(np.clip(opening / 2.0, 0.0, self.finger_travel_m))
        if self.name == "sawyer":  # its joints are zero when open
            positions = [self.finger_travel_m - travel, travel - self.finger_travel_m]
        else:
            positions = [travel, travel]
        return dict(zip((joint for joint, _, _ in self.fingers), positions, strict=True))


FRANKA = Arm(
    name="panda",
    hand_body="link7",
    tcp_pos=(0.0, 0.0, 0.2104),
    tcp_quat=(0.92388, 0.0, 0.0, -0.382683),
    home=(0.0, 0.1, 0.0, -2.3, 0.0, 0.83, 0.785),
    arm_joints=tuple(f"panda_joint{i}" for i in range(1, 8)),
    fingers=(
        ("panda_finger_joint1", "leftfinger", 1.0),
        ("panda_finger_joint2", "rightfinger", 1.0),
    ),
    finger_travel_m=0.04,
    finger_box=(0.010, 0.008, 0.027),
    finger_offset=(0.0, 0.008, 0.027),
    finger_group=3,
)
SAWYER = Arm(
    name="sawyer",
    hand_body="hand",
    tcp_pos=(0.045, 0.0, 0.0),
    tcp_quat=(0.707107, 0.0, 0.707107, 0.0),
    home=(1.57, -0.95, 0.0, 1.6, 0.0, 0.9, 1.57),
    arm_joints=tuple(f"right_j{i}" for i in range(7)),
    fingers=(("r_close", "rightclaw", -1.0), ("l_close", "leftclaw", 1.0)),
    finger_travel_m=0.03,
    finger_box=(0.045, 0.006, 0.015),
    finger_offset=(0.0, 0.0, 0.0),
    finger_group=1,
)
ARMS = {"franka": FRANKA, "sawyer": SAWYER}


def attach(spec: mujoco.MjSpec, arm: Arm) -> None:
    """Adds the arm at the world origin, its finger actuators, and the mocap weld that moves it.

    Only the fingers and the palm collide: links and objects never meet inside the workspace.
    """
    robot = mujoco.MjSpec.from_file(str(ASSETS / arm.name / f"{arm.name}.xml"))
    for body in robot.bodies[1:]:
        body.gravcomp = 1.0
    for joint, rest in zip(arm.arm_joints, arm.home, strict=True):
        element = robot.joint(joint)
        element.armature, element.damping = 0.1, 4.0
        # A weak spring keeps the redundant elbow a function of the hand's position.
        element.stiffness, element.springref = 4.0, rest
    hand = robot.body(arm.hand_body)
    tcp = hand.add_body(name=TCP, pos=arm.tcp_pos, quat=arm.tcp_quat)
    tcp.add_site(name=TCP, size=[0.005] * 3, group=4)
    tcp.add_geom(
        name="palm",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[0.03, 0.10, 0.02],
        pos=[0, 0, -0.125],
        group=3,
        mass=0,
    )
    for index, (joint, body, _) in enumerate(arm.fingers):
        slide = robot.joint(joint)
        slide.armature, slide.damping = 0.1, 20.0
        side = 1.0 if index == 0 else -1.0
        offset = np.array(arm.finger_offset) * [1, side, 1]
        robot.body(body).add_geom(
            name=f"{body}_pad",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=arm.finger_box,
            pos=offset,
            group=arm.finger_group,
            rgba=[0.25, 0.26, 0.28, 1.0],
            condim=4,
            friction=[1.0, 0.02, 0.001],
            mass=0,
        )
    frame = spec.worldbody.add_frame()
    spec.attach(robot, prefix="", suffix="", frame=frame)
    drive_fingers(spec, [joint for joint, _, _ in arm.fingers])
    spec.worldbody.add_body(name=TARGET, mocap=True)
    weld = spec.add_equality(
        type=mujoco.mjtEq.mjEQ_WELD,
        objtype=mujoco.mjtObj.mjOBJ_BODY,
        name1=TARGET,
        name2=TCP,
        solref=[0.02, 1.0],
    )
    weld.data = np.array([0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1.0])


def drive_fingers(spec: mujoco.MjSpec, joints: Iterable[str]) -> None:
    """Adds a position actuator a finger, of the joint's name."""
    for joint in joints:
        spec.add_actuator(
            name=joint,
            target=joint,
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
            gaintype=mujoco.mjtGain.mjGAIN_FIXED,
            biastype=mujoco.mjtBias.mjBIAS_AFFINE,
            gainprm=[200.0] + [0.0] * 9,
            biasprm=[0.0, -200.0] + [0.0] * 8,
            forcerange=[-30, 30],
            forcelimited=True,
        )


def place(
    model: mujoco.MjModel, data: mujoco.MjData, arm: Driven, position: np.ndarray, quat: np.ndarray
) -> float:
    """Puts the tool centre point at a pose (m, wxyz, world frame).

    By damped least squares from the rest posture. Returns the remaining position error in metres;
    data.qpos holds the solution.
    """
    dofs = np.array([model.joint(j).dofadr[0] for j in arm.arm_joints])
    address = np.array([model.joint(j).qposadr[0] for j in arm.arm_joints])
    limited = [bool(model.jnt_limited[model.joint(j).id]) for j in arm.arm_joints]
    limits = np.array([model.joint(j).range for j in arm.arm_joints])
    limits[~np.array(limited)] = -np.inf, np.inf
    data.qpos[address] = arm.home
    site = model.site(arm.site).id
    jacobian, error, current, inverse = (
        np.zeros((6, model.nv)),
        np.zeros(6),
        np.zeros(4),
        np.zeros(4),
    )
    rotation, rest = np.zeros(4), np.asarray(arm.home)
    for _ in range(60):
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        error[:3] = position - data.site_xpos[site]
        mujoco.mju_mat2Quat(current, data.site_xmat[site])
        mujoco.mju_negQuat(inverse, current)
        mujoco.mju_mulQuat(rotation, quat, inverse)
        mujoco.mju_quat2Vel(error[3:], rotation, 1.0)
        if np.linalg.norm(error[:3]) < 1e-4 and np.linalg.norm(error[3:]) < 1e-3:
            break
        mujoco.mj_jacSite(model, data, jacobian[:3], jacobian[3:], site)
        j = jacobian[:, dofs]
        pinv = j.T @ np.linalg.inv(j @ j.T + 1e-4 * np.eye(6))
        posture = 0.2 * (rest - data.qpos[address])
        step = pinv @ error + (np.eye(len(dofs)) - pinv @ j) @ posture
        data.qpos[address] = np.clip(
            data.qpos[address] + np.clip(step, -0.4, 0.4), limits[:, 0], limits[:, 1]
        )
    return float(np.linalg.norm(error[:3]))
