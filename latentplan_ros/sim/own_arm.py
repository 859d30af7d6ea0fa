"""An arm that a scene file brings with it, driven as the baked ones are."""

from dataclasses import dataclass

import mujoco
import numpy as np

from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.sim.arm import TARGET, drive_fingers
from latentplan_ros.sim.scene_fields import Fields
from latentplan_ros.sim.scene_parts import absent
from latentplan_ros.sim.task import TaskError


@dataclass(frozen=True)
class OwnArm:
    """The arm of a scene's own MJCF, whose base frame is the world frame.

    fingers: joint -> its position closed and open; opening_m: distances between the fingers that
    these stand for.
    """

    site: str
    arm_joints: tuple[str, ...]
    home: tuple[float, ...]
    fingers: dict[str, tuple[float, float]]
    opening_m: tuple[float, float]

    @classmethod
    def read(cls, fields: Fields, spec: mujoco.MjSpec, profile: RobotProfile) -> "OwnArm":
        """The arm that ``end_effector`` names. Its rest posture is the keyframe ``home``, or 0."""
        fields.only("site", "fingers")
        site = fields.text("site")
        if spec.site(site) is None:
            raise TaskError(f"{fields.where}: {absent('site', site, spec.sites)}")
        missing = [name for name in profile.joints if spec.joint(name) is None]
        if missing:
            raise TaskError(
                f"{fields.where}: robot {profile.name} has joints that are not in the MJCF: "
                f"{', '.join(missing)}; it has {', '.join(j.name for j in spec.joints if j.name)}"
            )
        fingers = {}
        if fields.has("fingers"):
            ends = fields.part("fingers")
            for name in ends.values:
                if name not in profile.joints:
                    raise TaskError(f"{ends.where}: {name} is not a joint of {profile.name}")
                closed, opened = ends.numbers(name, 2)
                fingers[name] = (closed, opened)
        joints = tuple(name for name in profile.joints if name not in fingers)
        return cls(site, joints, _home(spec, joints), fingers, profile.action.gripper_m)

    def attach(self, spec: mujoco.MjSpec) -> None:
        """Welds the site to the target and takes the scene's actuators out: they would resist."""
        for actuator in list(spec.actuators):
            spec.delete(actuator)
        base = spec.joint(self.arm_joints[0]).parent
        for body in [base, *base.find_all(mujoco.mjtObj.mjOBJ_BODY)]:
            body.gravcomp = 1.0
        for name, rest in zip(self.arm_joints, self.home, strict=True):
            joint = spec.joint(name)
            joint.armature, joint.damping = max(joint.armature, 0.1), max(joint.damping, 4.0)
            # A weak spring keeps a redundant elbow a function of the hand's position.
            joint.stiffness, joint.springref = max(joint.stiffness, 4.0), rest
        for name in self.fingers:
            joint = spec.joint(name)
            joint.armature, joint.damping = max(joint.armature, 0.1), max(joint.damping, 20.0)
        drive_fingers(spec, self.fingers)
        target = spec.worldbody.add_body(name=TARGET, mocap=True)
        target.add_site(name=TARGET, group=4)
        weld = spec.add_equality(
            type=mujoco.mjtEq.mjEQ_WELD,
            objtype=mujoco.mjtObj.mjOBJ_SITE,
            name1=TARGET,
            name2=self.site,
            solref=[0.02, 1.0],
        )
        weld.data = np.array([0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1.0])

    def finger_positions(self, opening: float) -> dict[str, float]:
        closed, opened = self.opening_m
        share = float(np.clip((opening - closed) / (opened - closed), 0.0, 1.0))
        return {name: low + share * (high - low) for name, (low, high) in self.fingers.items()}


def _home(spec: mujoco.MjSpec, joints: tuple[str, ...]) -> tuple[float, ...]:
    model = spec.copy().compile()
    posture = model.qpos0
    for index in range(model.nkey):
        if model.key(index).name == "home":
            posture = model.key(index).qpos
    return tuple(float(posture[model.joint(name).qposadr[0]]) for name in joints)
