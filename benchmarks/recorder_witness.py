"""A recorder that first writes down elsewhere what it is about to record, for recorder_kills.

Apart from that it is the recorder node as it is. This module is imported by the server that the
recorders to be killed are forked from, so that each of them starts in a fraction of a second.
"""

import os
import struct
import sys
from collections.abc import Mapping
from pathlib import Path

from latentplan_ros.data.bag_writer import BagError
from latentplan_ros.nodes.process import run
from latentplan_ros.nodes.recorder import Recorder
from latentplan_ros.nodes.taps import Arrival, Tap

TOPICS = ("/action", "/camera/image_raw")
ENTRY = struct.Struct("<Bi")  # topic, and the number that the message carries


def number(message: bytes) -> int:
    """The number in a serialized message that begins with a header: its stamp's seconds."""
    return struct.unpack_from("<i", message, 4)[0]


def record(directory: Path, prefix: str, witness: Path, env: Mapping[str, str]) -> None:
    """A process: records TOPICS until it is killed, in episodes of 0.1 s."""
    os.environ.update(env)
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

    sys.exit(run(Witnessed, BagError))
