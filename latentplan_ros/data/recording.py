"""The topics of one bag as arrays on one time axis, before they are aligned."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.data.alignment import one_clock
from latentplan_ros.data.bag_writer import BagError
from latentplan_ros.data.bags import Bag
from latentplan_ros.data.images import ImageError, decode
from latentplan_ros.data.preprocess import Preprocess

ActionSource = Literal["action", "target_pose", "current_pose"]


_KINDS: dict[str, tuple[str, ...]] = {
    "image": ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"),
    "joints": ("sensor_msgs/msg/JointState",),
    "pose": ("geometry_msgs/msg/PoseStamped",),
    "action": ("sensor_msgs/msg/Joy",),
    "gripper": ("std_msgs/msg/Float64MultiArray",),
    "truth": ("std_msgs/msg/Float64MultiArray",),
}


@dataclass(frozen=True)
class Topics:
    """Names of the topics that a dataset is made of, relative or full.

    image may be raw or compressed, and is looked for under ``<image>/compressed`` as well. gripper
    (commanded opening, m) gives the gripper action where actions come from poses. gripper and truth
    (simulator ground truth) are used where they were recorded.
    """

    image: str = "camera/image_raw"
    joint_states: str = "joint_states"
    current_pose: str = "current_pose"
    action: str = "action"
    target_pose: str = "target_pose"
    gripper: str = "gripper_position_controller/commands"
    truth: str = "truth"


@dataclass(frozen=True)
class Track:
    """One topic: ``times int64 [N]`` ns, strictly increasing, and ``values [N,...]``."""

    topic: str
    times: np.ndarray
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.times)


@dataclass
class Samples:
    """What a topic delivered, in the order received; stamp 0 where the message has none."""

    topic: str
    received: list[int] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    values: list[np.ndarray] = field(default_factory=list)

    @property
    def stamped(self) -> bool:
        return bool(self.stamps) and all(self.stamps)

    def offsets_s(self) -> np.ndarray:
        return (np.asarray(self.received, np.int64) - np.asarray(self.stamps, np.int64)) * 1e-9

    def track(self, times: np.ndarray) -> Track:
        order = np.argsort(times, kind="stable")
        order = order[np.append(np.diff(times[order]) > 0, True)]
        return Track(self.topic, times[order], np.stack([self.values[i] for i in order]))


@dataclass(frozen=True)
class Recording:
    """One bag's tracks: pictures ``uint8 [N,S,S,3]``, joint positions ``[N,J]`` in the order of the
    profile (rad, m), end-effector positions ``[N,3]`` (m, base frame), commands ``[N,4]`` (actions)
    or ``[N,3]`` (target positions), None where poses are the only source of actions; gripper
    ``[N,1]``, commanded opening (m).

    problems: messages that could not be used, each named by topic and time.
    """

    image: Track
    joints: Track
    pose: Track
    command: Track | None
    gripper: Track | None
    truth: Track | None
    truth_names: tuple[str, ...]
    clock: Literal["header stamps", "time received"]
    problems: tuple[str, ...]


def read_recording(
    bag: Bag, topics: Topics, profile: RobotProfile, source: ActionSource, preprocess: Preprocess
) -> Recording:
    """Read and check one bag. Raises BagError when a topic is missing or empty.

    Torn or non-finite messages are left out and listed under problems. Times are header stamps;
    where the topics' stamps come from different clocks, times received.
    """
    names = {
        "image": _image_topic(bag, topics.image),
        "joints": bag.find(topics.joint_states),
        "pose": bag.find(topics.current_pose),
    }
    if source != "current_pose":
        names["command"] = bag.find(topics.action if source == "action" else topics.target_pose)
    for role, topic in (("gripper", topics.gripper), ("truth", topics.truth)):
        with suppress(BagError):
            names[role] = bag.find(topic)
    reader = _Reader(bag, names, profile, source, preprocess)
    samples = reader.read()
    for role, found in samples.items():
        if not found.values and role not in ("gripper", "truth"):
            detail = f"; {reader.problems[0]}" if reader.problems else ""
            raise BagError(f"{bag.path}: topic {found.topic} has no usable message{detail}")
    clock, tracks = _on_one_clock(samples)
    return Recording(
        image=tracks["image"],
        joints=_filled(tracks["joints"], bag, profile),
        pose=tracks["pose"],
        command=tracks.get("command"),
        gripper=tracks.get("gripper"),
        truth=tracks.get("truth"),
        truth_names=reader.truth_names,
        clock=clock,
        problems=tuple(reader.problems),
    )


class _Reader:
    def __init__(
        self,
        bag: Bag,
        names: dict[str, str],
        profile: RobotProfile,
        source: ActionSource,
        preprocess: Preprocess,
    ) -> None:
        self.bag, self.profile, self.preprocess = bag, profile, preprocess
        self.names = names
        self.problems: list[str] = []
        self.truth_names: tuple[str, ...] = ()
        self._kinds = _KINDS | {"command": _KINDS["action" if source == "action" else "pose"]}
        self._parsers = {
            "image": self._image,
            "joints": self._joints,
            "pose": self._position,
            "command": self._axes if source == "action" else self._position,
            "gripper": self._gripper,
            "truth": self._truth,
        }

    def read(self) -> dict[str, Samples]:
        samples = {role: Samples(topic) for role, topic in self.names.items()}
        roles = {topic: role for role, topic in self.names.items()}
        for raw in self.bag.messages(roles):
            role = roles[raw.topic]
            try:
                if raw.msgtype not in self._kinds[role]:
                    raise ValueError(f"a {raw.msgtype}, not a {' or '.join(self._kinds[role])}")
                message = self.bag.decode(raw)
                value = self._parsers[role](message, raw.topic)
            except (BagError, ImageError, ValueError) as error:
                text = str(error)
                where = f"{self.bag.path}: {raw.topic} at {raw.received_ns / 1e9:.3f} s"
                self.problems.append(text if raw.topic in text else f"{where}: {text}")
                continue
            samples[role].received.append(raw.received_ns)
            samples[role].stamps.append(_stamp_ns(message))
            samples[role].values.append(value)
        return samples

    def _image(self, message: Any, topic: str) -> np.ndarray:
        try:
            return self.preprocess.apply(decode(message, topic))
        except ImageError as error:
            stamp = _stamp_ns(message) / 1e9
            raise ImageError(f"{self.bag.path}: {topic} at {stamp:.3f} s", "", str(error)) from None

    def _joints(self, message: Any, topic: str) -> np.ndarray:
        """Positions in the profile's order; NaN for joints that this message does not speak of."""
        values = np.full(len(self.profile.joints), np.nan)
        for name, position in zip(message.name, message.position, strict=False):
            if name in self.profile.joints:
                if not np.isfinite(position):
                    raise ValueError(f"position of joint {name} is {position}")
                values[self.profile.joints.index(name)] = position
        return values

    def _position(self, message: Any, topic: str) -> np.ndarray:
        point = message.pose.position
        position = np.array([point.x, point.y, point.z])
        if not np.isfinite(position).all():
            raise ValueError(f"position is {position.tolist()}")
        return position

    def _axes(self, message: Any, topic: str) -> np.ndarray:
        axes = np.asarray(message.axes, np.float64)
        if axes.size < 4:
            raise ValueError(f"an action has 4 axes (x, y, z, gripper), this one {axes.size}")
        if not np.isfinite(axes[:4]).all():
            raise ValueError(f"action is {axes[:4].tolist()}")
        return axes[:4]

    def _gripper(self, message: Any, topic: str) -> np.ndarray:
        values = np.asarray(message.data, np.float64)
        if values.size != 1 or not np.isfinite(values).all():
            raise ValueError(f"a gripper command is one opening, this is {values.tolist()}")
        return values

    def _truth(self, message: Any, topic: str) -> np.ndarray:
        names = tuple(dimension.label for dimension in message.layout.dim)
        values = np.asarray(message.data, np.float64)
        if not names or values.size != len(names) or not np.isfinite(values).all():
            raise ValueError(f"truth is {values.tolist()} for {list(names)}")
        self.truth_names = self.truth_names or names
        if names != self.truth_names:
            raise ValueError(f"truth names {list(names)}, and {list(self.truth_names)} before")
        return values


def _image_topic(bag: Bag, name: str) -> str:
    try:
        return bag.find(name)
    except BagError as error:
        try:
            return bag.find(f"{name}/compressed")
        except BagError:
            raise error from None


def _stamp_ns(message: Any) -> int:
    header = getattr(message, "header", None)
    return 0 if header is None else header.stamp.sec * 1_000_000_000 + header.stamp.nanosec


def _on_one_clock(
    samples: dict[str, Samples],
) -> tuple[Literal["header stamps", "time received"], dict[str, Track]]:
    offsets = {role: s.offsets_s() for role, s in samples.items() if s.stamped}
    common = float(np.median(np.concatenate(list(offsets.values())))) if offsets else 0.0
    use_stamps = bool(offsets) and one_clock(offsets)
    tracks = {}
    for role, found in samples.items():
        if not found.values:
            continue
        received = np.asarray(found.received, np.int64)
        if use_stamps and found.stamped:
            times = np.asarray(found.stamps, np.int64)
        else:
            times = received - round(common * 1e9) if use_stamps else received
        tracks[role] = found.track(times)
    return ("header stamps" if use_stamps else "time received"), tracks


def _filled(track: Track, bag: Bag, profile: RobotProfile) -> Track:
    """Joint states in which every joint is known; arm and gripper may publish them separately."""
    values = track.values.copy()
    never = [
        j for j, column in zip(profile.joints, values.T, strict=True) if np.isnan(column).all()
    ]
    if never:
        raise BagError(
            f"{bag.path}: {track.topic} never speaks of joint {', '.join(never)} "
            f"of robot profile {profile.name}"
        )
    for row in range(1, len(values)):
        missing = np.isnan(values[row])
        values[row, missing] = values[row - 1, missing]
    known = ~np.isnan(values).any(axis=1)
    return Track(track.topic, track.times[known], values[known])
