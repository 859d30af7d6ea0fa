"""Bags for the tests, written through the recorder's own writer with messages made by rosbags."""

from pathlib import Path
from typing import Any

import numpy as np
from rosbags.typesys import Stores, get_typestore

from latentplan_ros.data.bag_writer import BagWriter

STORE = get_typestore(Stores.ROS2_HUMBLE)
T = STORE.types
START_NS = 1_700_000_000_000_000_000
JOINTS = [f"panda_joint{i}" for i in range(1, 8)] + ["panda_finger_joint1", "panda_finger_joint2"]


def header(time_ns: int, frame: str = "panda_link0") -> Any:
    stamp = T["builtin_interfaces/msg/Time"](
        sec=time_ns // 1_000_000_000, nanosec=time_ns % 1_000_000_000
    )
    return T["std_msgs/msg/Header"](stamp=stamp, frame_id=frame)


def image(rgb: np.ndarray, time_ns: int, encoding: str = "rgb8") -> Any:
    return T["sensor_msgs/msg/Image"](
        header=header(time_ns),
        height=rgb.shape[0],
        width=rgb.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=rgb.shape[1] * (rgb.size // (rgb.shape[0] * rgb.shape[1])),
        data=np.frombuffer(rgb.tobytes(), np.uint8),
    )


def compressed(data: bytes, time_ns: int) -> Any:
    return T["sensor_msgs/msg/CompressedImage"](
        header=header(time_ns), format="jpeg", data=np.frombuffer(data, np.uint8)
    )


def joints(position: np.ndarray, time_ns: int, names: list[str] = JOINTS) -> Any:
    none = np.zeros(0)
    return T["sensor_msgs/msg/JointState"](
        header=header(time_ns), name=names, position=position, velocity=none, effort=none
    )


def pose(xyz: np.ndarray, time_ns: int) -> Any:
    point = T["geometry_msgs/msg/Point"](x=float(xyz[0]), y=float(xyz[1]), z=float(xyz[2]))
    turn = T["geometry_msgs/msg/Quaternion"](x=1.0, y=0.0, z=0.0, w=0.0)
    return T["geometry_msgs/msg/PoseStamped"](
        header=header(time_ns),
        pose=T["geometry_msgs/msg/Pose"](position=point, orientation=turn),
    )


def joy(axes: np.ndarray, time_ns: int) -> Any:
    return T["sensor_msgs/msg/Joy"](
        header=header(time_ns), axes=np.asarray(axes, np.float32), buttons=np.zeros(0, np.int32)
    )


class Recording:
    """Collects messages, then writes them in the order of the time received."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, str, str, bytes]] = []

    def add(self, topic: str, message: Any, received_ns: int) -> None:
        msgtype = message.__msgtype__
        data = bytes(STORE.serialize_cdr(message, msgtype))
        self.messages.append((received_ns, topic, msgtype, data))

    def write(self, folder: Path, close: bool = True, **about: str) -> BagWriter:
        writer = BagWriter(folder, about)
        channels: dict[str, int] = {}
        for received, topic, msgtype, data in sorted(self.messages, key=lambda m: m[0]):
            if topic not in channels:
                definition, _ = STORE.generate_msgdef(msgtype, ros_version=2)
                channels[topic] = writer.add_topic(topic, msgtype, definition)
            writer.write(channels[topic], data, received)
        if close:
            writer.close()
        return writer


def franka_recording(steps: int = 12, seed: int = 0) -> tuple[Recording, np.ndarray, np.ndarray]:
    """A short recording at 10 Hz with camera at 30 Hz and pose at 50 Hz.

    Returns it with the pictures ``[steps, 48, 48, 3]`` that were newest at each action, and the
    actions ``[steps, 4]``; each action moves the pose by 0.1 m a unit until the next.
    """
    rng = np.random.default_rng(seed)
    recording = Recording()
    actions = rng.uniform(-0.2, 0.2, (steps, 4)).astype(np.float32)
    pictures = rng.integers(0, 255, (steps, 48, 48, 3), dtype=np.uint8)
    position = np.array([0.55, 0.0, 0.2])
    period = 100_000_000
    for k in range(steps):
        tick = START_NS + k * period
        for j in range(3):  # the last of three frames comes 3 ms before the action
            stamp = tick - 3_000_000 - (2 - j) * 33_000_000
            recording.add("/camera/image_raw", image(pictures[k], stamp), stamp + 1_000_000)
        recording.add("/action", joy(actions[k], tick), tick + 500_000)
        for j in range(5):
            stamp = tick + j * 20_000_000 - 1_000_000
            moved = position + 0.1 * actions[k, :3] * j / 5
            recording.add("/current_pose", pose(moved, stamp), stamp + 200_000)
            finger = np.append(np.linspace(0, 1, 7) + 0.01 * k, [0.02, 0.02])
            recording.add("/joint_states", joints(finger, stamp), stamp + 300_000)
        position = position + 0.1 * actions[k, :3]
        recording.add("/target_pose", pose(position, tick + 1_000_000), tick + 1_500_000)
    return recording, pictures, actions
