"""Kills the recorder at random moments while messages arrive, and looks for what it had received.

A killed recorder's list of received messages, which it keeps beside the bags for this purpose, is
compared with what the bags hold once the next recorder has repaired them. The one message that was
in the recorder's hands at the moment of the kill cannot be on disk, and is counted for itself.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import rclpy
import tyro
from rclpy.context import Context
from rosbags.highlevel import AnyReader
from sensor_msgs.msg import Image, Joy

from benchmarks.destination import ROOT, results_file
from benchmarks.recorder_witness import ENTRY, TOPICS, number
from latentplan_ros.bringup.environment import ros_environment
from latentplan_ros.data.bag_repair import needs_repair
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.nodes import qos

DEADLINE_S = 60.0
LONGEST_S = 0.4  # of recording before the kill; an episode lasts 0.1 s
# Recorders that run beside the one to be killed, as the successor of a killed process is heard of
# seconds later. They share the directory, so that each start repairs among the living.
AHEAD = 3


@dataclass(frozen=True)
class Kill:
    """What became of one killed recorder.

    received: messages it had been given; in_hand: 1 where the last of them was not written yet;
    lost: all others of them that are in no bag; cut: bags that had to be repaired.
    """

    received: int
    lost: int
    in_hand: int
    cut: int


def kill_often(kills: int, directory: Path, seed: int, domain: int) -> list[Kill]:
    """Kills that many recorders, one after the other, in a ROS domain of its own."""
    env = ros_environment() | {"ROS_DOMAIN_ID": str(domain)}
    os.environ.update({k: v for k, v in env.items() if k.startswith(("ROS_", "FAST"))})
    # Whether a received message gets lost does not depend on the way it came.
    env |= {
        "FASTDDS_DEFAULT_PROFILES_FILE": str(ROOT / "benchmarks/loopback.xml"),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "SYSTEM_DEFAULT",  # others add shared memory
    }
    bags, moments, cut = directory / "bags", random.Random(seed), []
    alive: dict[int, int] = {}
    with publishing(domain), recorders(env) as start:
        try:
            for k in range(kills):
                for ahead in range(k, min(k + AHEAD + 1, kills)):
                    if ahead not in alive:
                        witness = directory / f"kill{ahead}.received"
                        alive[ahead] = start(bags, f"kill{ahead}", witness)
                heard(directory / f"kill{k}.received")
                time.sleep(moments.uniform(0.0, LONGEST_S))
                end(alive.pop(k))
                cut.append(sum(map(needs_repair, bags.glob(f"kill{k}_*"))))
            alive[kills] = start(bags, "last", directory / "last.received")
            wait(lambda: not any(map(needs_repair, bags.glob("kill*"))), "the last repair")
        finally:
            while alive:
                end(alive.popitem()[1])
    return [compare(directory, k, cut[k]) for k in range(kills)]


def compare(directory: Path, k: int, cut: int) -> Kill:
    entries = list(ENTRY.iter_unpack(whole((directory / f"kill{k}.received").read_bytes())))
    recorded = set()
    for folder in (directory / "bags").glob(f"kill{k}_*"):
        if not any(folder.glob("*.mcap")):
            continue  # killed between making the folder and the file in it
        with AnyReader([folder]) as reader:
            recorded |= {(TOPICS.index(c.topic), number(d)) for c, _, d in reader.messages()}
    missing = [entry for entry in entries if entry not in recorded]
    in_hand = entries[-1:] == missing[-1:]
    return Kill(len(entries), len(missing) - in_hand, int(in_hand), cut)


def whole(data: bytes) -> bytes:
    return data[: len(data) // ENTRY.size * ENTRY.size]


@contextmanager
def recorders(env: dict[str, str]) -> Iterator[Callable[[Path, str, Path], int]]:
    """A function that starts a recorder (bags, prefix, witness) and gives its process id."""
    command = [sys.executable, "-m", "benchmarks.recorder_witness"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=env, stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        stdin, stdout = server.stdin, server.stdout

        def start(bags: Path, prefix: str, witness: Path) -> int:
            stdin.write(json.dumps([str(bags), prefix, str(witness)]) + "\n")
            stdin.flush()
            return int(stdout.readline())

        yield start


def heard(witness: Path) -> None:
    wait(lambda: witness.exists() and witness.stat().st_size, "the first message")


def end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    wait(lambda: not Path(f"/proc/{pid}").exists(), f"the end of process {pid}")


@contextmanager
def publishing(domain: int) -> Iterator[None]:
    """Numbered actions at 500 Hz and VGA pictures at 30 Hz, as long as it is open."""
    context, over = Context(), threading.Event()
    rclpy.init(context=context, domain_id=domain)
    node = rclpy.create_node("source", context=context, use_global_arguments=False)
    action = node.create_publisher(Joy, TOPICS[0], qos.STATE_OUT)
    camera = node.create_publisher(Image, TOPICS[1], qos.CAMERA)
    joy = Joy(axes=[0.0] * 4)
    image = Image(height=480, width=640, encoding="rgb8", step=1920, data=bytes(921_600))

    def publish() -> None:
        start, sent, pictures = time.monotonic(), 0, 0
        while not over.is_set():
            now = time.monotonic() - start
            if now * 500 > sent:
                joy.header.stamp.sec = sent
                action.publish(joy)
                sent += 1
            if now * 30 > pictures:
                image.header.stamp.sec = pictures
                camera.publish(image)
                pictures += 1
            time.sleep(0.001)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        node.destroy_node()
        context.try_shutdown()


def wait(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {DEADLINE_S:.0f} s")
        time.sleep(0.002)


def main(kills: int = 100, seed: int = 0, quick: bool = False) -> None:
    """Writes recorder/lost_per_100_kills.

    Args:
        kills: how many recorders to kill.
        seed: of the moments.
        quick: 5 kills, results below runs/.
    """
    kills = 5 if quick else kills
    with tempfile.TemporaryDirectory() as folder:
        outcomes = kill_often(kills, Path(folder), seed, 1 + os.getpid() % 200)
    received, lost = sum(k.received for k in outcomes), sum(k.lost for k in outcomes)
    print(
        f"{kills} kills: {received} messages had been received, {lost} of them lost; "
        f"{sum(k.in_hand for k in outcomes)} times one was being written; "
        f"{sum(k.cut for k in outcomes)} bags repaired"
    )
    write_results(
        results_file("recorder_kills", quick),
        {"recorder/lost_per_100_kills": Figure(100 * lost / kills, "messages", kills)},
        seeds=[seed],
        settings={"kills": kills, "longest_s": LONGEST_S},
        raw={"kills": [asdict(k) for k in outcomes]},
    )


if __name__ == "__main__":
    tyro.cli(main)
