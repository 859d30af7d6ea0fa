"""The recorder under three VGA cameras at 30 Hz and joint states at 1 kHz, beside sqlite3 writing.

Both recorders get the same messages from another process, one recorder after the other, through
the same subscriptions. Every message carries its number, and what is missing in the bag afterwards
was lost, wherever that happened: in the transport, or in the recorder.
"""

import contextlib
import multiprocessing
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import rclpy
import tyro
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from sensor_msgs.msg import Image, JointState

from benchmarks.destination import results_file
from benchmarks.processes import private_domain
from latentplan_ros.bringup.client import GraphClient
from latentplan_ros.bringup.environment import ros_environment
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.taps import Arrival, Tap, Taps

CAMERAS = [f"/camera_{k}/image_raw" for k in range(3)]
JOINTS = "/joint_states"
CAMERA_HZ, JOINTS_HZ = 30, 1000
WIDTH, HEIGHT = 640, 480


def publish(seconds: float, pipe: Connection) -> None:
    """A process: waits for listeners, publishes, and says how many messages of each topic."""
    rclpy.init()
    node = rclpy.create_node("load")
    cameras = [node.create_publisher(Image, topic, qos.CAMERA) for topic in CAMERAS]
    joints = node.create_publisher(JointState, JOINTS, qos.STATE_OUT)
    image = Image(height=HEIGHT, width=WIDTH, encoding="rgb8", step=3 * WIDTH)
    image.header.frame_id = "camera"
    image.data = random.Random(0).randbytes(3 * WIDTH * HEIGHT)
    state = JointState(name=[f"panda_joint{k}" for k in range(1, 8)], position=[0.1] * 7)
    state.velocity = state.effort = state.position
    while any(p.get_subscription_count() == 0 for p in [*cameras, joints]):
        time.sleep(0.05)
    pipe.send("heard")
    pipe.recv()
    # (publisher, message, period, phase): the cameras take turns.
    streams = [(c, image, 1 / CAMERA_HZ, k / CAMERA_HZ / 3) for k, c in enumerate(cameras)]
    streams.append((joints, state, 1 / JOINTS_HZ, 0.0))
    sent, start = [0] * len(streams), time.perf_counter()
    while (now := time.perf_counter() - start) < seconds:
        due = seconds
        for k, (publisher, message, period, phase) in enumerate(streams):
            if now >= phase + sent[k] * period:
                message.header.stamp.sec = sent[k]
                publisher.publish(message)
                sent[k] += 1
            due = min(due, phase + sent[k] * period)
        time.sleep(max(0.0, due - (time.perf_counter() - start)))
    pipe.send(dict(zip([*CAMERAS, JOINTS], sent, strict=True)))
    pipe.recv()


def record_sqlite3(folder: Path, pipe: Connection) -> None:
    """A process: the recorder's own subscriptions, written with rosbags' sqlite3 writer."""
    rclpy.init()
    node = rclpy.create_node("sqlite3_recorder")
    store = get_typestore(Stores.LATEST)
    with Writer(folder, version=8, storage_plugin=StoragePlugin.SQLITE3) as writer:
        connections: dict[str, Any] = {}

        def receive(tap: Tap, arrival: Arrival) -> None:
            if tap.topic not in connections:
                connections[tap.topic] = writer.add_connection(
                    tap.topic, tap.msgtype, typestore=store
                )
            now = node.get_clock().now().nanoseconds
            writer.write(connections[tap.topic], now, arrival.data)

        taps = Taps(node, [*CAMERAS, JOINTS], receive)
        node.create_timer(0.1, taps.discover)
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        pipe.send(os.getpid())

        def wait_for_stop() -> None:
            pipe.recv()
            executor.shutdown()

        threading.Thread(target=wait_for_stop, daemon=True).start()
        with contextlib.suppress(ExternalShutdownException):
            executor.spin()
    pipe.send("written")
    pipe.recv()


@contextmanager
def mcap_recorder(folder: Path):
    """The recorder node. Gives its process id, and a function that ends the recording."""
    parameters = {"directory": folder, "topics": [*CAMERAS, JOINTS], "max_episode_mb": 0.0}
    line = [sys.executable, "-m", "latentplan_ros.nodes.recorder", "--ros-args"]
    for key, value in parameters.items():
        text = f"[{','.join(value)}]" if isinstance(value, list) else value
        line += ["-p", f"{key}:={text}"]
    process = subprocess.Popen([*line, "-p", "autostart:=true"])
    try:
        with GraphClient("load_conductor") as client:
            yield process.pid, lambda: print(client.trigger("recorder/stop", 60.0))
    finally:
        process.terminate()
        process.wait()


@contextmanager
def sqlite3_recorder(folder: Path):
    """The same for sqlite3."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=record_sqlite3, args=(folder / "bag", there))
    process.start()

    def stop() -> None:
        here.send("stop")
        here.recv()

    try:
        yield here.recv(), stop
    finally:
        here.send("end")
        process.join()


RECORDERS: dict[str, Callable[[Path], Any]] = {"mcap": mcap_recorder, "sqlite3": sqlite3_recorder}


def measure(recorder: Callable[[Path], Any], seconds: float, folder: Path) -> dict[str, Any]:
    """One run: what was sent, what is in the bag, and what it took."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    publisher = context.Process(target=publish, args=(seconds, there))
    with recorder(folder) as (pid, stop):
        publisher.start()
        try:
            here.recv()
            cpu, wall = cpu_seconds(pid), time.perf_counter()
            here.send("go")
            sent = here.recv()
            # Until the recorder has nothing more to do.
            busy = cpu_seconds(pid)
            while True:
                time.sleep(1.0)
                before, busy = busy, cpu_seconds(pid)
                if busy - before < 0.2:
                    break
            took = time.perf_counter() - wall
            stop()
        finally:
            here.send("end")
            publisher.join()
    (bag,) = folder.iterdir()
    recorded: dict[str, set[int]] = {topic: set() for topic in sent}
    size = 0
    with AnyReader([bag], default_typestore=get_typestore(Stores.LATEST)) as reader:
        for connection, _, data in reader.messages():
            recorded[connection.topic].add(struct.unpack_from("<i", data, 4)[0])
            size += len(data)
    lost = {topic: count - len(recorded[topic]) for topic, count in sent.items()}
    return {
        "sent": sent,
        "lost": lost,
        "sent_for_s": seconds,
        "recorded_bytes": size,
        "cpu_s": busy - cpu,
        "wall_s": took,
    }


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(duration: float = 60.0, folder: Path | None = None, quick: bool = False) -> None:
    """Writes recorder/lost_under_load, cpu_share and mb_per_s, and the same for sqlite3.

    Args:
        duration: seconds of recording, for each of the two; a second makes 84 MB.
        folder: where to record; a temporary one that is removed afterwards if left out.
        quick: 3 seconds, results below runs/.
    """
    duration = 3.0 if quick else duration
    os.environ.update(ros_environment())
    private_domain()
    runs: dict[str, Any] = {}
    for name, recorder in RECORDERS.items():
        scratch = Path(tempfile.mkdtemp(dir=folder))
        try:
            runs[name] = measure(recorder, duration, scratch)
        finally:
            shutil.rmtree(scratch)
        run = runs[name]
        print(
            f"{name}: {sum(run['lost'].values())} of {sum(run['sent'].values())} messages lost, "
            f"{run['recorded_bytes'] / duration / 1e6:.1f} MB/s, "
            f"{run['cpu_s'] / duration:.2f} of a core"
        )
    figures: dict[str, Figure] = {}
    for name, run in runs.items():
        prefix = "recorder" if name == "mcap" else f"recorder/{name}"
        count = sum(run["sent"].values())
        figures |= {
            f"{prefix}/lost_under_load": Figure(sum(run["lost"].values()), "messages", count),
            f"{prefix}/cpu_share": Figure(run["cpu_s"] / duration, "of a core", 1),
            f"{prefix}/mb_per_s": Figure(run["recorded_bytes"] / duration / 1e6, "MB/s", count),
        }
    settings = {
        "duration_s": duration,
        "cameras": f"{len(CAMERAS)} at {CAMERA_HZ} Hz, {WIDTH}x{HEIGHT} rgb8",
        "joint_states_hz": JOINTS_HZ,
    }
    write_results(
        results_file("recorder_load", quick), figures, seeds=[0], settings=settings, raw=runs
    )


if __name__ == "__main__":
    tyro.cli(main)
