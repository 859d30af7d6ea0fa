"""Every parser of bytes from elsewhere, with files it reads whole and the errors it may raise.

A parser's outcome is an object or one of these errors, whatever the bytes; ``python -m
benchmarks.fuzz`` looks for others.
"""

import json
import shutil
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Parser:
    """read: parses bytes with the help of an empty folder, which it leaves as it likes; seeds:
    bytes that it reads; errors: all that it may raise.
    """

    read: Callable[[bytes, Path], object]
    seeds: list[bytes] = field(repr=False)
    errors: tuple[type[Exception], ...]


def _messages() -> dict[str, tuple[str, bytes]]:
    """Topic -> (type, one message of it as it crosses the wire)."""
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.LATEST)
    types: Any = store.types
    stamp = types["builtin_interfaces/msg/Time"](sec=1_700_000_000, nanosec=5)
    header = types["std_msgs/msg/Header"](stamp=stamp, frame_id="base")
    point = types["geometry_msgs/msg/Point"](x=0.5, y=0.0, z=0.2)
    turn = types["geometry_msgs/msg/Quaternion"](x=1.0, y=0.0, z=0.0, w=0.0)
    dimension = types["std_msgs/msg/MultiArrayDimension"](label="x", size=1, stride=1)
    layout = types["std_msgs/msg/MultiArrayLayout"](dim=[dimension], data_offset=0)
    numbers = types["std_msgs/msg/Float64MultiArray"](layout=layout, data=np.array([0.04]))
    joints = [f"panda_joint{i}" for i in range(1, 8)]
    joints += ["panda_finger_joint1", "panda_finger_joint2"]
    pixels = np.arange(12, dtype=np.uint8)
    made = {
        "/camera/image_raw": types["sensor_msgs/msg/Image"](
            header=header,
            height=2,
            width=2,
            encoding="rgb8",
            is_bigendian=0,
            step=6,
            data=pixels,
        ),
        "/camera/image_raw/compressed": types["sensor_msgs/msg/CompressedImage"](
            header=header, format="jpeg", data=np.frombuffer(_jpeg(), np.uint8)
        ),
        "/joint_states": types["sensor_msgs/msg/JointState"](
            header=header, name=joints, position=np.ones(9), velocity=pixels[:0], effort=pixels[:0]
        ),
        "/current_pose": types["geometry_msgs/msg/PoseStamped"](
            header=header, pose=types["geometry_msgs/msg/Pose"](position=point, orientation=turn)
        ),
        "/action": types["sensor_msgs/msg/Joy"](
            header=header, axes=np.zeros(4, np.float32), buttons=np.zeros(0, np.int32)
        ),
        "/gripper_position_controller/commands": numbers,
        "/truth": numbers,
    }
    return {
        topic: (message.__msgtype__, bytes(store.serialize_cdr(message, message.__msgtype__)))
        for topic, message in made.items()
    }


def _jpeg() -> bytes:
    import cv2

    picture = np.arange(8 * 12 * 3, dtype=np.uint8).reshape(8, 12, 3)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def _png() -> bytes:
    import cv2

    picture = np.arange(8 * 12 * 3, dtype=np.uint8).reshape(8, 12, 3)
    return cv2.imencode(".png", picture)[1].tobytes()


def _mcap(folder: Path, changed: dict[str, bytes] | None = None) -> Path:
    """A bag of two messages a topic, in a folder that is made."""
    from latentplan_ros.data.bag_writer import BagWriter

    with BagWriter(folder, {"robot": "franka"}) as writer:
        channels = {t: writer.add_topic(t, kind, "") for t, (kind, _) in _MESSAGES.items()}
        for index in range(2):
            for topic, (_, data) in _MESSAGES.items():
                data = (changed or {}).get(topic, data)
                writer.write(channels[topic], data, 1_700_000_000_000_000_000 + index)
    return next(folder.glob("*.mcap"))


def _packed_mcap(folder: Path, compression: str) -> bytes:
    """A bag in chunks, as other recorders write them."""
    from mcap.writer import CompressionType, Writer

    with (folder / "packed.mcap").open("wb") as file:
        writer = Writer(file, compression=CompressionType[compression], chunk_size=300)
        writer.start("ros2")
        for topic, (kind, data) in _MESSAGES.items():
            channel = writer.register_channel(topic, "cdr", writer.register_schema(kind, "", b""))
            writer.add_message(channel, 5, data, 5)
        writer.finish()
    return (folder / "packed.mcap").read_bytes()


def _sqlite(folder: Path) -> bytes:
    import sqlite3

    file = folder / "seed.db3"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA page_size = 512")
    connection.execute("CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT)")
    connection.execute(
        "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, "
        "data BLOB)"
    )
    for number, (topic, (kind, data)) in enumerate(_MESSAGES.items()):
        connection.execute("INSERT INTO topics VALUES (?, ?, ?)", [number, topic, kind])
        connection.execute("INSERT INTO messages VALUES (NULL, ?, 5, ?)", [number, data])
    connection.commit()
    connection.close()
    return file.read_bytes()


def _read_bag(path: Path) -> int:
    """Every message of a bag, decoded where it can be."""
    from latentplan_ros.data.bag_writer import BagError
    from latentplan_ros.data.bags import open_bag

    decoded = 0
    with open_bag(path) as bag:
        for message in bag.messages():
            try:
                bag.decode(message)
            except BagError:
                continue
            decoded += 1
    return decoded


def _bags(suffix: str, seeds: list[bytes]) -> Parser:
    from latentplan_ros.data.bag_writer import BagError

    def read(data: bytes, folder: Path) -> int:
        (folder / f"bag{suffix}").write_bytes(data)
        return _read_bag(folder if suffix.endswith(".zstd") else folder / f"bag{suffix}")

    return Parser(read, seeds, (BagError,))


def bags_mcap(scratch: Path) -> Parser:
    whole = _mcap(scratch / "bag").read_bytes()
    packed = [_packed_mcap(scratch, name) for name in ("LZ4", "ZSTD")]
    return _bags(".mcap", [whole, whole[:-200], *packed])


def bags_sqlite(scratch: Path) -> Parser:
    return _bags(".db3", [_sqlite(scratch)])


def bags_zstd(scratch: Path) -> Parser:
    import zstandard

    return _bags(".db3.zstd", [zstandard.compress(_sqlite(scratch))])


def bag_metadata(scratch: Path) -> Parser:
    from latentplan_ros.data.bag_writer import BagError

    _mcap(scratch / "bag")

    def read(data: bytes, folder: Path) -> int:
        shutil.copytree(scratch / "bag", folder / "bag")
        (folder / "bag" / "metadata.yaml").write_bytes(data)
        return _read_bag(folder / "bag")

    return Parser(read, [(scratch / "bag" / "metadata.yaml").read_bytes()], (BagError,))


def bag_repair(scratch: Path) -> Parser:
    from latentplan_ros.data.bag_repair import needs_repair, repair
    from latentplan_ros.data.bag_writer import BagError

    whole = _mcap(scratch / "bag").read_bytes()

    def read(data: bytes, folder: Path) -> int:
        bag = folder / "bag"
        bag.mkdir()
        (bag / "bag_0.mcap").write_bytes(data)
        count = repair(bag)
        assert not needs_repair(bag), "a bag that was repaired needs repair"
        assert _read_bag(bag) <= count
        return count

    return Parser(read, [whole[:-200], _packed_mcap(scratch, "ZSTD")[:-50]], (BagError,))


def recordings(scratch: Path) -> Parser:
    """The first byte says which topic's messages the others are."""
    from latentplan_ros.control.profile import load_profile
    from latentplan_ros.data.bag_writer import BagError
    from latentplan_ros.data.bags import open_bag
    from latentplan_ros.data.preprocess import Preprocess
    from latentplan_ros.data.recording import Topics, read_recording

    profile, topics = load_profile("franka"), list(_MESSAGES)

    def read(data: bytes, folder: Path) -> object:
        chosen = topics[data[0] % len(topics)] if data else topics[0]
        _mcap(folder / "bag", {chosen: data[1:]})
        with open_bag(folder / "bag") as bag:
            return read_recording(bag, Topics(), profile, "action", Preprocess())

    seeds = [bytes([i]) + data for i, (_, data) in enumerate(_MESSAGES.values())]
    return Parser(read, seeds, (BagError,))


def pictures(scratch: Path) -> Parser:
    from latentplan_ros.data.images import ImageError, load

    def read(data: bytes, folder: Path) -> object:
        (folder / "goal.png").write_bytes(data)
        return load(folder / "goal.png")

    return Parser(read, [_jpeg(), _png()], (ImageError,))


def picture_messages(scratch: Path) -> Parser:
    """A message off the wire; the first byte says whether it is a compressed one."""
    from rosbags.typesys import Stores, get_typestore

    from latentplan_ros.data.images import ImageError, decode

    store = get_typestore(Stores.LATEST)
    known = [_MESSAGES["/camera/image_raw"], _MESSAGES["/camera/image_raw/compressed"]]

    def read(data: bytes, folder: Path) -> object:
        kind = known[data[0] % 2 if data else 0][0]
        try:
            message = store.deserialize_cdr(data[1:], kind)
        except Exception:  # the middleware's part; ours is what it lets through
            return None
        return decode(message, "camera/image_raw")

    return Parser(read, [bytes([i]) + data for i, (_, data) in enumerate(known)], (ImageError,))


def _checkpoint(folder: Path) -> bytes:
    import torch

    from benchmarks.untrained import untrained_header
    from latentplan_ros.models.checkpoint import save_checkpoint
    from latentplan_ros.models.latent_world_model import LatentWorldModel

    torch.manual_seed(0)
    torch.set_num_threads(1)
    head = {"kind": "q", "hidden": 4, "layers": 3, "actor_layers": 2, "discount": 0.8}
    spec = {"latent": 4, "channels": 1, "hidden": 4, "layers": 1, "distance": head}
    header = untrained_header("mbold", spec)
    save_checkpoint(folder / "seed.safetensors", LatentWorldModel(spec), header)
    return (folder / "seed.safetensors").read_bytes()


def checkpoints(scratch: Path) -> Parser:
    from latentplan_ros.models.checkpoint import CheckpointError, load_checkpoint

    def read(data: bytes, folder: Path) -> object:
        (folder / "model.safetensors").write_bytes(data)
        return load_checkpoint(folder / "model.safetensors")

    return Parser(read, [_checkpoint(scratch)], (CheckpointError,))


def checkpoint_headers(scratch: Path) -> Parser:
    """The header alone, on weights that are whole."""
    from latentplan_ros.models.checkpoint import CheckpointError, load_checkpoint, read_header

    whole = _checkpoint(scratch)
    (size,) = struct.unpack_from("<Q", whole)
    tensors = json.loads(whole[8 : 8 + size])
    weights = whole[8 + size :]

    def read(data: bytes, folder: Path) -> object:
        meta = tensors | {"__metadata__": {"latentplan": data.decode(errors="replace")}}
        text = json.dumps(meta).encode()
        text += b" " * (-len(text) % 8)
        file = folder / "model.safetensors"
        file.write_bytes(struct.pack("<Q", len(text)) + text + weights)
        return load_checkpoint(file)

    seed = read_header(scratch / "seed.safetensors").to_json().encode()
    return Parser(read, [seed], (CheckpointError,))


def profiles(scratch: Path) -> Parser:
    from latentplan_ros.control.profile import ProfileError, load_profile
    from latentplan_ros.resources import resource

    def read(data: bytes, folder: Path) -> object:
        (folder / "robot.yaml").write_bytes(data)
        return load_profile(folder / "robot.yaml")

    seeds = [file.read_bytes() for file in sorted(resource("config/robots").glob("*.yaml"))]
    return Parser(read, seeds, (ProfileError,))


def recipes(scratch: Path) -> Parser:
    from latentplan_ros.learning.train import RecipeError, load_recipe
    from latentplan_ros.resources import resource

    def read(data: bytes, folder: Path) -> object:
        (folder / "recipe.yaml").write_bytes(data)
        return load_recipe(folder / "recipe.yaml")

    seeds = [file.read_bytes() for file in sorted(resource("config/recipes").glob("*.yaml"))]
    return Parser(read, seeds, (RecipeError,))


def joysticks(scratch: Path) -> Parser:
    from latentplan_ros.control.joystick import JoystickError, load_joystick
    from latentplan_ros.resources import resource

    def read(data: bytes, folder: Path) -> object:
        (folder / "stick.yaml").write_bytes(data)
        return load_joystick(folder / "stick.yaml")

    seeds = [file.read_bytes() for file in sorted(resource("config/joysticks").glob("*.yaml"))]
    return Parser(read, seeds, (JoystickError,))


def scenes(scratch: Path) -> Parser:
    """A scene's YAML; its MuJoCo XML is code as much as a launch file is."""
    from latentplan_ros.control.profile import ProfileError
    from latentplan_ros.resources import resource
    from latentplan_ros.sim.scene_file import SceneFile
    from latentplan_ros.sim.task import TaskError

    shipped = resource("config/scenes")

    def read(data: bytes, folder: Path) -> object:
        shutil.copy(shipped / "franka_cube.xml", folder)
        (folder / "scene.yaml").write_bytes(data)
        return SceneFile(folder / "scene.yaml")

    return Parser(read, [(shipped / "franka_cube.yaml").read_bytes()], (TaskError, ProfileError))


def datasets(scratch: Path) -> Parser:
    """The first byte says which file of a dataset the others are."""
    from latentplan_ros.control.action_space import ActionSpace
    from latentplan_ros.data.dataset import Dataset, DatasetError, DatasetInfo, DatasetWriter
    from latentplan_ros.data.episode import Episode

    space = ActionSpace("franka", 0.1, 10.0, (0.0, 0.08))
    info = DatasetInfo(space, "main", 4, ("a", "b"), ("x",), exploration_std=(0.1,) * 4)
    length = 3
    with DatasetWriter(scratch / "D.zarr", info) as writer:
        writer.append(
            Episode(
                np.ones((length, 4, 4, 3), np.uint8),
                np.zeros((length, 4), np.float32),
                np.zeros((length, 2), np.float32),
                np.zeros((length, 1), np.float32),
            )
        )
    places = [".zgroup", ".zattrs", "zarr.json", "data/.zgroup", "data/image/.zarray"]
    places += ["data/action/.zarray", "meta/episode_ends/.zarray", "meta/episode_ends/0"]

    def read(data: bytes, folder: Path) -> object:
        place = places[data[0] % len(places)] if data else places[0]
        shutil.copytree(scratch / "D.zarr", folder / "D.zarr")
        (folder / "D.zarr" / place).write_bytes(data[1:])
        if place == "zarr.json":
            (folder / "D.zarr" / ".zgroup").unlink()
        dataset = Dataset.open(folder / "D.zarr")
        if dataset.num_frames:
            dataset.images([0, dataset.num_frames - 1])
        dataset.content_hash()
        return dataset

    root = scratch / "D.zarr"
    seeds = [
        bytes([i]) + (root / place).read_bytes()[:4096]
        for i, place in enumerate(places)
        if (root / place).exists() and place != "meta/episode_ends/0"
    ]
    return Parser(read, seeds, (DatasetError,))


def results(scratch: Path) -> Parser:
    from benchmarks.summary import SummaryError, summarize
    from latentplan_ros.evaluation.results import Figure

    def read(data: bytes, folder: Path) -> object:
        (folder / "one.json").write_bytes(data)
        return summarize(folder, folder)

    figure = asdict(Figure(0.5, "fraction", 10, 0.2, 0.8))
    seed = json.dumps({"command": "python -m x", "figures": {"success/x": figure}}).encode()
    return Parser(read, [seed], (SummaryError,))


_MESSAGES = _messages()
PARSERS: dict[str, Callable[[Path], Parser]] = {
    make.__name__: make
    for make in (
        bags_mcap,
        bags_sqlite,
        bags_zstd,
        bag_metadata,
        bag_repair,
        recordings,
        pictures,
        picture_messages,
        checkpoints,
        checkpoint_headers,
        profiles,
        recipes,
        joysticks,
        scenes,
        datasets,
        results,
    )
}
