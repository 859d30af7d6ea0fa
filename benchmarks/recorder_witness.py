"""A recorder that first writes down elsewhere what it is about to record, for recorder_kills.

Apart from that it is the recorder node as it is. As a program this module starts one for each line
that it reads, `[directory, prefix, witness]`, and prints its process id: forked from a process that
has imported everything, a recorder starts in a fraction of a second.
"""

import json
import os
import signal
import struct
import sys

from latentplan_ros.data.bag_writer import BagError
from latentplan_ros.nodes.process import run
from latentplan_ros.nodes.recorder import Recorder
from latentplan_ros.nodes.taps import Arrival, Tap

TOPICS = ("/action", "/camera/image_raw")
ENTRY = struct.Struct("<Bi")  # topic, and the number that the message carries


def number(message: bytes) -> int:
    """The number in a serialized message that begins with a header: its stamp's seconds."""
    return struct.unpack_from("<i", message, 4)[0]


def record(directory: str, prefix: str, witness: str) -> int:
    """Records TOPICS until it is killed, in episodes of 0.1 s."""
    parameters = {
        "directory": directory,
        "prefix": prefix,
        "topics": f"[{','.join(TOPICS)}]",
        "max_episode_s": 0.1,
        "autostart": "true",
    }
    sys.argv = ["recorder", "--ros-args", "--log-level", "error"]
    for key, value in parameters.items():
        sys.argv += ["-p", f"{key}:={value}"]
    file = os.open(witness, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    class Witnessed(Recorder):
        def _receive(self, tap: Tap, arrival: Arrival) -> None:
            os.write(file, ENTRY.pack(TOPICS.index(tap.topic), number(arrival.data)))
            super()._receive(tap, arrival)

    return run(Witnessed, BagError)


def serve() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the killed leave no zombies
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os._exit(record(*json.loads(line)))
        print(pid, flush=True)


if __name__ == "__main__":
    serve()
