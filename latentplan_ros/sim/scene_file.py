"""A task from two files: a scene in MJCF and a YAML that says what in it counts."""

from pathlib import Path

import mujoco
import numpy as np

from latentplan_ros.control.profile import RobotProfile, load_profile
from latentplan_ros.sim.arm import Driven
from latentplan_ros.sim.own_arm import OwnArm
from latentplan_ros.sim.scene import settle
from latentplan_ros.sim.scene_fields import Fields
from latentplan_ros.sim.scene_parts import GoalKind, Start, Thing, absent
from latentplan_ros.sim.task import Task, TaskError

SUFFIXES = (".yaml", ".yml")


class SceneFile(Task):
    """The task in a scene file; docs/own_scene.md explains its fields.

    Truth: each object's place (x, y and z of a body, one number of a joint), then the tool's.
    Success is decided by the object that ends furthest from its place; without objects, by the
    hand. Raises TaskError naming file and field, and ProfileError for a robot profile of its own.
    """

    def __init__(self, path: Path) -> None:
        fields = Fields.read(path)
        fields.only(
            *("name", "scene", "robot", "camera", "end_effector", "exploration_std"),
            *("episode_steps", "threshold_m", "start", "objects", "goals"),
        )
        self.path, self.file = path, path.parent / fields.text("scene")
        self.name = fields.text("name") if fields.has("name") else path.stem
        self.profile = fields.text("robot")
        if self.profile.endswith(SUFFIXES):
            self.profile = str((path.parent / self.profile).absolute())
        self.camera = fields.text("camera")
        self.threshold_m = fields.positive("threshold_m")
        if fields.has("episode_steps"):
            self.episode_steps = fields.count("episode_steps")
        x, y, z, gripper = fields.numbers("exploration_std", 4)
        self.exploration_std = (x, y, z, gripper)
        if min(self.exploration_std) < 0 or max(self.exploration_std) == 0:
            raise fields.wrong("exploration_std", "at least 0, and not 0 everywhere")

        spec, profile = self._read(), load_profile(self.profile)
        if spec.camera(self.camera) is None:
            raise TaskError(f"{path}: camera: {absent('camera', self.camera, spec.cameras)}")
        start = fields.part("start")
        start.only("hand", "joints")
        self._starts = [Start.read(name, part, spec) for name, part in start.parts("joints")]
        self._things = [Thing.read(name, part, spec) for name, part in fields.parts("objects")]
        self._kinds = {
            name: GoalKind.read(part, self._things, self.threshold_m)
            for name, part in fields.parts("goals")
        }
        if not self._kinds:
            raise TaskError(f"{path}: goals must name at least one kind of goal")
        self.goal_kinds = tuple(self._kinds)
        self.truth_names = (
            *(name for thing in self._things for name in thing.truth_names),
            *("tcp_x", "tcp_y", "tcp_z"),
        )
        hand = start.part("hand")
        hand.only("min", "max")
        (a, b, c), (d, e, f) = hand.box(3)
        self.start_min, self.start_max = (a, b, c), (d, e, f)
        for corner in (self.start_min, self.start_max):
            if not profile.workspace.contains(np.array(corner)):
                raise TaskError(
                    f"{hand.where}: {list(corner)} is outside the workspace of {profile.name}, "
                    f"{list(profile.workspace.min)} to {list(profile.workspace.max)}"
                )
        self._own_arm: OwnArm | None = None
        if fields.has("end_effector"):
            self._own_arm = OwnArm.read(fields.part("end_effector"), spec, profile)
        self._site = self.arm(profile).site
        self._require_whole(profile)

    def scene(self) -> mujoco.MjSpec:
        spec = self._read()
        for key in list(spec.keys):  # they know nothing of the joints that an attached arm adds
            spec.delete(key)
        return spec

    def arm(self, profile: RobotProfile) -> Driven:
        return self._own_arm or super().arm(profile)

    def place_objects(
        self, model: mujoco.MjModel, data: mujoco.MjData, rng: np.random.Generator
    ) -> None:
        for start in self._starts:
            start.draw(data, rng)

    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
        places = [thing.place(data) for thing in self._things]
        return np.concatenate([*places, data.site(self._site).xpos])

    def error_m(self, truth: np.ndarray, goal: np.ndarray) -> float:
        places = zip(self._places(truth), self._places(goal), strict=True)
        return max(float(np.linalg.norm(one - other)) for one, other in places)

    def is_goal(self, kind: str, start: np.ndarray, end: np.ndarray) -> bool:
        if kind not in self._kinds:
            raise TaskError(f"{self.name} has goals of kind {self.goal_kinds}, not {kind!r}")
        wanted, after = self._kinds[kind], self._places(end)
        pairs = zip(self._places(start), after, strict=True)
        moved = [place for before, place in pairs if wanted.met(place - before)]
        hand = end[-3:]
        left = all(
            not wanted.apart_m or np.linalg.norm(place - hand) > wanted.apart_m for place in moved
        )
        return bool(moved) and left

    def _places(self, truth: np.ndarray) -> list[np.ndarray]:
        """Each object's part of the truth; the hand's where there are no objects."""
        if not self._things:
            return [truth]
        ends = np.cumsum([len(thing.truth_names) for thing in self._things])
        return np.split(truth, ends)[:-1]

    def _read(self) -> mujoco.MjSpec:
        if not self.file.is_file():
            raise TaskError(f"{self.path}: scene: there is no file {self.file}")
        try:
            spec = mujoco.MjSpec.from_file(str(self.file))
        except ValueError as error:
            raise TaskError(f"{self.path}: scene: {self.file}: {_line(error)}") from None
        settle(spec)
        return spec

    def _require_whole(self, profile: RobotProfile) -> None:
        """That scene and arm compile together, and have the robot's joints."""
        try:
            spec = self.scene()
            self.arm(profile).attach(spec)
            model = spec.compile()
        except ValueError as error:
            if isinstance(error, TaskError):
                raise
            raise TaskError(
                f"{self.path}: scene: {self.file} does not compile with the arm of robot "
                f"{profile.name}: {_line(error)}"
            ) from None
        joints = {model.joint(index).name for index in range(model.njnt)}
        missing = [name for name in profile.joints if name not in joints]
        if missing:
            raise TaskError(
                f"{self.path}: robot: {profile.name} has joints that are not in the scene: "
                f"{', '.join(missing)}"
            )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
